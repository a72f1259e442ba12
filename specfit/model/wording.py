"""Densities and definitions in words: the text that `explain` and reports show."""

from __future__ import annotations

from specfit.model.expressions import to_text
from specfit.model.ir import Const, Dist, Expression

_ARGUMENTS = {
    "student_t": ("df", "", ""),
    "gamma": ("shape", ""),
    "inverse_gamma": ("shape", ""),
}


def prior_text(dist: Dist, unit: str) -> str:
    """A density as a laboratory notebook would write it: `0.67 ± 0.02 mm/s in […]`."""
    if dist.family == "mixture":
        parts = " + ".join(
            f"{weight:g}·({_plain(part, unit)})" for weight, part in dist.components
        )
        return f"{parts}{_bounds(dist, unit)}"
    if dist.family == "uniform":
        low, high = (_value(argument) for argument in dist.arguments)
        return _with(f"free in [{low}, {high}]", unit)
    return f"{_plain(dist, unit)}{_bounds(dist, unit)}"


def _plain(dist: Dist, unit: str) -> str:
    values = [_value(argument) for argument in dist.arguments]
    if dist.family == "normal":
        return _with(f"{values[0]} ± {values[1]}", unit)
    if dist.family == "uniform":
        return _with(f"free in [{values[0]}, {values[1]}]", unit)
    return _with(f"{dist.family}({', '.join(values)})", unit)


def _bounds(dist: Dist, unit: str) -> str:
    if dist.low is None and dist.high is None:
        return ""
    if dist.high is None:
        return _with(f" ≥ {dist.low:g}", unit)
    if dist.low is None:
        return _with(f" ≤ {dist.high:g}", unit)
    return _with(f" in [{dist.low:g}, {dist.high:g}]", unit)


def _value(argument: Expression) -> str:
    if not isinstance(argument, Const):
        return to_text(argument)
    tiny = abs(argument.value) < 1e-15  # what rounding leaves of a zero
    return "0" if tiny else f"{argument.value:.6g}"


def _with(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
