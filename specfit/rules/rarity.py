"""How far out in the tails of a density a value lies, in sd of a normal as rare.

A tail probability compares densities of any shape (G. E. P. Box, J. R. Stat. Soc. A 143,
383 (1980)): "three scales out" is rare under a normal and common under a Student-t of two
degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.distributions.sampling import quantile
from specfit.distributions.truncation import log_mass
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Dist

_SMALLEST = -745.0  # the logarithm of the least double, where a tail underflows


def normal_sd(
    value: float | FloatArray,
    parts: Sequence[Dist],
    narrower: float = 1.0,
    known: Mapping[str, Any] | None = None,
    within: tuple[float | None, float | None] = (None, None),
) -> FloatArray | None:
    """Sd of a normal as rare as `value`, under the nearest of `parts`; 0 near its middle.

    `value`: a number or an array of them, and so the result.  `narrower` divides the
    scale of normal and Student-t parts; `known`: values of the names that arguments
    speak of; `within`: the bounds of the whole density.  None where no part says
    anything: flat ones, and those whose arguments are not known.
    """
    known = known or {}
    tails = [
        _log_tail(np.asarray(value, dtype=float), part, narrower, known, within)
        for part in parts
        if part.family in LAWS
        and part.family != "uniform"
        and all(references(argument) <= known.keys() for argument in part.arguments)
    ]
    if not tails:
        return None
    from scipy.special import ndtri_exp

    return np.asarray(-ndtri_exp(np.max(tails, axis=0)))


def _log_tail(
    value: FloatArray,
    part: Dist,
    narrower: float,
    known: Mapping[str, Any],
    within: tuple[float | None, float | None],
) -> FloatArray:
    """The log probability beyond `value`, on its side of the median.

    Where the density is higher than at the median (at a bound, at the zero of a scale)
    nothing is rare about the value.
    """
    numbers = [float(evaluate(argument, known, np)) for argument in part.arguments]
    if part.family in ("normal", "student_t"):
        numbers[-1] /= narrower
        if within == (None, None):
            return _symmetric(value, part.family, numbers)
    low, high = within
    middle = _median(part.family, tuple(numbers), low, high)
    density = LAWS[part.family].density
    with np.errstate(all="ignore"):
        here, there = (density(NUMPY, x, *numbers) for x in (value, middle))
        below, above, whole = (
            log_mass(NUMPY, part.family, numbers, *side)
            for side in ((low, value), (value, high), (low, high))
        )
        tail = np.where(value < middle, below, above) - whole
    tail = np.where(here >= there, np.log(0.5), tail)
    return np.where(np.isfinite(tail), tail, _SMALLEST)


@lru_cache(maxsize=4096)
def _median(
    family: str, numbers: tuple[float, ...], low: float | None, high: float | None
) -> float:
    """The median; a bisection, asked for again and again of the same priors."""
    return quantile(family, 0.5, numbers, low, high)


def _symmetric(value: FloatArray, family: str, numbers: Sequence[float]) -> FloatArray:
    """The same of a density symmetric about its location, without bounds."""
    *shape, location, scale = numbers
    below = LAWS[family].below
    with np.errstate(all="ignore"):
        tail = below(NUMPY, -abs(value - location), *shape, 0.0, scale)
    return np.where(np.isfinite(tail), tail, _SMALLEST)
