"""The problem's functions, compiled once and called on NumPy arrays.

Every kernel takes the function of the problem as a static argument and the data as a
traced one: a second spectrum of the same layout costs no compilation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem, Values
from specfit.inference.compiled import Program

Density = Callable[[dict[str, Array], Data], Array]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Triple = tuple[float, FloatArray, FloatArray]

BLOCK = 32
"""Rows evaluated by one call; a shape that never changes compiles once."""
MANY = 4000
"""Rows from which values alone are worth a program of their own."""
WIDE = 256
"""The same where a row costs next to nothing and all are done at once."""


@Program
def curvature_program(
    logdensity: Density, z: Array, data: Data
) -> tuple[Array, Array, Array]:
    """Log-density at `z`, gradient, negative Hessian; see `curvature`."""
    value_and_gradient = jax.value_and_grad(lambda x: logdensity({"z": x}, data))
    value, gradient = value_and_gradient(z)

    def row(direction: Array) -> Array:
        along: Array = jax.jvp(lambda x: value_and_gradient(x)[1], (z,), (direction,))[
            1
        ]
        return along

    # one after another: all at once spill the cache and take five times as long
    hessian = jax.lax.map(row, jnp.eye(z.size))
    return value, gradient, -0.5 * (hessian + hessian.T)


@Program
def _many_gradients(
    logdensity: Density, z: Array, data: Data, labels: dict[str, Array] | None = None
) -> tuple[Array, Array]:
    def both(row: tuple[Array, dict[str, Array]]) -> tuple[Array, Array]:
        x, own = row
        return jax.value_and_grad(lambda x: logdensity({"z": x, **own}, data))(x)

    result: tuple[Array, Array] = jax.lax.map(both, (z, labels or {}))
    return result


@Program
def _many_values(logdensity: Density, z: Array, data: Data) -> Array:
    result: Array = jax.lax.map(lambda x: logdensity({"z": x}, data), z)
    return result


@Program
def _constrain(constrain: Callable[..., Values], z: Array, data: Data) -> Values:
    return jax.vmap(lambda x: constrain({"z": x}, data))(z)


@Program
def _unconstrain(unconstrain: Callable[..., Any], values: Values, data: Data) -> Array:
    z: Array = jax.vmap(lambda v: unconstrain(v, data)["z"])(values)
    return z


def generator(key: Array) -> np.random.Generator:
    """NumPy's generator seeded by a JAX key, for draws that need no compilation."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def numpy(array: Any) -> FloatArray:
    """The array as float64 on the host."""
    return np.asarray(array, dtype=np.float64)


def curvature(problem: Problem, z: FloatArray) -> Triple:
    """Log-density at `z`, its gradient and the Hessian of the negative log-density."""
    value, gradient, hessian = curvature_program(problem.logdensity, z, problem.data)
    return float(value), numpy(gradient), numpy(hessian)


def gradients_of(
    density: Density, z: FloatArray, data: Data
) -> tuple[FloatArray, FloatArray]:
    """Any log-density of a problem at each row of `z`, (n,), and its gradient."""
    values, slopes = _many_gradients(density, z, data)
    return numpy(values), numpy(slopes)


def gradients(
    problem: Problem, z: FloatArray, labels: dict[str, Any] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Log-density (n,) and its gradient (n, dimension) at each row of `z`.

    labels: what else a position holds, by name, an entry for each row.
    """
    values, slopes = in_blocks(
        lambda row: _many_gradients(problem.logdensity, row[0], problem.data, row[1]),
        (z, labels or {}),
    )
    return numpy(values), numpy(slopes)


def log_densities(problem: Problem, z: FloatArray) -> FloatArray:
    """Log-density at each row of `z`.

    One compilation serves here and for gradients where rows are few; many are worth one
    of their own, as a value costs a third of a gradient.
    """
    if len(z) < MANY:
        return gradients(problem, z)[0]
    found = in_blocks(
        lambda rows: _many_values(problem.logdensity, rows, problem.data), z
    )
    return numpy(found)


def finite_starts(problem: Problem, z: FloatArray) -> Flags:
    """For each row of `z`, whether log-density and gradient are finite."""
    values, slopes = gradients(problem, z)
    finite: Flags = np.isfinite(values) & np.isfinite(slopes).all(axis=1)
    return finite


def constrain(problem: Problem, z: FloatArray) -> dict[str, FloatArray]:
    """Unknowns and definitions in physical units at each row of `z`."""
    found: dict[str, FloatArray] = in_blocks(
        lambda x: _constrain(problem.constrain, x, problem.data), z, WIDE
    )
    return found


def unconstrain(problem: Problem, values: dict[str, FloatArray]) -> FloatArray:
    """The positions (n, dimension) of constrained values (n,) by name."""
    return numpy(
        in_blocks(
            lambda v: _unconstrain(problem.unconstrain, v, problem.data), values, WIDE
        )
    )


def in_blocks(function: Callable[[Any], Any], rows: Any, size: int = BLOCK) -> Any:
    """`function` of all rows, called with `size` of them so that it compiles once.

    The last block is filled up with copies of the first row.
    """
    count = len(jax.tree.leaves(rows)[0])
    order = np.arange(-(-count // size) * size)
    order[count:] = 0
    blocks = [
        function(jax.tree.map(lambda x, part=part: x[part], rows))
        for part in order.reshape(-1, size)
    ]
    return jax.tree.map(
        lambda *parts: np.concatenate([np.asarray(p) for p in parts])[:count], *blocks
    )


def terms_at_fault(problem: Problem, z: FloatArray) -> tuple[str, ...]:
    """The terms of the density whose value or gradient at `z` is not finite.

    Each is differentiated alone: a zero sent back through a bad term is NaN.
    """
    data = problem.data
    faulty = []
    for name in problem.terms({"z": jax.numpy.asarray(z)}, data):
        value, slope = jax.value_and_grad(
            lambda x, name=name: problem.terms({"z": x}, data)[name]
        )(jax.numpy.asarray(z))
        if not (np.isfinite(numpy(value)) and np.isfinite(numpy(slope)).all()):
            faulty.append(name)
    return tuple(faulty)
