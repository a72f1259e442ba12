"""Maps from the real line to the support of a parameter, with their log Jacobians.

Which map is used follows from the bounds that exist: none is the identity, one an
exponential, two a logistic curve; a simplex is cut like a stick.  Bounds may be traced
arrays, so that one parameter may bound another.  z = 0 is the middle of an interval,
one unit from a single bound, equal parts of a simplex.  |z| up to 700 gives finite
values and derivatives: a value never reaches a bound, it stops at the number next to
it, while the log Jacobian is computed from z and loses nothing.

Source: B. Carpenter et al., J. Stat. Softw. 76 (2017), doi:10.18637/jss.v076.i01; Stan
Reference Manual, chapter "Constraint transforms".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import Array
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
else:
    jax = LazyModule("jax")
    jnp = LazyModule("jax.numpy")

Bound = Any  # a number, an array or None (unbounded)
_LEAST = -700.0

__all__ = ["forward", "inverse", "simplex_forward", "simplex_inverse"]


def forward(z: Array, low: Bound = None, high: Bound = None) -> tuple[Array, Array]:
    """The value in [low, high] of each z, and log|dx/dz|; element by element."""
    if low is None and high is None:
        return z, jnp.zeros_like(z)
    if high is None:
        return _above(low + jnp.exp(z), low), z
    if low is None:
        return _below(high - jnp.exp(z), high), z
    # From the nearer bound, so that the distance to it keeps its digits.
    part = (high - low) * jax.nn.sigmoid(-jnp.abs(z))
    x = jnp.where(z < 0, low + part, high - part)
    log_jacobian = jnp.log(high - low) + jax.nn.log_sigmoid(z) + jax.nn.log_sigmoid(-z)
    return _below(_above(x, low), high), log_jacobian


def _above(x: Array, low: Bound) -> Array:
    """`x`, or the number next to `low` where rounding has put it on the bound."""
    bound = jax.lax.stop_gradient(jnp.asarray(low, dtype=x.dtype))
    return jnp.where(x > bound, x, jnp.nextafter(bound, jnp.inf))


def _below(x: Array, high: Bound) -> Array:
    return -_above(-x, -high)


def inverse(x: Array, low: Bound = None, high: Bound = None) -> Array:
    """The z that `forward` maps to x, which lies between the bounds."""
    if low is None and high is None:
        return x
    if high is None:
        return jnp.log(x - low)
    if low is None:
        return jnp.log(high - x)
    return jnp.log(x - low) - jnp.log(high - x)


def simplex_forward(z: Array, total: Bound = 1.0) -> tuple[Array, Array]:
    """Parts (n,) of `total` from z (n − 1,), and the log Jacobian of the first n − 1.

    Piece k takes sigmoid(z_k − log(n − k)) of what is left, so z = 0 is equal parts.
    No part falls below exp(−700) of the whole, whose logarithm is still a number.
    """
    shifted = z - _offsets(z.shape[0])
    taken = jax.nn.log_sigmoid(shifted)
    kept = jax.nn.log_sigmoid(-shifted)
    left = jnp.concatenate([jnp.zeros(1, z.dtype), jnp.cumsum(kept)])
    parts = jnp.concatenate([taken + left[:-1], left[-1:]])
    log_jacobian = jnp.sum(parts[:-1] + kept) + z.shape[0] * jnp.log(total)
    return total * jnp.exp(jnp.maximum(parts, _LEAST)), log_jacobian


def simplex_inverse(x: Array, total: Bound = 1.0) -> Array:
    """The z (n − 1,) that `simplex_forward` maps to x (n,), all positive."""
    part = x / total
    left = jnp.cumsum(part[::-1])[::-1]
    z: Array = jnp.log(part[:-1]) - jnp.log(left[1:]) + _offsets(x.shape[0] - 1)
    return z


def members_forward(z: Array, total: Bound = 1.0) -> tuple[Array, Array]:
    """Parts (n,) of `total`, the first n − 1 as they are; −∞ where one is negative.

    There the parts are equal ones, so that what is computed of them is finite.
    """
    parts = jnp.append(z, total - jnp.sum(z))
    good = jnp.all(parts > 0.0)
    parts = jnp.where(good, parts, total / parts.size)
    return parts, jnp.where(good, 0.0, -jnp.inf)


def _offsets(n: int) -> Any:
    """Logarithm of the number of pieces still to come after each cut."""
    return np.log(np.arange(n, 0, -1, dtype=float))
