"""What to look at next where a model leaves structure behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specfit.model.ir import Model

_COUNTS = (
    "the counts scatter less than counts can: smoothed or interpolated data, "
    "a sum that was divided, or folding that averaged instead of adding"
)
_STATED = "the data scatter less than the noise that is stated: is its sd right?"
_SAMPLE = ("the sample absorbs less there than the model", "the sample absorbs more "
           "there than the model")  # fmt: skip
_OF_KIND = {
    "curve": "another expression, or `student_t` where a few points stand far out",
    "linear_combination": "a further basis, a shift of its energies, or `baseline edge`",
    "exafs": "a further path, or a shorter range of k or R",
    "regression": "a feature that bends, `student_t` where a few rows stand far out, or "
    "noise that rests on a column",
}
_DATA = ("the data lie above the model there", "the data lie below the model there")


@dataclass(frozen=True)
class Remedies:
    """What may be tried, and how a misfit is told.

    unit: of the axis; data: what neighbours are, `channels`; sides: what is said of a
    misfit upwards and downwards; too_small: of residuals that scatter too little.
    """

    tries: str
    unit: str
    data: str
    sides: tuple[str, str]
    too_small: str


def remedies_of(model: Model[Any], unit: str) -> Remedies:
    """What one who knows such data would try next, less what the model has already."""
    laws = {spectrum.noise.family for spectrum in model.spectra}
    counts = laws <= {"poisson", "negative_binomial"}
    small = _COUNTS if counts else _STATED
    if model.kind.startswith("mossbauer"):
        return Remedies(_of_spectra(model), unit, "channels", _SAMPLE, small)
    tables = any(source.kind == "table" for source in model.sources)
    data, tries = "rows" if tables else "points", _OF_KIND.get(model.kind)
    return Remedies(tries or _of_patterns(model), unit, data, _DATA, small)


def _kinds(model: Model[Any]) -> set[str]:
    return {site.kind for spectrum in model.spectra for site in spectrum.sites}


def _of_spectra(model: Model[Any]) -> str:
    tries = ["a further component"]
    if not _kinds(model) & {"sextet_distribution", "doublet_distribution"}:
        tries.append("a distribution of the field or the splitting (broad lines)")
    if model.settings.get("absorber") != "thick":
        tries.append("a thick absorber (strong lines too shallow and too broad)")
    return _listed(tries)


def _of_patterns(model: Model[Any]) -> str:
    tries = ["a further peak"]
    if not _kinds(model) & {"voigt", "pseudo_voigt", "doublet_ka"}:
        tries.append("a Voigt shape")
    if not _kinds(model) & {"split_pseudo_voigt", "doniach_sunjic"}:
        tries.append("an asymmetric shape")
    return _listed([*tries, "a baseline of higher order"])


def _listed(tries: list[str]) -> str:
    *others, last = tries
    return f"{', '.join(others)}, or {last}" if others else last


def advice(at: float, z: float, remedies: Remedies) -> str:
    """Where the misfit is largest, which way, and what to try."""
    where = f"{at:+.2f} {remedies.unit}".rstrip()
    said = remedies.sides[0 if z > 0 else 1]
    return (
        f"the largest misfit is near {where} ({z:+.1f} sd over five {remedies.data}: {said}); "
        f"next try {remedies.tries}"
    )
