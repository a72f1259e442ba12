"""Passes over a map whose pixels each have an axis of their own, moved by a drift.

What is expected of a pixel is  mean_m = sum_k c_k S_k(E_m - drift) + sum_b c_b L_b(E_m),
with spectra S that drift and power laws L that need not. Maximised over the pixels, and
over the spectra, is a bound of the likelihood with the drift integrated out,
  average of  sum_m [ x_m log mean_m - mean_m ] - drift^2 / 2 sd^2  over the drift
  + log of the drift's own spread,
the average over a normal law by three places of it, along which the weights move, too
(Jordan, Ghahramani, Jaakkola & Saul, Mach. Learn. 37, 183, 1999). Instead of the one best
drift, which would follow the noise of each pixel and find spectra too sharp. Drifts are
whole numbers of a fine step, so that the spectra of all of them are a table and a
pixel's a row of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from specfit.maps.passes import TINY
from specfit.maps.weighing import direction

PLACES = ((-1, 1 / 6), (0, 2 / 3), (1, 1 / 6))
"""Of a normal law at its middle and 1.73 standard deviations beside it (Gauss-Hermite)."""
APART = 3.0**0.5
LOOKED = 9  # places of the drift that are looked at,
FIRST, TRIES = 6, 3  # and steps from each, of the weights alone and of both
DONE = 1e-4  # of what a step could add to a pixel's objective


class Table(NamedTuple):
    """Spectra (G, K, M) of every drift, derivatives by it, laws (B, M), drifts (G,), sd.

    `area` (G, K) of the spectra and `level` (B,) of the laws over the channels.
    """

    spectra: Array
    slopes: Array
    laws: Array
    drifts: Array
    area: Array
    level: Array
    sd: Array


class Pixels(NamedTuple):
    """Weights (n, L), the number (n,) of the drift, and how far either may be moved.

    `wide` (n,) numbers of the drift, and `tilt` (n, L) weights, to the place beside.
    """

    c: Array
    g: Array
    wide: Array
    tilt: Array


def _beside(table: Table, now: Pixels, at: int) -> tuple[Array, Array]:
    """Weights and drifts at one of the places."""
    last = table.drifts.shape[0] - 1
    g = jnp.clip(now.g + at * now.wide, 0, last)
    return jnp.maximum(now.c + at * now.tilt, 0.0), g


def _areas(table: Table, g: Array) -> Array:
    own = table.area[g]
    level = jnp.broadcast_to(table.level, (g.shape[0], table.level.shape[0]))
    return jnp.concatenate([own, level], axis=1)


def modelled(table: Table, c: Array, g: Array) -> Array:
    """What is expected of pixels, (n, M)."""
    k = table.spectra.shape[1]
    own = jnp.einsum("nk,nkm->nm", c[:, :k], table.spectra[g])
    return jnp.maximum(own + c[:, k:] @ table.laws, TINY)


def height(table: Table, x: Array, now: Pixels) -> Array:
    """The objective (n,) of pixels with counts (n, M)."""
    found = jnp.log(now.wide.astype(x.dtype))
    for at, share in PLACES:
        c, g = _beside(table, now, at)
        mean = modelled(table, c, g)
        seen = jnp.sum(jnp.where(x > 0, x * jnp.log(mean), 0.0), axis=1)
        away = table.drifts[g] / table.sd
        level = jnp.sum(c * _areas(table, g), axis=1)
        found += share * (seen - level - 0.5 * away**2)
    return found


def rows(table: Table, c: Array, g: Array) -> Array:
    """Derivatives (n, L + 1, M) of what is expected by weights and drift."""
    k = table.spectra.shape[1]
    laws = jnp.broadcast_to(table.laws, (g.shape[0], *table.laws.shape))
    drift = jnp.einsum("nk,nkm->nm", c[:, :k], table.slopes[g])[:, None]
    return jnp.concatenate([table.spectra[g], laws, drift], axis=1)


def information(table: Table, row: Array, weight: Array) -> Array:
    """Information (n, L + 1, L + 1) of rows with weights (n, M), and of the prior."""
    known = jnp.einsum("nm,nkm,nlm->nkl", weight, row, row)
    last = jnp.zeros(row.shape[1]).at[-1].set(1.0)
    return known + jnp.diag(last / table.sd**2)


def _spread(table: Table, known: Array, free: Array) -> tuple[Array, Array]:
    """`wide` and `tilt` of pixels by their information; weights not `free` stay."""
    eye = jnp.eye(known.shape[1])
    scale = jnp.sqrt(jnp.maximum(jnp.diagonal(known, axis1=1, axis2=2), TINY))
    even = known / (scale[:, :, None] * scale[:, None])
    both = free[:, :, None] & free[:, None]
    even = jnp.where(both, even, eye) + 1e-9 * eye
    last = jnp.linalg.solve(even, jnp.broadcast_to(eye[-1], scale.shape)[..., None])
    cross = last[..., 0] / scale * jnp.where(free, 1.0, 0.0) / scale[:, -1:]
    unit = table.drifts[1] - table.drifts[0]
    wide = jnp.rint(APART * jnp.sqrt(cross[:, -1]) / unit)
    wide = jnp.clip(wide, 1, table.drifts.shape[0] // 4)
    tilt = cross[:, :-1] / cross[:, -1:] * (wide * unit)[:, None]
    return wide, tilt


def better(table: Table, x: Array, now: Pixels) -> tuple[Pixels, Array]:
    """A step of Newton's in weights and drift together, and the objective: no fall."""
    c, g = now.c, now.g
    mean, row = modelled(table, c, g), rows(table, c, g)
    ratio, drift = x / mean, table.drifts[g]
    slope = jnp.einsum("nm,nlm->nl", ratio - 1.0, row)
    slope = slope.at[:, -1].add(-drift / table.sd**2)
    known = information(table, row, ratio / mean)
    zero = jnp.concatenate([c <= 0, jnp.zeros((c.shape[0], 1), bool)], axis=1)
    step = direction(slope, known, zero)
    wide, tilt = _spread(table, known, ~(zero & (slope <= 0)))
    wide = wide.astype(g.dtype)
    first = height(table, x, now)
    unit, last = table.drifts[1] - table.drifts[0], table.drifts.shape[0] - 1
    most = table.sd / unit

    def tried(best: tuple[Pixels, Array], length: float) -> tuple[Pixels, Array]:
        far = jnp.clip(jnp.rint(length * step[:, -1] / unit), -most, most)
        moved = jnp.clip(g + far.astype(g.dtype), 0, last)
        weights = jnp.maximum(c + length * step[:, :-1], 0.0)
        return _best(table, x, best, Pixels(weights, moved, wide, tilt))

    def safer(best: tuple[Pixels, Array]) -> tuple[Pixels, Array]:
        plain = c * jnp.einsum("nm,nlm->nl", ratio, row[:, :-1]) / _areas(table, g)
        best = _best(table, x, best, now._replace(c=plain))
        return tried(tried(best, 0.4), 0.1)

    best = tried((now, first), 1.0)
    done = 0.5 * jnp.sum(slope * step, axis=1) < DONE
    stuck = jnp.any((best[1] <= first) & ~done)
    found: tuple[Pixels, Array] = jax.lax.cond(stuck, safer, lambda one: one, best)
    return found


