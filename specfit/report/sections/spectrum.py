"""The spectra: data, curve, components, residuals."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Measurement
from specfit.report.blocks import Block, Figure, Page, Section
from specfit.report.collect import file_of
from specfit.report.text import file_name
from specfit.report.words import datum, shared, whole


def figure_name(page_index: int, label: str, alone: bool) -> str:
    """The file of a spectrum's figure: `spectrum.png`, `spectrum_77.png`."""
    return (
        "spectrum" if alone else f"spectrum_{file_name(label or str(page_index + 1))}"
    )


_HALVES = (
    "The halves of the sweep are not folded: each has its curve, the first is filled. "
)


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    alone = len(run.model.spectra) == 1
    share = ", with area fractions; ticks: line positions" if shared(run.model) else ""
    points, what = datum(run.model), whole(run.model)
    blocks: list[Block] = []
    for index, spectrum in enumerate(run.model.spectra):
        measurement, item = run.measurements[index], page.found.residuals[index]
        name = file_of(run.model, spectrum, measurement)
        label = f" [{spectrum.label}]" if spectrum.label else ""
        sites = ", ".join(site.title or site.name for site in spectrum.sites)
        filled = f"; filled: {sites}{share}"
        parts = "fitted components and " if sites else "the fitted curve and "
        figure = figure_name(index, spectrum.label, alone)
        if measurement.scattering is not None:
            blocks.append(
                _of_paths(figure, name + label, measurement, item.chi2_reduced)
            )
            continue
        if run.model.bases:
            sites, filled = "bases", "; filled: what each basis gives, by its weight"
        blocks.append(
            Figure(
                figure,
                f"{what}{label} with {parts}residuals",
                f"{name}{label}, {measurement.values.size} {points}. Points: data with "
                "one standard deviation; red: posterior mean with the band of 5 to 95 "
                f"%{filled if sites else ''}. "
                f"{_HALVES if measurement.position.size else ''}"
                f"Below: residuals in standard deviations; reduced χ² = "
                f"{item.chi2_reduced:.2f}.",
            )
        )
    return [*blocks, *_distributions(page)]


def _distributions(page: Page) -> list[Block]:
    if "distributions" not in page.figures:
        return []
    caption = (
        "Distributions. Line: posterior mean; bands: 25 to 75 % and 5 to 95 % of the "
        "posterior at each value."
    )
    return [Figure("distributions", "distributions of hyperfine parameters", caption)]


def _of_paths(
    figure: str, name: str, measurement: Measurement, chi2_reduced: float
) -> Figure:
    """χ(k) with its paths."""
    one = measurement.scattering
    assert one is not None
    numbers = f"{measurement.values.size} numbers are compared"
    if one.distances is not None:
        low, high = one.distances
        numbers = (
            f"between {low:g} and {high:g} Å (shaded) lie {measurement.values.size} "
            "independent numbers, which are compared"
        )
    return Figure(
        figure,
        "χ(k) and its transform over distances, with the paths",
        f"{name}, {one.k.size} points; {numbers}. Red: posterior mean with the band of 5 "
        "to 95 %; coloured: the paths, shifted below χ(k). Transforms with a Hann window "
        f"of k. Below: residuals in standard deviations; reduced χ² = {chi2_reduced:.2f}.",
    )


SECTION = Section("spectrum", "Data and fit", _build)
