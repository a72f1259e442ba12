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
from specfit.inference.evaluate import numpy

RIDGE = 1e-10


class Projection(NamedTuple):
    """What is left of the data when the placed components are taken out, weighted.

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
    columns = columns_of(problem, z, placed, data)
    n_background = columns.shape[0] - len(placed)
    present = jnp.concatenate([jnp.ones(n_background), placed])
    signed = jnp.arange(columns.shape[0]) >= n_background
    coefficients = _non_negative(columns, target, present, signed)
    return Projection(target - coefficients @ columns, columns, coefficients)


def columns_of(problem: Problem, z: Array, placed: Array, data: Data) -> Array:
    """Weighted background and `placed` absorption of unit area, one curve a row."""
    parts = problem.separable
    assert parts is not None
    background, atoms = parts.columns({"z": z}, data)
    rows = jnp.concatenate([background, -atoms * placed[:, None]])
    weighted: Array = rows * jnp.sqrt(parts.target(data)[1])
    return weighted


def _non_negative(
    columns: Array, target: Array, present: Array, signed: Array
) -> Array:
    """Coefficients of `columns`, those `signed` not negative.

    Negative ones are dropped and the rest solved again, until none is negative.
    """
    gram, right = columns @ columns.T, columns @ target

    def drop(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        active = state[0]
        solution = solve(gram, active, right)
        fewer = jnp.where(signed & (solution < 0.0), 0.0, active)
        return fewer, solution, (fewer != active).any()

    start = (present, jnp.zeros(columns.shape[0]), jnp.asarray(True))
    _, solution, _ = jax.lax.while_loop(lambda state: state[2], drop, start)
    kept: Array = jnp.where(signed, jnp.maximum(solution, 0.0), solution)
    return kept


def solve(gram: Array, active: Array, right: Array) -> Array:
    """Solution of the normal equations of the `active` columns, zero for the others.

    gram: (n_columns, n_columns), the products of the columns with each other; right:
    (n_columns,) or (n_columns, n), those with the target.
    """
    size = jnp.sqrt(jnp.diagonal(gram))
    scale = active / jnp.where(size > 0.0, size, 1.0)
    system = gram * scale * scale[:, None] + jnp.diag(1.0 - active + RIDGE)
    scaled = scale[:, None] * right.reshape(len(active), -1)
    solution: Array = scale[:, None] * eliminated(system, scaled)
    return solution.reshape(right.shape)


def eliminated(system: Array, right: Array) -> Array:
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
            traced += [parts.atom, parts.columns, parts.assemble, parts.target]
        known = [identity(function) for function in traced]
        return " ".join(known) if all(known) else ""

    def __hash__(self) -> int:
        return hash(self.problem.logdensity)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Kernels):
            return NotImplemented
        return bool(other.problem.logdensity == self.problem.logdensity)


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
