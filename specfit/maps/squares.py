"""Passes over a map of even, known noise: weights by non-negative least squares.

Maximised over c >= 0 is  c.b - c.G.c / 2  with b = S x and G = S S^T, by Newton's steps
bent or cut at zero and a round of coordinates, which never falls (Hildreth, Nav. Res.
Logist. Q. 4, 79, 1957; Cichocki & Phan, IEICE Trans. E92-A, 708, 2009).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from specfit.maps.weighing import direction

STEPS = 40
ENOUGH = 1e-6
"""A pixel is done when a step could lower its chi-square by no more than twice this."""


def _height(b: Array, gram: Array, c: Array) -> Array:
    return jnp.sum(c * b, axis=1) - 0.5 * jnp.einsum("nk,kl,nl->n", c, gram, c)


def _round(b: Array, gram: Array, c: Array) -> Array:
    """Every weight in turn the best for the others."""
    for k in range(gram.shape[0]):
        slope = b[:, k] - c @ gram[:, k]
        best = jnp.maximum(c[:, k] + slope / gram[k, k], 0.0)
        c = c.at[:, k].set(best)
    return c


def _better(b: Array, gram: Array, c: Array) -> tuple[Array, Array]:
    slope = b - c @ gram
    curve = jnp.broadcast_to(gram, (c.shape[0], *gram.shape))
    step = direction(slope, curve, c <= 0)
    falling = step < 0
    reach = jnp.where(falling, c / jnp.where(falling, -step, 1.0), jnp.inf)
    length = jnp.minimum(jnp.min(reach, axis=1, keepdims=True), 1.0)
    cut = jnp.where(reach <= length, 0.0, jnp.maximum(c + length * step, 0.0))
    height = _height(b, gram, c)
    for one in (jnp.maximum(c + step, 0.0), cut):
        reached = _height(b, gram, one)
        c = jnp.where((reached > height)[:, None], one, c)
        height = jnp.maximum(reached, height)
    return _round(b, gram, c), 0.5 * jnp.sum(slope * step, axis=1)


def _chunk(b: Array, gram: Array, c: Array, least: Array) -> tuple[Array, Array]:
    """Weights (n, L) and which pixels are done."""

    def again(now: tuple[Array, Array, Array]) -> Array:
        return (now[2] < STEPS) & ~jnp.all(now[1])

    def body(now: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        c, rise = _better(b, gram, now[0])
        return c, rise <= least, now[2] + 1

    start = _round(b, gram, c), jnp.zeros(c.shape[0], bool), jnp.asarray(0)
    c, done, _ = jax.lax.while_loop(again, body, start)
    return c, done


@jax.jit
def fitted(x: Array, c: Array, s: Array, sd: Array, rate: Array) -> tuple[Array, ...]:
    """The best weights for spectra s (L, M), and what better spectra are made of.

    Arguments: x (chunks, n, M), weights c (chunks, n, L) to start from, `sd` of the
    noise, `rate` (L,) of an exponential law of the weights, 0 for none. Returns
    weights, which pixels are done, C^T X (L, M) and C^T C (L, L).
    """
    gram = s @ s.T
    start = jnp.zeros(s.shape), jnp.zeros(gram.shape)

    def body(total: tuple[Array, Array], piece: Any) -> tuple[tuple[Array, Array], Any]:
        x = piece[0].astype(jnp.float64)
        b, start = x @ s.T - rate * sd**2, piece[1].astype(jnp.float64)
        c, done = _chunk(b, gram, start, ENOUGH * sd**2)
        return (total[0] + c.T @ x, total[1] + c.T @ c), (
            c.astype(piece[1].dtype),
            done,
        )

    (seen, own), (c, done) = jax.lax.scan(body, start, (x, c))
    return c, done, seen, own


@jax.jit
def size(x: Array) -> Array:
    """The sum of all squares, in double precision."""
    add = lambda total, piece: (total + jnp.sum(piece.astype(jnp.float64) ** 2), None)  # noqa: E731
    found: Array = jax.lax.scan(add, jnp.zeros(()), x)[0]
    return found


@jax.jit
def judged(x: Array, c: Array, s: Array, sd: Array) -> tuple[Array, ...]:
    """Unbounded weights (chunks, n, L), the sum of residuals (M,), chi-square (chunks, n)."""
    back = jnp.linalg.pinv(s)

    def body(left: Array, piece: Any) -> tuple[Array, Any]:
        x = piece[0].astype(jnp.float64)
        over = x - piece[1].astype(jnp.float64) @ s
        chi = jnp.sum(over**2, axis=1) / sd**2
        return left + jnp.sum(over, axis=0), (x @ back, chi)

    left, (free, chi) = jax.lax.scan(body, jnp.zeros(s.shape[1]), (x, c))
    return free, left, chi
