"""What the draws predict: mean curve, band, components, replicated data."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.compiled import Program
from specfit.inference.projection import Kernels

BAND = (0.05, 0.95)


class Predictions(NamedTuple):
    """The fields of a Fit that come from predicting, as its docstring says them."""

    curve: FloatArray
    band: FloatArray
    components: FloatArray
    replicated: FloatArray
    pointwise: FloatArray


@Program
def prediction_program(
    kernels: Kernels, z: Array, data: Data
) -> tuple[Array, Array, Array]:
    """Curves and pointwise likelihoods of all rows, mean components."""
    problem = kernels.problem

    def one(total: Array, x: Array) -> tuple[Array, tuple[Array, Array]]:
        position = {"z": x}
        total = total + problem.components(position, data) / len(z)
        return total, (
            problem.predict(position, data),
            problem.pointwise(position, data),
        )

    shape = jax.eval_shape(lambda x: problem.components({"z": x}, data), z[0])
    start = jnp.zeros(shape.shape, shape.dtype)
    total, (curves, pointwise) = jax.lax.scan(one, start, z)
    return curves, pointwise, total


def _replicated(
    problem: Problem, curves: FloatArray, positions: FloatArray, key: Array
) -> FloatArray:
    """Data about each curve, as the model says that they scatter."""
    generator = evaluate.generator(key)
    values = evaluate.constrain(problem, positions)
    return np.stack(
        [
            problem.scatter(
                generator, curve, {n: v[i] for n, v in values.items()}, problem.data
            )
            for i, curve in enumerate(curves)
        ]
    )


def predictions(
    problem: Problem, positions: FloatArray, key: Array, thinned: int, replicates: int
) -> Predictions:
    """Predictions of at most `thinned` draws evenly taken from every chain.

    positions: (n_chains, n_draws, dimension).
    """
    n_chains, n_draws, dimension = positions.shape
    each = max(1, min(n_draws, thinned // n_chains))
    taken = np.linspace(0, n_draws - 1, each).round().astype(int)
    few = positions[:, taken].reshape(-1, dimension)
    found = prediction_program(Kernels(problem), few, problem.data)
    curves, pointwise, components = (evaluate.numpy(part) for part in found)
    rows = np.linspace(0, len(few) - 1, replicates).round().astype(int)
    replicated = _replicated(problem, curves[rows], few[rows], key)
    return Predictions(
        curve=curves.mean(axis=0),
        band=np.quantile(curves, BAND, axis=0),
        components=components,
        replicated=replicated,
        pointwise=pointwise.reshape(n_chains, each, *pointwise.shape[1:]),
    )
