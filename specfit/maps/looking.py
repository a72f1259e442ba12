"""What pixels that drift look like under fixed spectra, their drift unknown."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from specfit.maps.drifting import Table, information, modelled, rows
from specfit.maps.mixing import ridged, wide


@jax.jit
def judged(x: Array, c: Array, g: Array, table: Table) -> tuple[Array, Array]:
    """The sum (M,) of the residuals and Pearson's chi-square (chunks, n)."""

    def body(left: Array, piece: Any) -> tuple[Array, Array]:
        x, c, g = piece
        expected = modelled(table, c.astype(jnp.float64), g)
        over = x.astype(jnp.float64) - expected
        chi = jnp.sum(over**2 / jnp.maximum(expected, 1e-3), axis=1)
        return left + jnp.sum(over, axis=0), chi

    start = jnp.zeros(x.shape[2])
    found: tuple[Array, Array] = jax.lax.scan(body, start, (x, c, g))
    return found


@jax.jit
def projected(
    x: Array, c: Array, g: Array, table: Table, mean: Array
) -> tuple[Array, Array]:
    """Linear weights (chunks, n, L) beside an unknown drift, and their covariance.

    Least squares by a weighting that is that of the `mean` spectrum (M,) for all pixels:
    weights of the noise of each would have a bias.
    """

    def body(_: None, piece: Any) -> tuple[None, Any]:
        x, inside, g = wide(piece)
        row = rows(table, inside, g)
        weight = 1.0 / (jnp.maximum(jnp.sum(x, axis=1), 1.0)[:, None] * mean)
        known = ridged(information(table, row, weight))
        seen = jnp.einsum("nm,nlm->nl", weight * x, row)
        seen = seen.at[:, -1].add(-table.drifts[g] / table.sd**2)
        found = jnp.linalg.solve(known, seen[..., None])[..., 0][:, :-1]
        back = jnp.linalg.solve(known, row * weight[:, None])[:, :-1]
        noise = modelled(table, jnp.maximum(found, 0.0), g)
        return None, (found, jnp.einsum("nkm,nlm,nm->nkl", back, back, noise))

    found: tuple[Array, Array] = jax.lax.scan(body, None, (x, c, g))[1]
    return found


@partial(jax.jit, static_argnames="parts")
def summed(c: Array, g: Array, table: Table, part: Array, parts: int) -> Array:
    """What is expected of the pixels of each part together, (parts, M)."""

    def body(total: Array, piece: Any) -> tuple[Array, None]:
        c, g, part = piece
        made = modelled(table, c.astype(jnp.float64), g)
        return total + jax.ops.segment_sum(made, part, parts), None

    start = jnp.zeros((parts, table.laws.shape[1]))
    found: Array = jax.lax.scan(body, start, (c, g, part))[0]
    return found
