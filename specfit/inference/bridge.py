"""The densities between the neighbourhood of the modes, q, and the posterior, p."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.evaluate import Density
from specfit.inference.laplace import FREEDOM, Gaussian, log_student


class Bridge:
    """A density between two: β and q are data, one compilation serves all steps.

    The position holds the mode, too: the joint density of both.
    """

    def __init__(self, logdensity: Density) -> None:
        self.logdensity = logdensity

    def __call__(self, position: dict[str, Array], data: Data) -> Array:
        """Log of q^(1-β) p^β times the share of the mode in q."""
        target = self.logdensity(position, data["target"])
        white = jnp.einsum("kij,kj->ki", data["inverse"], position["z"] - data["means"])
        distance = jnp.sum(white**2, axis=1)
        power = -0.5 * (FREEDOM + white.shape[1])
        logs = data["heights"] + power * jnp.log1p(distance / FREEDOM)
        near = jax.scipy.special.logsumexp(logs)
        owned = logs[position["mode"]] - near
        bridged: Array = data["beta"] * target + (1.0 - data["beta"]) * near + owned
        return bridged

    def __hash__(self) -> int:
        return hash((Bridge, self.logdensity))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bridge) and other.logdensity == self.logdensity


def bridge_data(problem: Problem, shapes: Sequence[Gaussian], beta: float) -> Data:
    """What a `Bridge` takes as data."""
    heights = np.array([float(log_student(s, s.mean[None])[0]) for s in shapes])
    return {
        "target": problem.data,
        "beta": jnp.asarray(beta),
        "means": jnp.asarray(np.stack([s.mean for s in shapes])),
        "inverse": jnp.asarray(np.stack([np.linalg.inv(s.factor) for s in shapes])),
        "heights": jnp.asarray(heights - np.log(len(shapes))),
    }


def log_ends(
    problem: Problem, shapes: Sequence[Gaussian], positions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log p and log q of particles (n_populations, n_particles, dimension)."""
    rows = positions.reshape(-1, positions.shape[-1])
    target = evaluate.log_densities(problem, rows)
    near = logsumexp([log_student(s, rows) for s in shapes], axis=0)
    near -= np.log(len(shapes))
    target = np.where(np.isfinite(target), target, -np.inf)
    return target.reshape(positions.shape[:2]), near.reshape(positions.shape[:2])
