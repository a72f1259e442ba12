"""A separable problem with its linear unknowns eliminated.

The curve is linear in the amplitude of each component and in the background; for given
nonlinear unknowns the best amplitudes follow from non-negative least squares, and only
the nonlinear ones are left to search (variable projection: Golub and Pereyra 1973,
doi:10.1137/0710036).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.evaluate import Triple, numpy

RIDGE = 1e-10


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
    values = problem.constrain({"z": z}, data)
    observed, weight = parts.target(data)
    root = jnp.sqrt(weight)
    background = parts.background(values, data)
    absorption = -parts.atom(values, data) * placed[:, None]
    columns = jnp.concatenate([background, absorption]) * root
    present = jnp.concatenate([jnp.ones(background.shape[0]), placed])
    signed = jnp.arange(columns.shape[0]) >= background.shape[0]
    coefficients = _non_negative(columns, observed * root, present, signed)
    residual = observed * root - coefficients @ columns
    return Projection(residual, columns, coefficients)


def _non_negative(
    columns: Array, target: Array, present: Array, signed: Array
) -> Array:
    """Coefficients of `columns`, those `signed` not negative.

    Negative ones are dropped and the rest solved again, as often as there are columns.
    """
    size = jnp.sqrt(jnp.sum(columns**2, axis=1))
    size = jnp.where(size > 0.0, size, 1.0)
    unit = columns / size[:, None]
    gram, right = unit @ unit.T, unit @ target
    identity = jnp.eye(gram.shape[0])

    def solve(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        active, _old = state
        both = active[:, None] * active
        system = gram * both + identity * (1.0 - active + RIDGE)
        solution = jnp.linalg.solve(system, right * active) * active
        return jnp.where(signed & (solution < 0.0), 0.0, active), solution

    active, solution = present, jnp.zeros_like(right)
    for step in range(columns.shape[0]):
        active, solution = solve(step, (active, solution))
    return jnp.where(signed, jnp.maximum(solution, 0.0), solution) / size


class Kernels:
    """The functions of a problem without its data, as a key for compiled kernels."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem._replace(data={})

    def __hash__(self) -> int:
        return hash(self.problem.logdensity)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Kernels):
            return NotImplemented
        return bool(other.problem.logdensity == self.problem.logdensity)


@partial(jax.jit, static_argnames="kernels")
def _objective(
    kernels: Kernels, z: Any, placed: Any, data: Data
) -> tuple[Array, Array, Array]:
    problem = kernels.problem

    def residual(x: Array) -> tuple[Array, Array]:
        left = project(problem, x, placed, data).residual
        return left, left

    def prior(x: Array) -> Array:
        return problem.logprior({"z": x}, data)

    jacobian, left = jax.jacfwd(residual, has_aux=True)(z)
    slope, bend = jax.grad(prior)(z), jnp.diagonal(jax.hessian(prior)(z))
    value = prior(z) - 0.5 * jnp.sum(left**2)
    gradient = slope - left @ jacobian
    curvature = jacobian.T @ jacobian + jnp.diag(jnp.abs(bend))
    return value, gradient, curvature


@partial(jax.jit, static_argnames="kernels")
def _project(kernels: Kernels, z: Any, placed: Any, data: Data) -> Projection:
    return project(kernels.problem, z, placed, data)


def objective(problem: Problem, z: FloatArray, placed: FloatArray) -> Triple:
    """Prior and weighted misfit, −½χ² + log prior, with gradient and curvature.

    The curvature is that of Gauss and Newton; it is never negative.
    """
    found = _objective(Kernels(problem), z, placed, problem.data)
    value, gradient, bend = found
    return float(value), numpy(gradient), numpy(bend)


def residual(problem: Problem, z: FloatArray, placed: FloatArray) -> Projection:
    """The projection at one position, as NumPy arrays."""
    found = _project(Kernels(problem), z, placed, problem.data)
    return Projection(*(numpy(part) for part in found))


@partial(jax.jit, static_argnames="kernels")
def _assemble(kernels: Kernels, z: Any, placed: Any, data: Data) -> Array:
    problem = kernels.problem
    parts = problem.separable
    assert parts is not None
    coefficients = project(problem, z, placed, data).coefficients
    n_components = len(parts.component_names)
    amplitude, background = coefficients[-n_components:], coefficients[:-n_components]
    least = 1e-3 * jnp.maximum(jnp.sum(amplitude), 1e-6 * jnp.sum(jnp.abs(background)))
    values = problem.constrain({"z": z}, data)
    whole = parts.assemble(values, jnp.maximum(amplitude, least), background)
    full: Array = problem.unconstrain(whole, data)["z"]
    return jnp.where(jnp.isfinite(full), full, z)


def assemble(problem: Problem, z: FloatArray, placed: FloatArray) -> FloatArray:
    """The position with its linear unknowns set from the fitted amplitudes."""
    return numpy(_assemble(Kernels(problem), z, placed, problem.data))


@partial(jax.jit, static_argnames="kernels")
def _atoms(kernels: Kernels, values: Any, data: Data) -> Array:
    parts = kernels.problem.separable
    assert parts is not None
    root = jnp.sqrt(parts.target(data)[1])
    curves: Array = jax.lax.map(lambda one: parts.atom(one, data) * root, values)
    return curves


def atoms(problem: Problem, values: Mapping[str, FloatArray]) -> FloatArray:
    """Weighted unit-area curves (n, n_components, n_data) of n sets of values."""
    return numpy(_atoms(Kernels(problem), values, problem.data))
