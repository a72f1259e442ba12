"""Peaks and curves in the language: patterns, tables, baselines, noise."""

from __future__ import annotations

from specfit.contracts import ParameterSignature
from specfit.model.kind import DataKind, ModelKind
from specfit.peaks import PEAKS as _PEAKS

MOST_ORDER = 12
"""Of a Chebyshev baseline."""

_AXES = {
    "theta2": "angle",
    "energy": "energy",
    "d": "length",
    "q": "reciprocal_length",
    "x": "number",
}
_READINGS = {"counts": "counts", "intensity": "number", "y": "number"}
_CONDITIONS = {"T": "temperature", "pressure": "pressure", "potential": "potential"}

PATTERN = DataKind(
    name="pattern",
    columns=_AXES | _READINGS | {"sd": "signal"},
    conditions=_CONDITIONS,
    texts={"file": (), "sample": ()},
    quantities={},
    axes=tuple(_AXES),
    readings=tuple(_READINGS),
)

TABLE = DataKind(
    name="table",
    columns={},
    conditions=_CONDITIONS,
    texts={"file": (), "sample": (), "names": ()},
    quantities={},
    axes=(),
    readings=(),
    free=True,
)


def _coefficient(k: int) -> ParameterSignature:
    if k == 0:
        default = "~ normal(median({y}), max({y}) - min({y}))"
        meaning = "level of the baseline (Chebyshev coefficient 0)"
    else:
        meaning = f"Chebyshev coefficient {k} of the baseline over the axis"
        default = "~ normal(0 {uy}, max({y}) - min({y}))"
    return ParameterSignature(f"c{k}", "signal", "", meaning, default=default)


_CHEBYSHEV = tuple(map(_coefficient, range(MOST_ORDER + 1)))
_RISE = "~ lognormal(log((max({y}) - min({y})) / 2 / 1 {uy}), 1.5) {uy}"
_AT_THE_END = ParameterSignature(
    "b",
    "signal",
    "",
    "height of the baseline at the lower end of the axis",
    low=0.0,
    default=_RISE,
)
_DECAY = (
    _AT_THE_END,
    ParameterSignature(
        "decay",
        "axis",
        "",
        "distance over which the baseline falls to 1/e",
        low=0.0,
        default="~ lognormal(log((max({x}) - min({x})) / 1 {ux}), 1.5) {ux}",
    ),
)
_POWER = (
    _AT_THE_END,
    ParameterSignature(
        "r",
        "number",
        "",
        "exponent of the power law, b (x / x_low)^−r",
        low=0.0,
        high=20.0,
        default="~ 3 ± 1.5",
    ),
)
_STEP = (
    _CHEBYSHEV[0],
    ParameterSignature(
        "step", "signal", "", "height of the step", low=0.0, default=_RISE
    ),
    ParameterSignature("edge", "axis", "", "where the step is half done"),
    ParameterSignature(
        "edge_width",
        "axis",
        "",
        "full width of the Gaussian that widens the step",
        low=0.0,
        default="~ halfnormal((max({x}) - min({x})) / 20)",
    ),
)
_SHIRLEY = (
    _CHEBYSHEV[0],
    ParameterSignature(
        "loss",
        "per_axis",
        "",
        "rise of the baseline per area of peaks below, as Shirley has it",
        low=0.0,
        default="~ halfnormal(1 / (max({x}) - min({x})))",
    ),
)

PEAKS = ModelKind(
    name="peaks",
    title="peaks on a baseline, for any axis and any signal",
    data="pattern",
    component="peak",
    components={name: entry.signature for name, entry in _PEAKS.items()},
    instead={name: entry.instead or {} for name, entry in _PEAKS.items()},
    scalars=(),
    baselines={
        "constant": _CHEBYSHEV[:1],
        "linear": _CHEBYSHEV[:2],
        "chebyshev": _CHEBYSHEV,
        "exponential": _DECAY,
        "powerlaw": _POWER,
        "step": _STEP,
        "shirley": _SHIRLEY,
        "none": (),
    },
    halves={},
    amounts={},
    defaults={},
    seen={},
    settings={
        "baseline": (
            "constant",
            "linear",
            "chebyshev",
            "exponential",
            "powerlaw",
            "step",
            "shirley",
            "none",
        )
    },
    noises=("poisson", "negative_binomial", "gaussian", "student_t"),
    fraction="",
    conventions={
        (name, symbol): convention
        for name in _PEAKS
        for symbol, convention in {
            "wG": "FWHM",
            "wL": "FWHM",
            "w_low": "FWHM",
            "w_high": "FWHM",
            "FWHM": "FWHM",
            "sigma": "sigma",
        }.items()
    },
)

CURVE = ModelKind(
    name="curve",
    title="what is expected is an expression: `observe d.y ~ normal(a * exp(-k * d.x), σ)`",
    data="pattern or table",
    component="",
    components={},
    scalars=(),
    baselines={},
    halves={},
    amounts={},
    defaults={},
    seen={},
    settings={},
    noises=("poisson", "negative_binomial", "gaussian", "student_t"),
    fraction="",
)
