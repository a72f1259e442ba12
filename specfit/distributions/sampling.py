"""Draws from families, cut off and mixed, with NumPy and without JAX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.distributions.families import FAMILIES, Generator, Size, edges
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.distributions.truncation import Bound, Component, log_mass

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
    given = [np.broadcast_to(np.asarray(a, float), shape).ravel() for a in arguments]
    bottom = _bound(low, -math.inf, shape)
    top = _bound(high, math.inf, shape)
    draw = FAMILIES[family].sample
    values = np.empty(bottom.shape)
    open_ = np.arange(values.size)
    for _ in range(_ROUNDS):
        values[open_] = draw(generator, open_.size, *(a[open_] for a in given))
        inside = (values[open_] >= bottom[open_]) & (values[open_] <= top[open_])
        open_ = open_[~inside]
        if not open_.size:
            return values.reshape(shape)
    rest = [a[open_] for a in given]
    uniform = generator.uniform(size=open_.size)
    values[open_] = _invert(family, uniform, rest, bottom[open_], top[open_])
    return values.reshape(shape)


def sample_mixture(
    generator: Generator,
    size: Size,
    components: Sequence[Component],
    low: Bound = None,
    high: Bound = None,
) -> FloatArray:
    """Draws from a mixture cut off at bounds as a whole.

    A component is chosen by its weight times the probability it leaves within the
    bounds, then drawn from within them.
    """
    shape = (size,) if isinstance(size, int) else tuple(size)
    with np.errstate(all="ignore"):
        shares = [
            np.log(weight) + log_mass(NUMPY, family, _plain(given), low, high)
            for weight, family, given in components
        ]
    logs = np.stack([np.broadcast_to(share, shape) for share in shares])
    noise = generator.gumbel(size=logs.shape)
    chosen = np.argmax(logs + noise, axis=0)
    values = np.empty(shape)
    for index, (_, family, given) in enumerate(components):
        here = chosen == index
        picked = [np.broadcast_to(np.asarray(a, float), shape)[here] for a in given]
        bounds = [_bound(low, -math.inf, shape), _bound(high, math.inf, shape)]
        bottom, top = (bound.reshape(shape)[here] for bound in bounds)
        values[here] = sample(generator, int(here.sum()), family, picked, bottom, top)
    return values


def _plain(arguments: Sequence[Any]) -> list[FloatArray]:
    return [np.asarray(argument, dtype=float) for argument in arguments]


def _bound(bound: Bound, missing: float, shape: tuple[int, ...]) -> FloatArray:
    value = missing if bound is None else bound
    return np.broadcast_to(np.asarray(value, dtype=float), shape).ravel()


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
            above, below = (f(NUMPY, x, *arguments) for f in (law.above, law.below))
            nearer: FloatArray = np.where(upper, above, below)
            return nearer

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
