"""The ascent to one maximum: Levenberg and Marquardt's damping, compiled.

Everything that a step needs comes from one pass: expected counts with their derivatives,
and the noise law's two derivatives in them (Gauss and Newton's curvature in the form that
any likelihood allows: Schraudolph 2002, doi:10.1162/08997660260028683).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from specfit.contracts import Array, Data, Problem

STEPS = 40
"""Steps of an ascent, accepted or not; most need six."""
NEAR = 1e-3
"""Gain (nats) below which the next step is the last: the one after gains its square."""
APPROACHES = 12
PAYING = 1.0
"""Gain of a step, relative to the one before, at which borrowed curvature still serves."""
LONGEST_STEP = 4.0
HOPELESS = 1e12
"""Damping at which no step leads up any more."""


class Local(NamedTuple):
    """The log-density at a position, with its gradient and curvature."""

    value: Array
    gradient: Array  # (dimension,)
    hessian: Array  # (dimension, dimension), of the negative log-density


class Ascent(NamedTuple):
    """Where an ascent stands, and the next step.

    last: the step without damping; gain: what it promises (nats), infinite before a
    finite density was met, NaN where the curvature is that of no maximum.
    """

    position: Array
    local: Local
    step: Array
    last: Array
    damping: Array
    gain: Array
    turns: Array


def local(problem: Problem, z: Array, data: Data) -> Local:
    """Log-density, gradient and Gauss–Newton curvature at `z`."""

    def curve(x: Array) -> tuple[Array, Array]:
        expected = problem.predict({"z": x}, data).ravel()
        return expected, expected

    slopes, expected = jax.jacfwd(curve, has_aux=True)(z)
    shape = jnp.asarray(data["counts"]).shape

    def noise(flat: Array, x: Array) -> Array:
        return jnp.sum(problem.noise(flat.reshape(shape), {"z": x}, data))

    def rest(x: Array) -> Array:
        return problem.logprior({"z": x}, data) + noise(expected, x)

    score = jax.grad(noise)
    pull, bend = jax.jvp(lambda m: score(m, z), (expected,), (jnp.ones_like(expected),))
    value, gradient = jax.value_and_grad(rest)(z)
    curvature = jax.jacfwd(jax.grad(rest))(z)
    hessian = slopes.T @ (-bend[:, None] * slopes) - 0.5 * (curvature + curvature.T)
    return Local(value, gradient + pull @ slopes, hessian)


def _steps(at: Local, damping: Array) -> tuple[Array, Array, Array]:
    """The damped step, the whole one, and the gain that the whole one promises.

    How far the maximum is must not depend on the damping, which makes every step short
    and every gain small.  NaN where the curvature is bad.
    """
    diagonal = jnp.abs(jnp.diagonal(at.hessian))
    scale = 1.0 / jnp.sqrt(jnp.where(diagonal > 0.0, diagonal, 1.0))
    scaled = at.hessian * scale * scale[:, None]
    slope = scale * at.gradient

    def solved(extra: Array | float) -> tuple[Array, Array]:
        factor = jnp.linalg.cholesky(scaled + extra * jnp.eye(len(scale)))
        half = jax.scipy.linalg.solve_triangular(factor, slope, lower=True)
        step = scale * jax.scipy.linalg.solve_triangular(factor.T, half, lower=False)
        shorter = jnp.minimum(1.0, LONGEST_STEP / jnp.max(jnp.abs(step)))
        return step * shorter, 0.5 * jnp.sum(half**2)

    whole, gain = solved(0.0)
    gain = jnp.where(jnp.isfinite(at.value), gain, jnp.inf)
    return solved(damping)[0], whole, gain


def approach(problem: Problem, start: Array, spread: Array, data: Data) -> Array:
    """Steps towards the mode with the curvature of another spectrum's, while they pay.

    spread: (dimension, dimension), the covariance there.  A gradient costs a fifth of a
    curvature, and what two of them tell of this spectrum's own mends the borrowed one
    (Broyden, Fletcher, Goldfarb and Shanno; Nocedal and Wright 2006, section 6.1).
    Where steps do not shrink, the rest is left to `ascend`.
    """

    def slope(z: Array) -> tuple[Array, Array]:
        both: tuple[Array, Array] = jax.value_and_grad(
            lambda x: problem.logdensity({"z": x}, data)
        )(z)
        return both

    def going(state: _Approach) -> Array:
        worth: Array = state.pays & (state.gain > NEAR) & (state.looks < APPROACHES)
        return worth

    def turn(state: _Approach) -> _Approach:
        return _looked(state, *slope(state.place + state.step))

    nothing = jnp.zeros_like(start)
    begun = _Approach(
        start, nothing, jnp.asarray(-jnp.inf), nothing, jnp.asarray(spread),
        jnp.asarray(jnp.inf), jnp.asarray(True), jnp.asarray(0),
    )  # fmt: skip
    ended: _Approach = jax.lax.while_loop(going, turn, begun)
    return ended.place


class _Approach(NamedTuple):
    """Where the steps have come to; `gain`: what the next one promises."""

    place: Array
    step: Array
    height: Array
    gradient: Array
    spread: Array
    gain: Array
    pays: Array
    looks: Array


def _looked(state: _Approach, height: Array, gradient: Array) -> _Approach:
    """After a look at the end of the step; the first only sees where it stands."""
    first = state.looks == 0
    mended = _mended(state.spread, state.step, state.gradient - gradient)
    mended = jnp.where(first, state.spread, mended)
    ahead = mended @ gradient
    promise = 0.5 * gradient @ ahead
    good = (height >= state.height) & jnp.isfinite(promise)
    good &= jnp.max(jnp.abs(ahead)) < LONGEST_STEP
    place = jnp.where(good, state.place + state.step, state.place)
    height = jnp.where(good | first, height, state.height)
    pays = first | (good & (promise < PAYING * state.gain))
    return _Approach(
        place, ahead, height, gradient, mended, promise, pays, state.looks + 1
    )


def _mended(spread: Array, step: Array, fall: Array) -> Array:
    """The covariance that explains how a step changed the gradient; else as it was.

    fall: gradient before less gradient after, so that spread @ fall is about the step.
    """
    along = step @ fall
    usable = along > 0.0
    rate = 1.0 / jnp.where(usable, along, 1.0)
    turned = spread @ fall
    once = jnp.outer(step, turned) * rate
    both = (1.0 + rate * fall @ turned) * rate * jnp.outer(step, step)
    return jnp.where(usable, spread - once - once.T + both, spread)


def ascend(problem: Problem, start: Array, data: Data) -> Ascent:
    """The local maximum above `start`: Levenberg and Marquardt's damping.

    Every turn looks at one place and takes it or not; the first takes the start.
    """

    def going(state: Ascent) -> Array:
        worth = ~(state.gain < NEAR)  # a NaN asks for more damping
        return worth & (state.turns < STEPS) & (state.damping < HOPELESS)

    def turn(state: Ascent) -> Ascent:
        position = state.position + state.step
        trial = local(problem, position, data)
        rounding = 1e-15 * jnp.abs(trial.value)
        better = trial.value >= state.local.value - rounding
        better &= jnp.isfinite(trial.gradient).all() & jnp.isfinite(trial.hessian).all()
        position, best = jax.tree.map(
            partial(jnp.where, better),
            (position, trial),
            (state.position, state.local),
        )
        damping = jnp.where(
            better, jnp.maximum(0.1 * state.damping, 1e-12), 10.0 * state.damping
        )
        step, last, gain = _steps(best, damping)
        return Ascent(position, best, step, last, damping, gain, state.turns + 1)

    n = start.size
    nowhere = Local(jnp.asarray(-jnp.inf), jnp.zeros(n), jnp.eye(n))
    first = Ascent(
        start, nowhere, jnp.zeros(n), jnp.zeros(n), jnp.asarray(1e-2),
        jnp.asarray(jnp.inf), jnp.asarray(0),
    )  # fmt: skip
    ended: Ascent = jax.lax.while_loop(going, turn, first)
    return ended
