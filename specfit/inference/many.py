"""One problem fitted to many spectra at once: the mode, its curvature, its weights.

Everything that an ascent needs comes from one pass: expected counts with their
derivatives, and the noise law's two derivatives in them (Gauss and Newton's curvature in
the form that any likelihood allows: Schraudolph 2002, doi:10.1162/08997660260028683).
Spectra are mapped as chains are: one after another on each core of a CPU, together on an
accelerator.  What is computed for a spectrum does not depend on its neighbours.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from specfit.contracts import Array, Data, Problem
from specfit.inference.backend import Layout, map_chains
from specfit.inference.projection import Kernels, assembled

STEPS = 40
"""Steps of an ascent, accepted or not; most need six."""
NEAR = 1e-3
"""Gain (nats) below which the next step is the last: the one after gains its square."""
APPROACHES = 8
PAYING = 0.3
"""Gain of a step, relative to the one before, at which borrowed curvature still serves."""
LONGEST_STEP = 4.0
HOPELESS = 1e12
"""Damping at which no step leads up any more."""


class Local(NamedTuple):
    """The log-density at a position, with its gradient and curvature."""

    value: Array
    gradient: Array  # (dimension,)
    hessian: Array  # (dimension, dimension), of the negative log-density


class Starts(NamedTuple):
    """Where ascents may begin: positions (n, dimension), covariances there."""

    position: Any
    spread: Any


class Ascent(NamedTuple):
    """Where an ascent stands, the next step, and the gain that it promises."""

    position: Array
    local: Local
    step: Array
    damping: Array
    gain: Array
    turns: Array


class Fitted(NamedTuple):
    """The mode of each spectrum, the spectrum being the leading axis.

    values: (n_values,) all unknowns and definitions, by `names`; slopes: (n_values,
    dimension), their derivatives; expected: (n_spectra, n_channels).
    """

    position: Any
    log_density: Any
    hessian: Any
    gain: Any
    turns: Any
    values: Any
    slopes: Any
    expected: Any


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


def _step(at: Local, damping: Array) -> tuple[Array, Array]:
    """The damped step and the gain that it promises; NaN where the curvature is bad."""
    diagonal = jnp.abs(jnp.diagonal(at.hessian))
    scale = 1.0 / jnp.sqrt(jnp.where(diagonal > 0.0, diagonal, 1.0))
    scaled = at.hessian * scale * scale[:, None]
    factor = jnp.linalg.cholesky(scaled + damping * jnp.eye(len(scale)))
    slope = jax.scipy.linalg.solve_triangular(factor, scale * at.gradient, lower=True)
    step = scale * jax.scipy.linalg.solve_triangular(factor.T, slope, lower=False)
    longest = jnp.max(jnp.abs(step))
    return step * jnp.minimum(1.0, LONGEST_STEP / longest), 0.5 * jnp.sum(slope**2)


def approach(problem: Problem, start: Array, spread: Array, data: Data) -> Array:
    """Steps towards the mode with the curvature of another spectrum's, while they pay.

    spread: (dimension, dimension), the covariance there.  A gradient costs a third of a
    curvature, and spectra of one sample need no other; where steps do not shrink fast,
    the rest is left to `ascend`.
    """

    def slope(z: Array) -> tuple[Array, Array]:
        both: tuple[Array, Array] = jax.value_and_grad(
            lambda x: problem.logdensity({"z": x}, data)
        )(z)
        return both

    def going(state: Any) -> Array:
        _, _, _, gain, pays, count = state
        worth: Array = pays & (gain > NEAR) & (count < APPROACHES)
        return worth

    def turn(state: Any) -> Any:
        place, step, value, gain, _, count = state
        there = place + step
        height, gradient = slope(there)
        ahead = spread @ gradient
        promise = 0.5 * gradient @ ahead
        good = (height >= value) & jnp.isfinite(promise)
        good &= jnp.max(jnp.abs(ahead)) < LONGEST_STEP
        pays = good & (promise < PAYING * gain)
        place, height = jax.tree.map(
            partial(jnp.where, good), (there, height), (place, value)
        )
        return place, ahead, height, promise, pays | (count == 0), count + 1

    nothing = jnp.zeros_like(start)
    first = (start, nothing, -jnp.inf, jnp.inf, jnp.asarray(True), jnp.asarray(0))
    place: Array = jax.lax.while_loop(going, turn, first)[0]
    return place


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
        step, gain = _step(best, damping)
        return Ascent(position, best, step, damping, gain, state.turns + 1)

    n = start.size
    nowhere = Local(jnp.asarray(-jnp.inf), jnp.zeros(n), jnp.eye(n))
    first = Ascent(
        start, nowhere, jnp.zeros(n), jnp.asarray(1e-2), jnp.asarray(jnp.inf),
        jnp.asarray(0),
    )  # fmt: skip
    ended: Ascent = jax.lax.while_loop(going, turn, first)
    return ended


def _best_start(problem: Problem, starts: Starts, data: Data) -> tuple[Array, Array]:
    """The start of highest density once its linear unknowns are fitted."""
    places = jnp.asarray(starts.position)
    if problem.separable is not None:
        placed = jnp.ones(len(problem.separable.component_names))
        places = jax.lax.map(lambda z: assembled(problem, z, placed, data), places)
    heights = jax.lax.map(lambda z: problem.logdensity({"z": z}, data), places)
    best = jnp.argmax(jnp.where(jnp.isfinite(heights), heights, -jnp.inf))
    return places[best], jnp.asarray(starts.spread)[best]


@partial(jax.jit, static_argnames=("kernels", "names", "how"))
def fit(
    kernels: Kernels, names: tuple[str, ...], starts: Starts, data: Data, how: Layout
) -> Fitted:
    """The mode of every spectrum from the best of `starts`.

    data: `Problem.data` with the spectrum as a leading axis of every leaf.
    """
    problem = kernels.problem

    def values(z: Array, own: Data) -> Array:
        return _values(problem, names, z, own)

    def one(own: Data, given: Starts) -> Fitted:
        start, spread = _best_start(problem, given, own)
        end = ascend(problem, approach(problem, start, spread, own), own)
        # the last step promises next to nothing: it is taken without looking there
        z = jnp.where(end.gain < NEAR, end.position + end.step, end.position)
        return Fitted(
            z, end.local.value + jnp.where(end.gain < NEAR, end.gain, 0.0),
            end.local.hessian, end.gain, end.turns,
            values(z, own), jax.jacfwd(values)(z, own), problem.predict({"z": z}, own),
        )  # fmt: skip

    result: Fitted = map_chains(one, data, starts, how)
    return result


@partial(jax.jit, static_argnames=("kernels", "names", "how"))
def weigh(
    kernels: Kernels,
    names: tuple[str, ...],
    frames: tuple[Any, Any],
    white: tuple[Any, Any],
    data: Data,
    how: Layout,
) -> tuple[Array, Array]:
    """What lies around the mode of each spectrum, at centre + factor @ white.

    frames: centres (n, dimension) and factors (n, dimension, dimension).  white: draws
    whose log-density is asked (n, n_heavy), and draws whose values are (n, n_normal,
    n_names).
    """
    problem = kernels.problem

    def one(own: Any, draws: tuple[Array, Array]) -> tuple[Array, Array]:
        (centre, factor), mine = own
        heavy, normal = draws
        log_density = jax.lax.map(
            lambda x: problem.logdensity({"z": centre + factor @ x}, mine), heavy
        )
        values = jax.lax.map(
            lambda x: _values(problem, names, centre + factor @ x, mine), normal
        )
        return log_density, values

    result: tuple[Array, Array] = map_chains(one, (frames, data), white, how)
    return result


def _values(problem: Problem, names: tuple[str, ...], z: Array, data: Data) -> Array:
    found = problem.constrain({"z": z}, data)
    return jnp.stack([found[name] for name in names])
