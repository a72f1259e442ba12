"""A separable problem with its linear unknowns eliminated.

The curve is linear in the amplitude of each component and in the background; for given
nonlinear unknowns the best amplitudes follow from non-negative least squares, and only
the nonlinear ones are left to search (variable projection: Golub and Pereyra 1973,
doi:10.1137/0710036).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.compiled import Program, identity
from specfit.inference.evaluate import Flags, numpy

RIDGE = 1e-10
SMALL = 1e-5
"""Step of differences; coordinates are of order one."""


class Projection(NamedTuple):
    """What is left of the data when the placed components are taken out, weighted.

    JAX arrays while traced, NumPy arrays outside.

    residual: (n_data,); columns: (n_baseline + n_components, n_data), absent components
    zero; coefficients: those of the columns.
    """

    residual: Any
    columns: Any
    coefficients: Any


def project(problem: Problem, z: Array, placed: Array, data: Data) -> Projection:
    """Least squares of the data on the background and the `placed` components.

    placed: (n_components,) 1.0 where the component takes part, else 0.0.
    """
    parts = problem.separable
    assert parts is not None
    observed, weight = parts.target(data)
    target = observed * jnp.sqrt(weight)
    columns = _columns(problem, z, placed, data)
    n_background = columns.shape[0] - len(placed)
    present = jnp.concatenate([jnp.ones(n_background), placed])
    signed = jnp.arange(columns.shape[0]) >= n_background
    coefficients = _non_negative(columns, target, present, signed)
    return Projection(target - coefficients @ columns, columns, coefficients)


def _columns(problem: Problem, z: Array, placed: Array, data: Data) -> Array:
    """Weighted background and `placed` absorption of unit area, one curve a row."""
    parts = problem.separable
    assert parts is not None
    values = problem.constrain({"z": z}, data)
    absorption = -parts.atom(values, data) * placed[:, None]
    rows = jnp.concatenate([parts.background(values, data), absorption])
    weighted: Array = rows * jnp.sqrt(parts.target(data)[1])
    return weighted


def _non_negative(
    columns: Array, target: Array, present: Array, signed: Array
) -> Array:
    """Coefficients of `columns`, those `signed` not negative.

    Negative ones are dropped and the rest solved again, as often as there are columns.
    """

    def drop(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        active, _old = state
        solution = _solve(columns, active, columns @ target)
        return jnp.where(signed & (solution < 0.0), 0.0, active), solution

    start = (present, jnp.zeros(columns.shape[0]))
    _, solution = jax.lax.fori_loop(0, columns.shape[0], drop, start)
    kept: Array = jnp.where(signed, jnp.maximum(solution, 0.0), solution)
    return kept


def _solve(columns: Array, active: Array, right: Array) -> Array:
    """Solution of the normal equations of the `active` columns, zero for the others.

    right: (n_columns,) or (n_columns, n), the products of the columns with the target.
    """
    size = jnp.sqrt(jnp.sum(columns**2, axis=1))
    scale = jnp.diag(active / jnp.where(size > 0.0, size, 1.0))
    unit = scale @ columns
    system = unit @ unit.T + jnp.diag(1.0 - active + RIDGE)
    columns_of_right = (scale @ right).reshape(len(active), -1)
    solution: Array = scale @ _eliminated(system, columns_of_right).reshape(right.shape)
    return solution


def _eliminated(system: Array, right: Array) -> Array:
    """Solution of a positive definite system (n, n), by Gauss and Jordan: (n, m).

    The systems are tiny, and what JAX puts around LAPACK's LU takes longer to compile
    than all else in the search.
    """
    n = len(system)

    def step(k: Array, both: Array) -> Array:
        row = both[k] / both[k, k]
        return (both - both[:, k, None] * row).at[k].set(row)

    whole = jnp.concatenate([system, right], axis=1)
    solved: Array = jax.lax.fori_loop(0, n, step, whole)
    return solved[:, n:]


class Kernels:
    """The functions of a problem without its data, as a key for compiled kernels."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem._replace(data={})

    @property
    def identity(self) -> str:
        """That of all functions which are ever traced; empty where one has none."""
        problem, parts = self.problem, self.problem.separable
        traced: list[Any] = [
            *(problem.logdensity, problem.logprior, problem.loglikelihood),
            *(problem.constrain, problem.unconstrain, problem.predict),
            *(problem.components, problem.pointwise, problem.noise),
        ]
        if parts is not None:
            traced += [parts.atom, parts.background, parts.assemble, parts.target]
        known = [identity(function) for function in traced]
        return " ".join(known) if all(known) else ""

    def __hash__(self) -> int:
        return hash(self.problem.logdensity)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Kernels):
            return NotImplemented
        return bool(other.problem.logdensity == self.problem.logdensity)


class Local(NamedTuple):
    """Prior and weighted misfit, −½χ² + log prior, with gradient and curvature."""

    value: Any
    gradient: Any  # (dimension,)
    hessian: Any  # (dimension, dimension), negative, positive semidefinite


