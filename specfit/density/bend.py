"""The smooth bend that keeps an unknown between bounds, and its inverse."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from specfit.contracts import Array


def bent(z: Array, a: Array | None, b: Array | None) -> tuple[Array, Array]:
    """Y between a and b of each z, and log dy/dz."""
    soft, log_sigmoid = jax.nn.softplus, jax.nn.log_sigmoid
    if a is None:
        if b is None:
            return z, jnp.zeros_like(z)
        return b - soft(b - z), log_sigmoid(b - z)
    if b is None:
        return a + soft(z - a), log_sigmoid(z - a)
    # from the nearer bound, so that the distance to it keeps its digits
    lower, upper = a + (soft(z - a) - soft(z - b)), b - (soft(b - z) - soft(a - z))
    y = jnp.where(2.0 * z < a + b, lower, upper)
    wide = jnp.log(-jnp.expm1(a - b))
    return y, log_sigmoid(z - a) + log_sigmoid(b - z) + wide


def unbent(
    y: Array,
    ends: tuple[Array | None, Array | None],
    distances: tuple[Array | None, Array | None],
) -> Array:
    """The inverse of `bent`; distances: of y from its ends, with all their digits."""
    (a, b), (above, below) = ends, distances
    if a is not None and above is not None:
        z = a + _log_expm1(above)
        return z if below is None else z - jnp.log(-jnp.expm1(-below))
    if b is not None and below is not None:
        return b - _log_expm1(below)
    return y


def _log_expm1(d: Array) -> Array:
    """The inverse of the softplus."""
    return d + jnp.log(-jnp.expm1(-d))
