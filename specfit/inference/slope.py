"""Partial fits and how they change: value, gradient and curvature of the objective.

The linear unknowns are eliminated; see `projection`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.compiled import Program
from specfit.inference.evaluate import Flags
from specfit.inference.projection import Kernels, columns_of, project, solve

SMALL = 1e-5
"""Step of differences; coordinates are of order one."""


class Local(NamedTuple):
    """Prior and weighted misfit, −½χ² + log prior, with gradient and curvature."""

    value: Any
    gradient: Any  # (dimension,)
    hessian: Any  # (dimension, dimension), negative, positive semidefinite


class Pattern(NamedTuple):
    """Which coordinates move which columns, so that one derivative serves several.

    seeds: (n_colours, dimension), ones at the coordinates of a colour, no two of which
    move the same column; colour: (dimension,); moves: (n_columns, dimension), 0 or 1;
    first: (dimension,) a column that each moves, if any; several: (n,) the coordinates
    that move more than one.
    """

    seeds: Any
    colour: Any
    moves: Any
    first: Any
    several: Any


def local(
    problem: Problem, z: Array, placed: Array, pattern: Pattern, data: Data
) -> Local:
    """The objective of a partial fit at `z`, its linear unknowns eliminated.

    The derivative of the residual is that of Golub and Pereyra with the active columns
    held: nothing is differentiated through a linear solve.  The curvature is that of
    Gauss and Newton, that of the prior by differences: a second derivative takes seconds
    to compile and one digit of it is enough.
    """
    residual, columns, coefficients = project(problem, z, placed, data)

    def moved(seed: Array) -> Array:
        along: Array = jax.jvp(
            lambda x: columns_of(problem, x, placed, data), (z,), (seed,)
        )[1]
        return along

    slopes = jax.vmap(moved)(pattern.seeds)  # (n_colours, n_columns, n_data)
    change = _moved(slopes, coefficients, pattern)
    turn = pattern.moves * (slopes @ residual)[pattern.colour].T
    active = (coefficients != 0.0).astype(change.dtype)
    follows = solve(columns @ columns.T, active, columns @ change.T - turn)
    jacobian = follows.T @ columns - change  # (dimension, n_data)
    height, pull, bend = _prior(problem, z, data)
    return Local(
        height - 0.5 * jnp.sum(residual**2),
        pull - jacobian @ residual,
        jacobian @ jacobian.T + jnp.diag(bend),
    )


def _moved(slopes: Array, coefficients: Array, pattern: Pattern) -> Array:
    """How each coordinate moves the fitted sum (dimension, n_data).

    Most move one column, and a product with all columns would be mostly zeros.
    """
    heights = (coefficients[:, None] * pattern.moves).T  # (dimension, n_columns)
    at = jnp.arange(len(heights))
    change = heights[at, pattern.first][:, None] * slopes[pattern.colour, pattern.first]
    some = pattern.several
    summed = jnp.einsum("irx,ir->ix", slopes[pattern.colour[some]], heights[some])
    whole: Array = change.at[some].set(summed)
    return whole


def _prior(problem: Problem, z: Array, data: Data) -> tuple[Array, Array, Array]:
    """Log prior, its gradient, and how much that bends along each coordinate.

    By one difference for all coordinates: exact where the prior has no cross terms.
    """
    both = jax.value_and_grad(lambda x: problem.logprior({"z": x}, data))
    heights, slopes = jax.lax.map(both, jnp.stack([z, z + SMALL]))
    return heights[0], slopes[0], jnp.abs(slopes[1] - slopes[0]) / SMALL


@Program
def _columns(kernels: Kernels, rows: Any, data: Data) -> Array:
    problem = kernels.problem
    assert problem.separable is not None
    placed = jnp.ones(len(problem.separable.component_names))
    found: Array = jax.lax.map(lambda z: columns_of(problem, z, placed, data), rows)
    return found


def pattern(problem: Problem, positions: FloatArray) -> Pattern:
    """What moves what, seen at a few positions (n, dimension)."""
    count, n = positions.shape
    steps = np.concatenate([np.zeros((1, n)), SMALL * np.eye(n)])
    near = (positions[:, None] + steps).reshape(-1, n)
    found = np.asarray(_columns(Kernels(problem), near, problem.data))
    each = found.reshape(count, 1 + n, *found.shape[1:])
    moves = (each[:, 1:] != each[:, :1]).any(axis=(0, 3)).T  # (n_columns, dimension)
    colour = np.zeros(n, dtype=int)
    taken: list[Flags] = [np.zeros(len(moves), dtype=bool)]
    for i, mine in enumerate(moves.T):
        place = next((c for c, t in enumerate(taken) if not (t & mine).any()), -1)
        if place < 0:
            place = len(taken)
            taken.append(np.zeros(len(moves), dtype=bool))
        taken[place] |= mine
        colour[i] = place
    seeds = np.equal.outer(np.arange(len(taken)), colour) & moves.any(axis=0)
    several = np.flatnonzero(moves.sum(axis=0) > 1)
    first = moves.argmax(axis=0)
    return Pattern(seeds.astype(float), colour, moves.astype(float), first, several)
