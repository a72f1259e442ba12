"""What is known of pixels once their drift is integrated out, place by place.

The law of a drift is not normal where counts are few: a line may be taken for another's,
and what is known at the best drift alone is far too sure. At each place of the drift the
weights are fitted again and are normal about that, cut at zero,
  log of a place's share = greatest log-posterior there + log of the weights' volume.
All is summed on a walk along the drift, so that memory does not grow with the places.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import log_ndtr

from specfit.maps.drifting import Table, information, modelled, rows
from specfit.maps.knots import PARTS
from specfit.maps.passes import TINY

EVEN = 4  # places in a standard deviation of the prior, all over it
NEAR, HALF = 5.0, 10  # own standard deviations beside the best, places on either side
STEPS = 2  # of the weights at each place, from those of the one before
NOTHING = -1e300  # log of no share


class Mixed(NamedTuple):
    """Of pixels (n,): the drift and its standard deviation, eV, and weights without bound.

    `free` (n, L) and `covariance` (n, L, L) are those of the weights.
    """

    drift: Array
    sd: Array
    free: Array
    covariance: Array


def wide(piece: Any) -> tuple[Array, Array, Array]:
    """A chunk in double precision, its weights kept a little inside the quadrant."""
    x, c, g = piece
    return x.astype(jnp.float64), _inside(c.astype(jnp.float64)), g


def _inside(c: Array) -> Array:
    kept: Array = jnp.maximum(c, 0.02 * jnp.sum(jnp.maximum(c, 0.0), axis=1)[:, None])
    return kept


def ridged(known: Array) -> Array:
    """Information that can be inverted."""
    size = jnp.diagonal(known, axis1=1, axis2=2)[:, None] + TINY
    made: Array = known + 1e-9 * size * jnp.eye(known.shape[1])
    return made


@jax.jit
def mixed(x: Array, c: Array, g: Array, table: Table) -> Mixed:
    """Means over the drift, (chunks, n, …), from the best weights and drifts."""

    def body(_: None, piece: Any) -> tuple[None, Any]:
        x, c, g = wide(piece)
        best = _normal(x, c, g, table)
        own = best.sd / (table.drifts[1] - table.drifts[0])
        found = _summed(x, c, *_places(own, g, table), table)
        # a law that lies between two drifts of the table is normal
        pairs = zip(best, found, strict=True)
        sharp = [
            jnp.where((own < 1.0).reshape(-1, *[1] * (one.ndim - 1)), one, other)
            for one, other in pairs
        ]
        return None, Mixed(*sharp)

    found: Mixed = jax.lax.scan(body, None, (x, c, g))[1]
    return found


def _normal(x: Array, c: Array, g: Array, table: Table) -> Mixed:
    """What is known about the best drift alone, as if all were normal."""
    mean, row = modelled(table, c, g), rows(table, c, g)
    spread = jnp.linalg.inv(ridged(information(table, row, 1.0 / mean)))
    slope = jnp.einsum("nm,nlm->nl", x / mean - 1.0, row)
    slope = slope.at[:, -1].add(-table.drifts[g] / table.sd**2)
    free = c + jnp.einsum("nkl,nl->nk", spread, slope)[:, :-1]
    sd = jnp.sqrt(spread[:, -1, -1])
    return Mixed(table.drifts[g], sd, free, spread[:, :-1, :-1])


def _places(own: Array, g: Array, table: Table) -> tuple[Array, Array]:
    """Numbers of drifts (P, n) in their order, and how much of the axis each stands for.

    Even ones all over the prior, and near ones where all the height may lie between two.
    """
    last = table.drifts.shape[0] - 1
    beside = jnp.linspace(-NEAR, NEAR, 2 * HALF + 1)[:, None] * own
    near = g + jnp.rint(beside).astype(g.dtype)
    even = jnp.arange(0, last + 1, PARTS // EVEN).astype(g.dtype)
    even = jnp.broadcast_to(even[:, None], (even.size, g.size))
    at = jnp.sort(jnp.clip(jnp.concatenate([even, near]), 0, last), axis=0)
    gap = 0.5 * jnp.diff(at, axis=0)
    none = jnp.zeros((1, g.size), gap.dtype)
    return at, jnp.concatenate([none, gap]) + jnp.concatenate([gap, none])


def _summed(x: Array, c: Array, at: Array, width: Array, table: Table) -> Mixed:
    n, size = c.shape
    start = c, jnp.full(n, NOTHING), jnp.zeros((n, 3 + size + size**2))

    def one(of: tuple[Array, Array, Array], place: Any) -> tuple[Any, None]:
        g, share = place
        free, covariance, height = fitted(x, of[0], g, table)
        drift = table.drifts[g][:, None]
        square = covariance + free[:, :, None] * free[:, None]
        every = jnp.ones_like(drift), drift, drift**2, free, square.reshape(n, -1)
        told = jnp.concatenate(every, axis=1)
        height = jnp.where(
            share > 0, height + jnp.log(jnp.maximum(share, 0.1)), NOTHING
        )
        top = jnp.maximum(of[1], height)
        old, new = jnp.exp(of[1] - top), jnp.exp(height - top)
        return (free, top, old[:, None] * of[2] + new[:, None] * told), None

    found = jax.lax.scan(one, start, (at, width))[0][2]
    found = found[:, 1:] / found[:, :1]
    drift, free = found[:, 0], found[:, 2 : 2 + size]
    square = found[:, 2 + size :].reshape(-1, size, size)
    sd = jnp.sqrt(jnp.maximum(found[:, 1] - drift**2, 0.0))
    return Mixed(drift, sd, free, square - free[:, :, None] * free[:, None])


def fitted(x: Array, c: Array, g: Array, table: Table) -> tuple[Array, Array, Array]:
    """Unbounded weights (n, L) at drifts, their covariance, and the log of their share.

    Steps of Fisher's scoring from weights that are kept inside the quadrant; the height
    is that of the normal law at whose middle the last of them ends.
    """
    for _ in range(STEPS):
        c = _inside(c)
        mean, row = modelled(table, c, g), rows(table, c, g)[:, :-1]
        known = ridged(jnp.einsum("nm,nkm,nlm->nkl", 1.0 / mean, row, row))
        slope = jnp.einsum("nm,nlm->nl", x / mean - 1.0, row)
        step = jnp.linalg.solve(known, slope[..., None])[..., 0]
        c = c + step
    covariance = jnp.linalg.inv(known)
    sd = jnp.sqrt(jnp.maximum(jnp.diagonal(covariance, axis1=1, axis2=2), TINY))
    volume = -0.5 * jnp.linalg.slogdet(known)[1] + jnp.sum(log_ndtr(c / sd), axis=1)
    level = jnp.sum(jnp.where(x > 0, x * jnp.log(mean), 0.0) - mean, axis=1)
    height = level + 0.5 * jnp.sum(slope * step, axis=1) + volume
    return c, covariance, height - 0.5 * (table.drifts[g] / table.sd) ** 2
