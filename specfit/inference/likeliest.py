"""The parameters under which the data are likeliest: the least squares of the textbooks.

Priors bound and place the search, and are then left aside, so that the answer can be held
against tables of certified values.  Levenberg's and Marquardt's damping with Gauss and
Newton's curvature, until a whole step promises nothing that double precision could show.
A step is straight in physical values, where curves are nearly linear in their amplitudes
and the path past a bad start is short; where that leads no higher, in the coordinates,
which no bound interrupts.  Amplitudes of a start may be far off while the rest is near, so
that a second ascent begins with those that the data want for the rest (variable
projection); the higher end is taken.  A rule that only a barrier keeps, and
that the start obeys, is not stepped over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.levenberg import LONGEST_STEP, local
from specfit.inference.projection import assemble

STEPS = 3000
DONE = 1e-18
"""Gain (nats), of the whole step, that nothing is left of."""
MOST_DAMPING = 1e16
IDLE = 10
"""Steps in a row that gain nothing but rounding, after which it is the end."""
BEYOND = 30.0
"""Coordinate from which a value is at its bound; a step ends short of that."""
RETREAT = 2.3
"""Of a coordinate whose value would pass its bound: nine tenths of the way there."""
_UNSEEN = 1e-13
"""Eigenvalue of the curvature, scaled, of a direction that the data say nothing of."""


class Likeliest(NamedTuple):
    """Where an ascent ended.

    gain: what another whole step promises (nats); unseen: how many directions the data
    say nothing of.
    """

    position: FloatArray
    value: float
    gain: float
    unseen: int


class _Look(NamedTuple):
    """The log-likelihood at a place, its gradient and curvature, and the values there.

    slopes: (dimension, dimension), of the values in the coordinates; held: whether every
    rule that only a barrier keeps is obeyed.
    """

    value: float
    gradient: FloatArray
    hessian: FloatArray
    values: FloatArray
    slopes: FloatArray
    held: bool


Looking = Callable[[FloatArray], _Look]
Placing = Callable[[FloatArray, _Look, FloatArray], FloatArray]


class _Step(NamedTuple):
    """A damped step, the gain that the whole one promises, and unseen directions."""

    damped: FloatArray
    gain: float
    unseen: int


def likeliest(problem: Problem, start: FloatArray) -> Likeliest:
    """The highest likelihood uphill of `start` (dimension,).

    Stays where the likelihood is finite nowhere around.
    """
    look, place = _looking(problem), _placing(problem)
    z = np.asarray(start, dtype=float)
    found = _ascended(z, look, place, None)
    if problem.separable is None:
        return found
    every = np.ones(len(problem.separable.component_names))

    def settled(to: FloatArray) -> FloatArray:
        return assemble(problem, to, every)

    other = _ascended(settled(z), look, place, settled)
    return max(found, other, key=lambda end: end.value)


def _ascended(
    z: FloatArray,
    look: Looking,
    place: Placing,
    settled: Callable[[FloatArray], FloatArray] | None,
) -> Likeliest:
    """The end of the way up from one place; `settled`: with amplitudes for the rest."""
    at, damping, idle = look(z), 1e-3, 0
    step = _step(at, damping)
    for _ in range(STEPS if np.isfinite(at.value) else 0):
        if step.gain < DONE or damping > MOST_DAMPING or idle > IDLE:
            break
        straight = place(z, at, step.damped)
        ways = [*([settled(straight)] if settled else []), straight]
        to, trial = max(((w, look(w)) for w in ways), key=lambda pair: pair[1].value)
        if not _better(trial, at):
            to = z + _shorter(step.damped)
            trial = look(to)
        if _better(trial, at):
            idle = 0 if trial.value > at.value + _rounding(at) else idle + 1
            z, at, damping = to, trial, max(0.2 * damping, 1e-15)
        else:
            damping *= 5.0
        step = _step(at, damping)
    gain = step.gain if np.isfinite(at.value) else np.inf
    return Likeliest(z, at.value, gain, step.unseen)


def _shorter(step: FloatArray) -> FloatArray:
    """The step, none of its coordinates longer than `LONGEST_STEP`."""
    longest = float(np.max(np.abs(step), initial=0.0))
    return step * min(1.0, LONGEST_STEP / longest) if longest > 0.0 else step


def _better(trial: _Look, at: _Look) -> bool:
    """No lower, up to rounding, and on the same side of every barrier."""
    finite = np.isfinite(trial.value) and trial.value >= at.value - _rounding(at)
    return bool(finite and (trial.held or not at.held))


def _rounding(at: _Look) -> float:
    return 1e-15 * abs(at.value)


def _looking(problem: Problem) -> Looking:
    """The likelihood alone, compiled."""

    def nothing(position: dict[str, Array], data: Data) -> Array:
        del data
        return 0.0 * jnp.sum(position["z"])

    def values(z: Array, data: Data) -> Array:
        known = problem.constrain({"z": z}, data)
        return jnp.stack([known[name] for name in problem.names])

    def everything(z: Array, data: Data) -> tuple[object, Array, Array, Array]:
        bare = problem._replace(logprior=nothing)
        holds = problem.holds
        held = jnp.asarray(True) if holds is None else holds({"z": z}, data)
        return local(bare, z, data), values(z, data), jax.jacfwd(values)(z, data), held

    compiled = jax.jit(everything)

    def look(z: FloatArray) -> _Look:
        found, *others = compiled(jnp.asarray(z), problem.data)
        gradient, hessian = np.asarray(found.gradient), np.asarray(found.hessian)
        there, slopes, held = map(np.asarray, others)
        finite = np.isfinite(gradient).all() and np.isfinite(hessian).all()
        value = float(found.value) if finite else -np.inf
        return _Look(value, gradient, hessian, there, slopes, bool(held))

    return look


def _placing(problem: Problem) -> Placing:
    """From a position and a step, the position that far along in physical values."""

    @jax.jit
    def back(values: Array, z: Array, data: Data) -> Array:
        every = problem.constrain({"z": z}, data)
        moved = {name: values[i] for i, name in enumerate(problem.names)}
        return problem.unconstrain({**every, **moved}, data)["z"]

    def place(z: FloatArray, at: _Look, step: FloatArray) -> FloatArray:
        there = at.values + at.slopes @ step
        to = np.asarray(back(jnp.asarray(there), jnp.asarray(z), problem.data))
        away = to - z
        past = ~np.isfinite(to) | ((np.abs(to) > BEYOND) & (np.abs(to) > np.abs(z)))
        short = np.clip(np.nan_to_num(np.where(past, np.sign(away), 0.0)), -1.0, 1.0)
        return z + np.where(past, RETREAT * short, away)

    return place


def _step(at: _Look, damping: float) -> _Step:
    """The damped step, and the gain that the whole one promises.

    In units of the curvature along each coordinate; small eigenvalues are of directions
    that the data say nothing of, along which there is no step.
    """
    diagonal = np.abs(np.diagonal(at.hessian))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(at.hessian * scale * scale[:, None])
    slope = vectors.T @ (scale * at.gradient)
    seen = values > _UNSEEN * values[-1]
    full = np.where(seen, slope / np.where(seen, values, 1.0), 0.0)
    damped = np.where(seen, slope / np.where(seen, values + damping, 1.0), 0.0)
    gain = float(0.5 * np.sum(slope * full))
    return _Step(scale * (vectors @ damped), gain, int(np.sum(~seen)))
