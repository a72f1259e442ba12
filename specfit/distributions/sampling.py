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
    count, draw = math.prod(shape), FAMILIES[family].sample
    values, rest = _reject(
        lambda here: draw(generator, here.size, *_at(here, given)), count, bottom, top
    )
    if rest.size:
        uniform = generator.uniform(size=rest.size)
        left, ends = _at(rest, given), _at(rest, (bottom, top))
        values[rest] = _invert(family, uniform, left, *ends)
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
    count = math.prod(shape)
    values, rest = _reject(
        lambda here: _mixed(generator, parts, here), count, bottom, top
    )
    if rest.size:
        ends = _at(rest, (bottom, top))
        values[rest] = _mixed(generator, parts, rest, *ends)
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
    draw: Callable[[IndexArray], FloatArray],
    count: int,
    bottom: FloatArray,
    top: FloatArray,
) -> tuple[FloatArray, IndexArray]:
    """Values drawn until they lie within the bounds, and the places still open."""
    values = np.empty(count)
    open_: IndexArray = np.arange(count)
    for _ in range(_ROUNDS):
        drawn = values[open_] = draw(open_)
        low, high = _at(open_, (bottom, top))
        open_ = open_[~((drawn >= low) & (drawn <= high))]
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
    picked = [(w, family, _at(here, given)) for w, family, given in parts]
    weights = _at(here, [weight for weight, _, _ in parts])
    with np.errstate(all="ignore"):
        logs = [
            np.log(w)
            + (0.0 if low is None else log_mass(NUMPY, family, given, low, high))
            for w, (_, family, given) in zip(weights, picked, strict=True)
        ]
    chosen = _chosen(generator, logs, here.size)
    values = np.empty(here.size)
    for index, (_, family, given) in enumerate(picked):
        mine = np.flatnonzero(chosen == index)
        within = (None, None) if low is None else tuple(_at(mine, (low, high)))
        values[mine] = sample(generator, mine.size, family, _at(mine, given), *within)
    return values


def _chosen(generator: Generator, logs: Sequence[Any], size: int) -> IndexArray:
    """For each of `size` places one of the components, by their log weights."""
    if all(np.ndim(log) == 0 for log in logs):
        shares = np.cumsum(np.exp(np.array(logs) - max(logs)))
        uniform = generator.uniform(high=shares[-1], size=size)
        return np.asarray(np.searchsorted(shares[:-1], uniform, side="right"))
    every = np.stack([np.broadcast_to(log, size) for log in logs])
    return np.asarray(np.argmax(every + generator.gumbel(size=every.shape), axis=0))


def _at(places: IndexArray, arrays: Sequence[FloatArray]) -> list[FloatArray]:
    """Of arrays their values at `places`; single numbers serve all places."""
    return [a[places] if a.ndim else a for a in arrays]


def _spread(arguments: Sequence[Any], shape: tuple[int, ...]) -> list[FloatArray]:
    """Arrays of one value for each place; single numbers are left as they are."""
    given = [np.asarray(a, float) for a in arguments]
    return [np.broadcast_to(a, shape).ravel() if a.ndim else a for a in given]


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
    law, way = LAWS[family], _way(low, high)
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
            value = tail(way(middle))
            beyond = np.where(upper, value < target, value > target)
            left = np.where(beyond, left, middle)
            right = np.where(beyond, middle, right)
        return way(right)


def _way(low: FloatArray, high: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """The point at a part (0 to 1) of the way from `low` to `high`, which may be ∞."""
    finite = np.isfinite(low), np.isfinite(high)
    if all(end.all() for end in finite):
        return lambda part: np.asarray(low + part * (high - low))
    bottom, top = np.where(finite[0], low, 0.0), np.where(finite[1], high, 0.0)

    def point(part: FloatArray) -> FloatArray:
        rise, fall = part / (1.0 - part), (1.0 - part) / part
        inner = np.where(finite[1], bottom + part * (top - bottom), bottom + rise)
        outer = np.where(finite[1], top - fall, rise - fall)
        return np.where(finite[0], inner, outer)

    return point
