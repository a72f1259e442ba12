"""Linear combinations of measured spectra in the language (XANES weights)."""

from __future__ import annotations

from specfit.contracts import ParameterSignature
from specfit.model.kind import ModelKind

EDGE = "edge"
"""The baseline of spectra that are normalised, but not perfectly.

level + slope (E − E0) + (step + post (E − E0)) × combination: a line under everything and
a scale that changes slowly.  Its defaults allow what normalisation by hand leaves: 2 % of
the step for level and scale, and 1 % over 50 eV for both slopes.
"""

_EDGE = (
    ParameterSignature(
        "level",
        "signal",
        "",
        "what lies under the pre-edge at E0",
        default="~ normal(0, 0.02)",
    ),
    ParameterSignature(
        "slope",
        "per_axis",
        "",
        "slope of the line under the pre-edge",
        default="~ normal(0, 2e-4) {uper}",
    ),
    ParameterSignature(
        "step",
        "number",
        "",
        "scale of the combination at E0: the edge step of the sample over the bases'",
        low=0.0,
        default="~ lognormal(0, 0.02)",
    ),
    ParameterSignature(
        "post",
        "per_axis",
        "",
        "change of that scale over the axis, the post-edge slope",
        default="~ normal(0, 2e-4) {uper}",
    ),
    ParameterSignature(
        "E0",
        "axis",
        "",
        "where level and step are what they are called",
        default="= (min({x}) + max({x})) / 2",
    ),
)

LINEAR_COMBINATION = ModelKind(
    name="linear_combination",
    title="what is expected is made of other spectra: "
    "`sum(w[k] * shift(basis[k].mu, dE) over k)`",
    data="absorption",
    component="",
    components={},
    scalars=(),
    baselines={"none": (), EDGE: _EDGE},
    halves={},
    amounts={},
    defaults={},
    seen={},
    settings={},
    noises=("gaussian", "student_t"),
    fraction="",
    basis=True,
)
