"""What pixels that drift look like under fixed spectra, their drift unknown."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from specfit.maps.drifting import Table, information, modelled, rows
from specfit.maps.passes import TINY


def _wide(piece: Any) -> tuple[Array, Array, Array]:
    """A chunk in double precision, its weights kept a little inside the quadrant."""
    x, c, g = piece
    x, c = x.astype(jnp.float64), c.astype(jnp.float64)
    return x, jnp.maximum(c, 0.02 * jnp.sum(c, axis=1, keepdims=True)), g


@jax.jit
def judged(x: Array, c: Array, g: Array, table: Table) -> tuple[Array, ...]:
    """As `passes.judged`, the drift unknown: its own standard deviation stands last.

    The information is that of the weights once the drift is integrated out, under its
    prior: what it might take of them is lost. Standard deviations (chunks, n) in eV.
    """

    def body(left: Array, piece: Any) -> tuple[Array, Any]:
        x, inside, g = _wide(piece)
        mean, row = modelled(table, inside, g), rows(table, inside, g)
        known = information(table, row, 1.0 / mean)
        slope = jnp.einsum("nm,nlm->nl", x / mean - 1.0, row)
        slope = slope.at[:, -1].add(-table.drifts[g] / table.sd**2)
        step = jnp.linalg.solve(_ridged(known), slope[..., None])[..., 0]
        fitted = modelled(table, piece[1].astype(jnp.float64), g)
        over = x - fitted
        chi = jnp.sum(over**2 / jnp.maximum(fitted, 1e-3), axis=1)
        own, cross = known[:, :-1, :-1], known[:, :-1, -1]
        told = own - cross[:, :, None] * cross[:, None] / known[:, -1:, -1:]
        spread = jnp.linalg.inv(_ridged(known))[:, -1, -1]
        out = inside + step[:, :-1], told, chi, jnp.sqrt(spread)
        return left + jnp.sum(over, axis=0), out

    left, found = jax.lax.scan(body, jnp.zeros(x.shape[2]), (x, c, g))
    return left, *found


def _ridged(known: Array) -> Array:
    size = jnp.diagonal(known, axis1=1, axis2=2)[:, None] + TINY
    made: Array = known + 1e-9 * size * jnp.eye(known.shape[1])
    return made


@jax.jit
def projected(
    x: Array, c: Array, g: Array, table: Table, mean: Array
) -> tuple[Array, Array]:
    """Linear weights (chunks, n, L) beside an unknown drift, and their covariance.

    Least squares by a weighting that is that of the `mean` spectrum (M,) for all pixels:
    weights of the noise of each would have a bias.
    """

    def body(_: None, piece: Any) -> tuple[None, Any]:
        x, inside, g = _wide(piece)
        row = rows(table, inside, g)
        weight = 1.0 / (jnp.maximum(jnp.sum(x, axis=1), 1.0)[:, None] * mean)
        known = _ridged(information(table, row, weight))
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
