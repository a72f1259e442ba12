"""All figures of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from specfit.report.figures import correlations, distribution, priors, spectrum
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
                partial(spectrum.draw, found, index),
            )
            for index, entry in enumerate(spectra)
        ),
        ("correlations", partial(correlations.draw, found)),
        ("distributions", partial(distribution.draw, found)),
        ("heatmap", partial(regression.heat, found.run)),
        ("predicted_vs_measured", partial(regression.against, found.run)),
    ]
