"""Interval arithmetic: between which values an expression must lie.

Used to tell that a rule is always true or can never be, and that the interval left to a
parameter is never empty.  An enclosure may be too wide, never too narrow (rounding
aside); `(nan, nan)` says that the expression may be undefined, and compares false with
everything, so that nothing is concluded from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from specfit.model.diffraction import SPACINGS
from specfit.model.expressions import FUNCTIONS, is_statistic
from specfit.model.ir import Const, Expression, Ref

Box = tuple[float, float]

EVERYWHERE: Box = (-math.inf, math.inf)
UNDEFINED: Box = (math.nan, math.nan)


def enclosure(expression: Expression, boxes: Mapping[str, Box]) -> Box:
    """Bounds of `expression` when each name lies in its box; unknown names anywhere."""
    if isinstance(expression, Const):
        return expression.value, expression.value
    if isinstance(expression, Ref):
        return boxes.get(expression.name, EVERYWHERE)
    if is_statistic(expression):
        return enclosure(expression.arguments[0], boxes)
    parts = [enclosure(item, boxes) for item in expression.arguments]
    if any(math.isnan(end) for part in parts for end in part):
        return UNDEFINED
    rule = _RULES.get(expression.function)
    return rule(parts) if rule else UNDEFINED


def _times(a: float, b: float) -> float:
    return 0.0 if 0.0 in (a, b) else a * b


def _sum(parts: Sequence[Box]) -> Box:
    return sum(low for low, _ in parts), sum(high for _, high in parts)


def _negated(part: Box) -> Box:
    return -part[1], -part[0]


def _product(parts: Sequence[Box]) -> Box:
    corners = [_times(a, b) for a in parts[0] for b in parts[1]]
    return min(corners), max(corners)


def _quotient(parts: Sequence[Box]) -> Box:
    low, high = parts[1]
    if low < 0.0 < high or low == high == 0.0:
        return UNDEFINED
    if high <= 0.0:
        return _quotient([_negated(parts[0]), _negated(parts[1])])
    inverse = (0.0 if high == math.inf else 1.0 / high, 1.0 / low if low else math.inf)
    return _product([parts[0], inverse])


def _power(parts: Sequence[Box]) -> Box:
    (low, high), (exponent, other) = parts
    if exponent != other:
        return UNDEFINED
    whole = exponent == int(exponent) if math.isfinite(exponent) else False
    if exponent <= 0.0 or (low < 0.0 and not whole):
        return UNDEFINED
    ends = [_raised(low, exponent), _raised(high, exponent)]
    if whole and int(exponent) % 2 == 0 and low < 0.0 < high:
        ends.append(0.0)
    return min(ends), max(ends)


def _raised(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


def _absolute(parts: Sequence[Box]) -> Box:
    low, high = parts[0]
    ends = (abs(low), abs(high))
    return 0.0 if low <= 0.0 <= high else min(ends), max(ends)


def _exp(value: float) -> float:
    return math.inf if value > 709.0 else math.exp(value)


def _rising(function: Callable[[float], float], least: float) -> Callable[..., Box]:
    """The rule of a function that rises from `least` on and is undefined below."""

    def rule(parts: Sequence[Box]) -> Box:
        low, high = parts[0]
        return UNDEFINED if low < least else (function(low), function(high))

    return rule


def _logarithm(scale: float) -> Callable[[float], float]:
    return lambda value: math.log(value) * scale if value > 0.0 else -math.inf


def _mean(parts: Sequence[Box]) -> Box:
    low, high = _sum(parts)
    return low / len(parts), high / len(parts)


def _voigt_fwhm(parts: Sequence[Box]) -> Box:
    (g0, g1), (l0, l1) = parts
    if l0 < 0.0 or g0 < 0.0:
        return UNDEFINED
    ends = [
        0.5346 * w + math.sqrt(0.2166 * w * w + g * g) for w, g in ((l0, g0), (l1, g1))
    ]
    return ends[0], ends[1]


def _saturated_ratio(parts: Sequence[Box]) -> Box:
    low, high = parts[0]
    if low < 0.0:
        return UNDEFINED
    return min(low, math.sqrt(low)), max(high, math.sqrt(high))


def _monotone(name: str, signs: Sequence[int]) -> Callable[[Sequence[Box]], Box]:
    """The rule of a function that rises (+1) or falls (−1) with each argument."""

    def rule(parts: Sequence[Box]) -> Box:
        meaning = FUNCTIONS[name].meaning
        ends = [
            p if sign > 0 else p[::-1] for p, sign in zip(parts, signs, strict=False)
        ]
        with np.errstate(all="ignore"):
            low, high = (float(meaning(np, *side)) for side in zip(*ends, strict=True))
        return UNDEFINED if math.isnan(low + high) else (low, high)

    return rule


def _spacing(name: str) -> Callable[[Sequence[Box]], Box]:
    """A plane spacing rises with every length of the cell; the indices are numbers."""
    rule = _monotone(name, (1,) * 6)

    def positive(parts: Sequence[Box]) -> Box:
        return UNDEFINED if any(low <= 0.0 for low, _ in parts[3:]) else rule(parts)

    return positive


def _two_theta(parts: Sequence[Box]) -> Box:
    """2θ falls with the spacing, rises with the wavelength; then what shifts it."""
    spacing, wavelength, *shifts = parts
    if spacing[0] <= 0.0 or wavelength[0] < 0.0:
        return UNDEFINED
    angle = _monotone("two_theta", (-1, 1))([spacing, wavelength])
    zero, displacement, radius = (*shifts, *_UNMOVED[len(shifts) :])
    cosine = tuple(math.cos(math.radians(0.5 * end)) for end in reversed(angle))
    share = _product([_quotient([displacement, radius]), (cosine[0], cosine[1])])
    twice = (-2.0 * math.degrees(share[1]), -2.0 * math.degrees(share[0]))
    return _sum([angle, zero, twice])


_UNMOVED: tuple[Box, ...] = ((0.0, 0.0), (0.0, 0.0), (1.0, 1.0))
"""Zero shift, displacement and radius of an instrument in order."""


def _over(name: str) -> Callable[[Sequence[Box]], Box]:
    """The rule of a function that falls with its argument, where that is positive."""
    rule = _monotone(name, (-1,))
    return lambda parts: UNDEFINED if parts[0][0] <= 0.0 else rule(parts)


_RULES: dict[str, Callable[[Sequence[Box]], Box]] = {
    "+": _sum,
    "sum": _sum,
    "-": lambda parts: _sum([parts[0], _negated(parts[1])]),
    "neg": lambda parts: _negated(parts[0]),
    "*": _product,
    "/": _quotient,
    "^": _power,
    "abs": _absolute,
    "exp": _rising(_exp, -math.inf),
    "log": _rising(_logarithm(1.0), 0.0),
    "log10": _rising(_logarithm(1.0 / math.log(10.0)), 0.0),
    "sqrt": _rising(math.sqrt, 0.0),
    "sin": lambda parts: (-1.0, 1.0),
    "cos": lambda parts: (-1.0, 1.0),
    "min": lambda parts: (min(p[0] for p in parts), min(p[1] for p in parts)),
    "max": lambda parts: (max(p[0] for p in parts), max(p[1] for p in parts)),
    "mean": _mean,
    "voigt_fwhm": _voigt_fwhm,
    "sod": _monotone("sod", (-1, -1)),
    "debye_f": _monotone("debye_f", (1, -1)),
    "brillouin": _monotone("brillouin", (-1, -1, 1)),
    "reduced_field": _monotone("reduced_field", (-1, 1, 1, -1)),
    "ingalls": _monotone("ingalls", (1, -1, -1)),
    "saturated_ratio": _saturated_ratio,
    **{name: _spacing(name) for name in SPACINGS},
    "two_theta": _two_theta,
    "momentum_transfer": _over("momentum_transfer"),
    "wavelength": _over("wavelength"),
    "histogram_mean": lambda parts: (parts[0][0], parts[1][1]),
    "histogram_sd": lambda parts: (0.0, 0.5 * (parts[1][1] - parts[0][0])),
}
