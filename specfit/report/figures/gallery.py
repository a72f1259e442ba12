"""All figures of a run."""

from __future__ import annotations

from specfit.report.figures import correlations, priors, spectrum
from specfit.report.quantities import Findings
from specfit.report.sections.spectrum import figure_name


def figures(found: Findings) -> dict[str, bytes]:
    """Every figure of a run as PNG, by name."""
    spectra = found.run.model.spectra
    drawn: dict[str, bytes | None] = {
        figure_name(index, entry.label, len(spectra) == 1): spectrum.draw(found, index)
        for index, entry in enumerate(spectra)
    }
    drawn["prior_vs_posterior"] = priors.draw(found)
    drawn["correlations"] = correlations.draw(found)
    return {name: content for name, content in drawn.items() if content is not None}
