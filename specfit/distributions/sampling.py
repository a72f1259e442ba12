"""Draws from families, cut off and mixed, with NumPy and without JAX."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.distributions.families import FAMILIES, Generator, Size, edges
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.distributions.truncation import Bound, Component, log_mass

IndexArray = np.ndarray[Any, np.dtype[np.intp]]
_ROUNDS = 16  # of rejection; then what is left is drawn by inversion
_HALVINGS = 200  # enough for any double
_RELATIVE = 1e-13  # of the way between the bounds; then bisection has converged


def sample(
    generator: Generator,
    size: Size,
    family: str,
    arguments: Sequence[Any],
    low: Bound = None,
    high: Bound = None,
) -> FloatArray:
    """Draws from a family cut off at bounds, exact however little of it is left.

    Arguments and bounds are numbers or arrays that broadcast to `size`.  Draws are
    rejected for a bounded number of rounds; the rest inverts the cumulative
    probability by bisection.
    """
    shape = (size,) if isinstance(size, int) else tuple(size)
    given = _spread(arguments, shape)
    bottom, top = _bounds(low, high, shape)
    draw = FAMILIES[family].sample
    values, rest = _reject(
        lambda here: draw(generator, here.size, *(a[here] for a in given)), bottom, top
    )
    if rest.size:
        uniform = generator.uniform(size=rest.size)
        left = [a[rest] for a in given]
        values[rest] = _invert(family, uniform, left, bottom[rest], top[rest])
    return values.reshape(shape)


def sample_mixture(
    generator: Generator,
    size: Size,
    components: Sequence[Component],
    low: Bound = None,
    high: Bound = None,
) -> FloatArray:
    """Draws from a mixture cut off at bounds as a whole.

    A component is chosen by its weight and its draw rejected outside the bounds, for a
    bounded number of rounds; what is left is chosen by the weight times the probability
    within the bounds (which needs SciPy), then drawn from within them.
    """
    shape = (size,) if isinstance(size, int) else tuple(size)
    parts = [
        (_spread([weight], shape)[0], family, _spread(given, shape))
        for weight, family, given in components
    ]
    bottom, top = _bounds(low, high, shape)
    values, rest = _reject(lambda here: _mixed(generator, parts, here), bottom, top)
    if rest.size:
        values[rest] = _mixed(generator, parts, rest, bottom[rest], top[rest])
    return values.reshape(shape)


def quantile(
    family: str,
    share: float,
    arguments: Sequence[Any],
    low: Bound = None,
    high: Bound = None,
) -> float:
    """The point below which `share` of a family cut off at bounds lies."""
    bottom, top = _bounds(low, high, (1,))
    given = _spread(arguments, (1,))
    return float(_invert(family, np.array([share]), given, bottom, top)[0])


def _reject(
    draw: Callable[[IndexArray], FloatArray], bottom: FloatArray, top: FloatArray
) -> tuple[FloatArray, IndexArray]:
    """Values drawn until they lie within the bounds, and the places still open."""
    values = np.empty(bottom.shape)
    open_: IndexArray = np.arange(values.size)
    for _ in range(_ROUNDS):
        values[open_] = draw(open_)
        inside = (values[open_] >= bottom[open_]) & (values[open_] <= top[open_])
        open_ = open_[~inside]
        if not open_.size:
            break
    return values, open_


def _mixed(
    generator: Generator,
    parts: Sequence[Component],
    here: IndexArray,
    low: Bound = None,
    high: Bound = None,
) -> FloatArray:
    """One draw of the mixture for each place, from within the bounds if they are given."""
    picked = [(w[here], family, [a[here] for a in given]) for w, family, given in parts]
    with np.errstate(all="ignore"):
        logs = [
            np.log(w)
            + (0.0 if low is None else log_mass(NUMPY, family, given, low, high))
            for w, family, given in picked
        ]
    chosen = np.argmax(
        np.stack(logs) + generator.gumbel(size=(len(parts), here.size)), 0
    )
    values = np.empty(here.size)
    for index, (_, family, given) in enumerate(picked):
        mine = chosen == index
        within = (None, None) if low is None else (low[mine], high[mine])
        arguments = [a[mine] for a in given]
        values[mine] = sample(generator, int(mine.sum()), family, arguments, *within)
    return values


def _spread(arguments: Sequence[Any], shape: tuple[int, ...]) -> list[FloatArray]:
    return [np.broadcast_to(np.asarray(a, float), shape).ravel() for a in arguments]


def _bounds(
    low: Bound, high: Bound, shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    bottom = -math.inf if low is None else low
    top = math.inf if high is None else high
    return _spread([bottom], shape)[0], _spread([top], shape)[0]


def _invert(
    family: str,
    uniform: FloatArray,
    arguments: list[FloatArray],
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """The quantiles of the cut-off family, by bisection in the nearer tail.

    With t = P(X > x) or P(X ≤ x) on the side where the bounds lie, the target is a
    point between the tails at the bounds; both tails are monotone.
    """
    bottom, top = edges(FAMILIES[family].support, tuple(arguments))
    low = low if bottom is None else np.maximum(low, bottom)
    high = high if top is None else np.minimum(high, top)
    law = LAWS[family]
    with np.errstate(all="ignore"):
        upper = law.above(NUMPY, low, *arguments) < math.log(0.5)

        def tail(x: FloatArray) -> FloatArray:
            above = partial(law.above, NUMPY, x, *arguments)
            if upper.all():
                return np.asarray(above())
            below = law.below(NUMPY, x, *arguments)
            return np.asarray(NUMPY.choose(upper, above, below))

        target = np.logaddexp(
            np.log1p(-uniform) + tail(low), np.log(uniform) + tail(high)
        )
        left, right = np.zeros_like(uniform), np.ones_like(uniform)
        for _ in range(_HALVINGS):
            middle = 0.5 * (left + right)
            if np.all((right - left) <= _RELATIVE * right):
                break
            value = tail(_between(middle, low, high))
            beyond = np.where(upper, value < target, value > target)
            left = np.where(beyond, left, middle)
            right = np.where(beyond, middle, right)
        return _between(right, low, high)


def _between(part: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The point at `part` (0 to 1) of the way from `low` to `high`, which may be ∞."""
    bottom, top = np.nan_to_num(low, neginf=0.0), np.nan_to_num(high, posinf=0.0)
    rise, fall = part / (1.0 - part), (1.0 - part) / part
    inner = np.where(np.isfinite(high), bottom + part * (top - bottom), bottom + rise)
    outer = np.where(np.isfinite(high), top - fall, rise - fall)
    point: FloatArray = np.where(np.isfinite(low), inner, outer)
    return point