def _best(
    table: Table, x: Array, best: tuple[Pixels, Array], new: Pixels
) -> tuple[Pixels, Array]:
    reached = height(table, x, new)
    higher = reached > best[1]
    pairs = zip(new, best[0], strict=True)
    kept = (
        jnp.where(higher.reshape(-1, *[1] * (one.ndim - 1)), one, old)
        for one, old in pairs
    )
    return Pixels(*kept), jnp.where(higher, reached, best[1])


@jax.jit
def stepped(x: Array, now: Pixels, table: Table) -> tuple[Pixels, Array]:
    """Better weights and drifts of all pixels, and the objective (chunks, n) there."""

    def body(_: None, piece: Any) -> tuple[None, Any]:
        return None, better(table, piece[0].astype(jnp.float64), piece[1])

    found: tuple[Pixels, Array] = jax.lax.scan(body, None, (x, now))[1]
    return found


@jax.jit
def elsewhere(x: Array, now: Pixels, table: Table) -> tuple[Pixels, Array]:
    """As `stepped`, from drifts all over the prior: a line may be taken for another's.

    Edges of two components are as far apart as drifts are wide, and a pixel of one that
    drifted may look like one of the other that did not.
    """
    starts = jnp.rint(jnp.linspace(0.0, 1.0, LOOKED) * (table.drifts.shape[0] - 1))

    def body(_: None, piece: Any) -> tuple[None, Any]:
        x, own = piece[0].astype(jnp.float64), piece[1]
        size = jnp.sum(own.c, axis=1, keepdims=True) / own.c.shape[1]

        def one(best: tuple[Pixels, Array], at: Array) -> tuple[Any, None]:
            g = jnp.full_like(own.g, at.astype(own.g.dtype))
            row = rows(table, own.c, g)[:, :-1]

            def plain(_: int, c: Array) -> Array:
                ratio = x / modelled(table, c, g)
                return c * jnp.einsum("nm,nlm->nl", ratio, row) / _areas(table, g)

            c = jax.lax.fori_loop(0, FIRST, plain, size + 0.0 * own.c)
            new = Pixels(c, g, own.wide, 0.0 * c)
            step = lambda _, new: better(table, x, new)[0]  # noqa: E731
            return _best(table, x, best, jax.lax.fori_loop(0, TRIES, step, new)), None

        return None, jax.lax.scan(one, (own, height(table, x, own)), starts)[0]

    found: tuple[Pixels, Array] = jax.lax.scan(body, None, (x, now))[1]
    return found


@jax.jit
def expected(x: Array, now: Pixels, table: Table) -> tuple[Array, Array]:
    """Ratios (G, K, M) of counts to what is expected, weighted, and weights (G, K).

    By the number of the drift; the statistics of a step of expectation-maximisation.
    """
    k = table.spectra.shape[1]

    def body(
        total: tuple[Array, Array], piece: Any
    ) -> tuple[tuple[Array, Array], None]:
        x, now = piece[0].astype(jnp.float64), piece[1]
        for at, share in PLACES:
            c, g = _beside(table, now, at)
            ratio = share * x / modelled(table, c, g)
            own = c[:, :k, None] * ratio[:, None]
            total = (
                total[0].at[g].add(own),
                total[1].at[g].add(share * c[:, :k]),
            )
        return total, None

    start = jnp.zeros(table.spectra.shape), jnp.zeros(table.area.shape)
    found: tuple[Array, Array] = jax.lax.scan(body, start, (x, now))[0]
    return found
