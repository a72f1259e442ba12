"""What a report calls the parts and the data of a model, by its kind."""

from __future__ import annotations

from specfit.contracts import Run
from specfit.distributions import NOISES
from specfit.model.ir import Model, Prior, Ref
from specfit.model.kinds import MODEL_KINDS
from specfit.model.row_errors import weighted_sum


def component(model: Model[Prior]) -> str:
    """`site` or `peak`; empty of a model that has none."""
    return MODEL_KINDS[model.kind].component


def datum(model: Model[Prior]) -> str:
    """What one datum is: a channel of a counter, a point of a pattern, a row."""
    if model.kind.startswith("mossbauer"):
        return "channels"
    return "rows" if model.sources[0].kind == "table" else "points"


def whole(model: Model[Prior]) -> str:
    """What is measured, as a heading."""
    if model.kind.startswith("mossbauer"):
        return "spectrum"
    return "table" if model.sources[0].kind == "table" else "pattern"


def shared(model: Model[Prior]) -> bool:
    """Whether components share out one total, so that each has a fraction of it."""
    return bool(MODEL_KINDS[model.kind].fraction)


def counted(model: Model[Prior]) -> bool:
    """Whether every spectrum is of counts."""
    return all(NOISES[s.noise.family].counts for s in model.spectra)


def feature_names(run: Run) -> dict[str, str]:
    """Coefficients of features by name, and what the features are called, if anything."""
    found: dict[str, str] = {}
    for spectrum, seen in zip(run.model.spectra, run.measurements, strict=True):
        total = weighted_sum(spectrum.noise.mean)
        if total is not None and seen.features is not None and seen.features.labels:
            names = [n.name for n in total.arguments[1:] if isinstance(n, Ref)]
            found |= dict(zip(names, seen.features.labels, strict=True))
    return found


def number_of_components(run: Run) -> str:
    """`3 sites`; empty of a model that has none."""
    word = component(run.model)
    count = sum(len(spectrum.sites) for spectrum in run.model.spectra)
    return f"{count} {word}{'' if count == 1 else 's'}" if word else ""
