"""A prior density with NumPy alone: draws, logarithm, share of an interval.

The formulas are those of `distributions`; here the arguments are expressions, looked up
in an environment of draws (n,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.distributions import FAMILIES, sample, sample_mixture
from specfit.distributions.families import edges
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.distributions.truncation import log_mass
from specfit.model.expressions import evaluate
from specfit.model.ir import Const, Dist, Expression
from specfit.model.linear import support_of

Environment = Mapping[str, Any]
Bound = Any  # a number, an array or None


def simple(dist: Dist) -> list[tuple[float, str, tuple[Expression, ...]]]:
    """A density as weighted families; a uniform one takes its bounds as arguments.

    Raises
    ------
    ValueError
        A component of a mixture is itself cut off or mixed.

    """
    if not dist.components:
        return [(1.0, dist.family, _arguments(dist, dist))]
    found = []
    for weight, part in dist.components:
        cut = part.family != "uniform" and (part.low, part.high) != (None, None)
        if part.components or (cut and support_of(part) != support_of(_bare(part))):
            raise ValueError(f"a component {part.family} with bounds of its own")
        found.append((weight, part.family, _arguments(part, dist)))
    return found


def _bare(dist: Dist) -> Dist:
    return dist.model_copy(update={"low": None, "high": None})


def _arguments(part: Dist, whole: Dist) -> tuple[Expression, ...]:
    if part.family != "uniform" or part.arguments:
        return part.arguments
    low = part.low if part.low is not None else whole.low
    high = part.high if part.high is not None else whole.high
    if low is None or high is None:
        raise ValueError("a uniform density needs two bounds")
    return Const(value=low), Const(value=high)


def draw(
    dist: Dist,
    generator: np.random.Generator,
    n: int,
    known: Environment,
    low: Bound = None,
    high: Bound = None,
) -> FloatArray:
    """Draws (n,) of a density within [low, high] and its own bounds."""
    low, high = _tighter(dist, low, high)
    parts = _resolved(dist, known)
    if len(parts) == 1:
        _, family, arguments = parts[0]
        if family == "uniform":
            low, high = _overlap(arguments, low, high)
            return np.asarray(low + (high - low) * generator.uniform(size=n))
        return sample(generator, n, family, arguments, low, high)
    return sample_mixture(generator, n, parts, low, high)


def log_density(dist: Dist, x: Any, known: Environment) -> FloatArray:
    """The log density at `x`, renormalised to the bounds; −inf outside."""
    bottom, top = support_of(dist)
    logs = []
    with np.errstate(all="ignore"):
        for weight, family, arguments in _resolved(dist, known):
            low, high = edges(FAMILIES[family].support, tuple(arguments))
            inside = np.clip(x, low, high) if low is not None or high is not None else x
            value = LAWS[family].density(NUMPY, inside, *arguments)
            logs.append(np.log(weight) + np.where(inside == x, value, -np.inf))
        total = np.logaddexp.reduce(logs) - log_mass_of(dist, known)
    return np.where((x >= bottom) & (x <= top), total, -np.inf)


def log_mass_of(
    dist: Dist, known: Environment, low: Bound = None, high: Bound = None
) -> Any:
    """The log of the mixture's weight within its bounds, cut further to [low, high]."""
    low, high = _tighter(dist, low, high)
    with np.errstate(all="ignore"):
        shares = [
            np.log(weight) + log_mass(NUMPY, family, arguments, low, high)
            for weight, family, arguments in _resolved(dist, known)
        ]
        return np.logaddexp.reduce(np.broadcast_arrays(*shares))


def _tighter(dist: Dist, low: Bound, high: Bound) -> tuple[Bound, Bound]:
    if low is None or dist.low is None:
        low = dist.low if low is None else low
    else:
        low = np.maximum(low, dist.low)
    if high is None or dist.high is None:
        high = dist.high if high is None else high
    else:
        high = np.minimum(high, dist.high)
    return low, high


def _overlap(arguments: list[Any], low: Bound, high: Bound) -> tuple[Any, Any]:
    first, last = arguments
    return (
        first if low is None else np.maximum(first, low),
        last if high is None else np.minimum(last, high),
    )


def _resolved(dist: Dist, known: Environment) -> list[tuple[float, str, list[Any]]]:
    return [
        (weight, family, [np.asarray(evaluate(a, known, np), float) for a in arguments])
        for weight, family, arguments in simple(dist)
    ]
