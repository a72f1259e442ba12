"""All figures of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from specfit.report.figures import (
    correlations,
    distribution,
    paths,
    priors,
    spectrum,
    weights,
)
from specfit.report.quantities import Findings
from specfit.report.regression import found as regression
from specfit.report.sections.spectrum import figure_name


def figures(found: Findings, part: int = 0, parts: int = 1) -> dict[str, bytes]:
    """Every figure of a run as PNG, by name; or one part of them, where shared out."""
    drawn = [(name, draw()) for name, draw in _drawings(found)[part::parts]]
    return {name: content for name, content in drawn if content is not None}


def _drawings(found: Findings) -> list[tuple[str, Callable[[], bytes | None]]]:
    """Figures by name, those that take longest first."""
    spectra = found.run.model.spectra
    return [
        ("prior_vs_posterior", partial(priors.draw, found)),
        *(
            (
                figure_name(index, entry.label, len(spectra) == 1),
                partial(_of_spectrum(found, index), found, index),
            )
            for index, entry in enumerate(spectra)
        ),
        ("weights", partial(weights.draw, found.run)),
        ("correlations", partial(correlations.draw, found)),
        ("distributions", partial(distribution.draw, found)),
        ("heatmap", partial(regression.heat, found.run)),
        ("predicted_vs_measured", partial(regression.against, found.run)),
    ]


def _of_spectrum(found: Findings, index: int) -> Callable[[Findings, int], bytes]:
    """How a spectrum is drawn: χ(k) with its paths, or a curve over its axis."""
    of_paths = found.run.measurements[index].scattering is not None
    return paths.draw if of_paths else spectrum.draw
