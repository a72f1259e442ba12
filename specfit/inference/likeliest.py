"""The parameters under which the data are likeliest: the least squares of the textbooks.

Priors bound and place the search, and are then left aside, so that the answer can be held
against tables of certified values.  Levenberg's and Marquardt's damping with Gauss and
Newton's curvature, until a whole step promises nothing that double precision could show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.levenberg import local

STEPS = 2000
DONE = 1e-18
"""Gain (nats), of the whole step, that nothing is left of."""
MOST_DAMPING = 1e16


class _Look(NamedTuple):
    """The log-likelihood at a place, its gradient and curvature."""

    value: float
    gradient: FloatArray
    hessian: FloatArray


def likeliest(problem: Problem, start: FloatArray) -> FloatArray:
    """The position (dimension,) of the highest likelihood uphill of `start`.

    Stays where the likelihood is finite nowhere around.
    """
    look = _looking(problem)
    z = np.asarray(start, dtype=float)
    at, damping = look(z), 1e-3
    for _ in range(STEPS if np.isfinite(at.value) else 0):
        step, gain = _step(at, damping)
        if gain < DONE or damping > MOST_DAMPING:
            break
        trial = look(z + step)
        rounding = 1e-15 * abs(at.value)
        if np.isfinite(trial.value) and trial.value >= at.value - rounding:
            z, at, damping = z + step, trial, max(0.2 * damping, 1e-15)
        else:
            damping *= 5.0
    return z


def _looking(problem: Problem) -> Callable[[FloatArray], _Look]:
    """The likelihood alone, compiled."""

    def nothing(position: dict[str, Array], data: Data) -> Array:
        del data
        return 0.0 * jnp.sum(position["z"])

    bare = problem._replace(logprior=nothing)
    compiled = jax.jit(lambda z, data: local(bare, z, data))

    def look(z: FloatArray) -> _Look:
        found = compiled(jnp.asarray(z), problem.data)
        gradient, hessian = np.asarray(found.gradient), np.asarray(found.hessian)
        finite = np.isfinite(gradient).all() and np.isfinite(hessian).all()
        return _Look(float(found.value) if finite else -np.inf, gradient, hessian)

    return look


def _step(at: _Look, damping: float) -> tuple[FloatArray, float]:
    """The damped step, and the gain that the whole one promises.

    In units of the curvature along each coordinate; small eigenvalues are of directions
    that the data say nothing of, along which there is no step.
    """
    diagonal = np.abs(np.diagonal(at.hessian))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(at.hessian * scale * scale[:, None])
    slope = vectors.T @ (scale * at.gradient)
    seen = values > 1e-13 * values[-1]
    full = np.where(seen, slope / np.where(seen, values, 1.0), 0.0)
    damped = np.where(seen, slope / np.where(seen, values + damping, 1.0), 0.0)
    return scale * (vectors @ damped), float(0.5 * np.sum(slope * full))