class Pattern(NamedTuple):
    """Which coordinates move which columns, so that one derivative serves several.

    seeds: (n_colours, dimension), ones at the coordinates of a colour, no two of which
    move the same column; colour: (dimension,); moves: (n_columns, dimension), 0 or 1.
    """

    seeds: Any
    colour: Any
    moves: Any


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
            lambda x: _columns(problem, x, placed, data), (z,), (seed,)
        )[1]
        return along

    slopes = jax.vmap(moved)(pattern.seeds)  # (n_colours, n_columns, n_data)
    own = coefficients[:, None] * pattern.moves
    change = jnp.einsum("ri,irx->xi", own, slopes[pattern.colour])
    turn = pattern.moves * (slopes @ residual)[pattern.colour].T
    active = (coefficients != 0.0).astype(change.dtype)
    follows = _solve(columns, active, columns @ change - turn)
    jacobian = columns.T @ follows - change
    height, pull, bend = _prior(problem, z, data)
    return Local(
        height - 0.5 * jnp.sum(residual**2),
        pull - residual @ jacobian,
        jacobian.T @ jacobian + jnp.diag(bend),
    )


def _prior(problem: Problem, z: Array, data: Data) -> tuple[Array, Array, Array]:
    """Log prior, its gradient, and how much that bends along each coordinate.

    By one difference for all coordinates: exact where the prior has no cross terms.
    """
    both = jax.value_and_grad(lambda x: problem.logprior({"z": x}, data))
    heights, slopes = jax.lax.map(both, jnp.stack([z, z + SMALL]))
    return heights[0], slopes[0], jnp.abs(slopes[1] - slopes[0]) / SMALL


def pattern(problem: Problem, positions: FloatArray) -> Pattern:
    """What moves what, seen at a few positions (n, dimension)."""
    parts = problem.separable
    assert parts is not None
    placed = np.ones(len(parts.component_names))

    def columns(z: FloatArray) -> FloatArray:
        return np.asarray(residual(problem, z, placed).columns)

    steps = SMALL * np.eye(positions.shape[1])
    seen = [
        [np.any(columns(z + step) != middle, axis=1) for step in steps]
        for z in positions
        for middle in [columns(z)]
    ]
    moves = np.any(seen, axis=0).T  # (n_columns, dimension)
    colour = np.zeros(len(steps), dtype=int)
    taken: list[Flags] = [np.zeros(len(moves), dtype=bool)]
    for i, mine in enumerate(moves.T):
        place = next((c for c, t in enumerate(taken) if not (t & mine).any()), -1)
        if place < 0:
            place = len(taken)
            taken.append(np.zeros(len(moves), dtype=bool))
        taken[place] |= mine
        colour[i] = place
    seeds = np.equal.outer(np.arange(len(taken)), colour) & moves.any(axis=0)
    return Pattern(seeds.astype(float), colour, moves.astype(float))


@Program
def _local(
    kernels: Kernels, z: Any, placed: Any, pattern: Any, data: Data
) -> tuple[Array, ...]:
    return tuple(local(kernels.problem, z, placed, Pattern(*pattern), data))


def objective(problem: Problem, z: FloatArray, placed: FloatArray) -> Local:
    """The same at one position, as NumPy arrays."""
    shared = tuple(pattern(problem, z[None]))
    found = _local(Kernels(problem), z, placed, shared, problem.data)
    return Local(*(numpy(part) for part in found))


@Program
def _project(
    kernels: Kernels, z: Any, placed: Any, data: Data
) -> tuple[Array, Array, Array]:
    return tuple(project(kernels.problem, z, placed, data))


def residual(problem: Problem, z: FloatArray, placed: FloatArray) -> Projection:
    """The projection at one position, as NumPy arrays."""
    found = _project(Kernels(problem), z, placed, problem.data)
    return Projection(*(numpy(part) for part in found))


def assembled(problem: Problem, z: Array, placed: Array, data: Data) -> Array:
    """The position with its linear unknowns set from the fitted amplitudes, traced."""
    parts = problem.separable
    assert parts is not None
    coefficients = project(problem, z, placed, data).coefficients
    n_components = len(parts.component_names)
    amplitude, background = coefficients[-n_components:], coefficients[:-n_components]
    least = 1e-3 * jnp.maximum(jnp.sum(amplitude), 1e-6 * jnp.sum(jnp.abs(background)))
    values = problem.constrain({"z": z}, data)
    whole = parts.assemble(values, jnp.maximum(amplitude, least), background, data)
    full: Array = problem.unconstrain(whole, data)["z"]
    return jnp.where(jnp.isfinite(full), full, z)


@Program
def _assemble(kernels: Kernels, z: Any, placed: Any, data: Data) -> Array:
    return assembled(kernels.problem, z, placed, data)


def assemble(problem: Problem, z: FloatArray, placed: FloatArray) -> FloatArray:
    """The position with its linear unknowns set from the fitted amplitudes."""
    return numpy(_assemble(Kernels(problem), z, placed, problem.data))


@Program
def _atoms(kernels: Kernels, values: Any, data: Data) -> Array:
    parts = kernels.problem.separable
    assert parts is not None
    root = jnp.sqrt(parts.target(data)[1])

    def unit(one: Any) -> Array:
        curves = parts.atom(one, data) * root
        norms = jnp.sqrt(jnp.sum(curves**2, axis=1, keepdims=True))
        usable = jnp.isfinite(norms) & (norms > 0.0)
        scaled = jnp.where(usable, curves, 0.0) / jnp.where(usable, norms, 1.0)
        return scaled.astype(jnp.float32)

    found: Array = jnp.swapaxes(jax.lax.map(unit, values), 0, 1)
    return found


def atoms(problem: Problem, values: Mapping[str, FloatArray]) -> FloatArray:
    """Weighted curves (n_components, n, n_data) of unit norm of n sets of values.

    Zero where a curve has no norm; in single precision, enough to choose by.
    """
    return np.asarray(_atoms(Kernels(problem), values, problem.data))
