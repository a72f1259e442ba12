"""Passes over a map, a chunk of pixels at a time: no array of map size is ever made.

The map is held as (n_chunks, n_chunk, n_channels); rows beyond the last pixel are zero
and stay so. Sums over pixels are kept in double precision whatever the data are in.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

TINY = 1e-30
PLACING = 3  # steps of the weights alone
FAINT = 1e-3  # counts; a channel that expects fewer tells less of a chi-square


def _modelled(c: Array, s: Array) -> Array:
    return jnp.maximum(c @ s, TINY)


def _one(c: Array, x: Array, s: Array, told: bool) -> tuple[Array, ...]:
    mean = _modelled(c, s)
    ratio = x / mean
    new = c * (ratio @ s.T)
    fit = jnp.full((), jnp.nan, jnp.float64)
    if told:
        seen = jnp.where(x > 0, x * jnp.log(mean), 0.0)
        fit = jnp.sum(seen, dtype=jnp.float64) - jnp.sum(c, dtype=jnp.float64)
    return new, (c.T @ ratio).astype(jnp.float64), fit


@partial(jax.jit, static_argnames="told")
def em(x: Array, c: Array, s: Array, told: bool = True) -> tuple[Array, ...]:
    """One step of expectation-maximisation for Poisson counts.

    Arguments: `x` (chunks, n, M) counts, `c` (chunks, n, K), `s` (K, M) of unit area.
    Returns: the new weights; by how much every spectrum should grow in every channel,
    times the counts of its component, (K, M); the log-likelihood at the weights and
    spectra given, up to a constant, if it is to be `told`: its logarithms take longer
    than all else.
    Source: Lee & Seung, NIPS 2000 (divergence); Cemgil, Comput. Intell. Neurosci. 2009,
    785152, eq. 5-7, for the complete data.
    """

    def body(
        total: tuple[Array, Array], piece: tuple[Array, Array]
    ) -> tuple[tuple[Array, Array], Array]:
        new, growth, fit = _one(piece[0], piece[1], s, told)
        return (total[0] + growth, total[1] + fit), new

    start = (jnp.zeros(s.shape, jnp.float64), jnp.zeros((), jnp.float64))
    (growth, fit), new = jax.lax.scan(body, start, (c, x))
    return new, growth, fit


def solved(matrix: Array, right: Array) -> Array:
    """Solutions (n, K) of many small positive definite systems (n, K, K).

    By elimination written out, which such matrices ask no pivots of: a library's
    routine takes longer to compile than all of the work on a small map.
    """
    if matrix.shape[1] > 4:
        found: Array = jnp.linalg.solve(matrix, right[..., None])[..., 0]
        return found
    both = jnp.concatenate([matrix, right[..., None]], axis=-1)
    rows = [both[:, k] for k in range(both.shape[1])]
    for k in range(len(rows)):
        row = rows[k] / rows[k][:, k, None]
        rows = [row if i == k else r - r[:, k, None] * row for i, r in enumerate(rows)]
    return jnp.stack([row[:, -1] for row in rows], axis=1)


@jax.jit
def projected(x: Array, p: Array) -> Array:
    """`x @ p` (chunks, n, K): a fixed projection has no bias whatever the weights."""
    found: Array = jax.lax.map(lambda piece: piece @ p, x)
    return found


@jax.jit
def placed(x: Array, p: Array, s: Array) -> Array:
    """Weights (chunks, n, K) near to the best for spectra: linear ones, and a few steps.

    `p` (M, K) turns counts into linear weights.
    """

    def body(_: None, x: Array) -> tuple[None, Array]:
        c = x @ p
        # a weight at zero would stay there
        c = jnp.maximum(c, 0.05 * jnp.sum(jnp.abs(c), axis=1, keepdims=True))
        step = lambda _, c: c * ((x / _modelled(c, s)) @ s.T)  # noqa: E731
        return None, jax.lax.fori_loop(0, PLACING, step, c)

    found: Array = jax.lax.scan(body, None, x)[1]
    return found


@jax.jit
def turned(c: Array, back: Array) -> Array:
    """Weights for spectra that were turned, none of them quite zero."""
    c = jnp.maximum(c @ back, 0.0)
    return c + 1e-3 * jnp.mean(c, axis=2, keepdims=True)


@partial(jax.jit, static_argnames="parts")
def summed(x: Array, part: Array, parts: int) -> Array:
    """Sums (parts, M) of the pixels of each part; `part` (chunks, n) whole numbers."""

    def body(total: Array, piece: tuple[Array, Array]) -> tuple[Array, None]:
        here = piece[0].astype(jnp.float64)
        return total + jax.ops.segment_sum(here, piece[1], parts), None

    found: Array = jax.lax.scan(body, jnp.zeros((parts, x.shape[2])), (x, part))[0]
    return found


@jax.jit
def judged(
    x: Array, c: Array, spectra: Array, rate: Array, gain: Array
) -> tuple[Array, Array, Array, Array]:
    """Unbounded one-step weights, their Fisher information, and what is left over.

    Returns (chunks, n, K) weights that may be negative, (chunks, n, K, K) information,
    (chunks, n) Pearson's chi-square and how much of it is
    expected. `rate` and `gain` (K,) as of `weighing.weights`. All is in double precision,
    a chunk at a time. The step is taken from
    weights kept a little inside the quadrant: at its edge a channel may be modelled by
    almost nothing, and one count there would have infinite weight.
    """

    def body(_: None, piece: tuple[Array, Array]) -> tuple[None, Any]:
        x, c = (one.astype(jnp.float64) for one in piece)
        s = spectra
        size = jnp.sum(c, axis=1, keepdims=True)
        inside = jnp.maximum(c, 0.02 * size)
        mean = _modelled(inside, s)
        k, m = s.shape
        pairs = (s[:, None] * s[None]).reshape(-1, m).T
        eye = jnp.eye(k, dtype=c.dtype)
        # weights that are lifted off zero never lie there
        safe = jnp.where(gain > 0, jnp.maximum(inside, TINY), 1.0)
        known = ((1.0 / mean) @ pairs).reshape(-1, k, k)
        known = known + eye * (gain / safe**2)[:, None]
        ridge = 1e-10 * jnp.max(known, axis=(1, 2))[:, None, None] * eye[None]
        slope = (x / mean - 1.0) @ s.T - rate + gain / safe
        step = solved(known + ridge, slope)
        fitted = c @ s
        over = x - fitted
        chi = jnp.sum(over**2 / jnp.maximum(fitted, FAINT), axis=1)
        told = jnp.sum(jnp.minimum(fitted / FAINT, 1.0), axis=1)
        out = (inside + step, known, chi, told)
        return None, out

    found: tuple[Array, Array, Array, Array] = jax.lax.scan(body, None, (x, c))[1]
    return found
