"""The weights of every pixel for fixed spectra: small concave problems, solved at once.

Maximised over c >= 0 is  sum_m [ x_m log (c S)_m ] - sum_k (1 + rate_k) c_k
                        + sum_k gain_k log c_k
by Newton's steps on the weights that are not held at zero (Bertsekas, SIAM J. Control
Optim. 20, 221, 1982), with steps of expectation-maximisation where one does not rise.
Instead of expectation-maximisation alone, which creeps where spectra are nearly
collinear, as power laws over a tenth of an axis are.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from specfit.maps.passes import TINY, solved

RISE = 1e-6
"""A pixel is done when a Newton step could raise its log-posterior by no more."""
ROUNDING = 1e-13
"""Or by no more than this share of it, which double precision cannot show."""
RIDGE = 1e-10
"""Share of the curvature that is added to it: collinear spectra still have a step."""


class Asked(NamedTuple):
    """Counts (n, M) of pixels, spectra (K, M), their products (M, K K), the prior."""

    x: Array
    s: Array
    pairs: Array
    rate: Array
    gain: Array


class Reached(NamedTuple):
    """Weights (n, K), their log-posterior (n,), a step (n, K) on, what is done, how far."""

    c: Array
    height: Array
    toward: Array
    done: Array
    step: Array


@jax.jit
def weights(
    x: Array, c: Array, s: Array, rate: Array, gain: Array, steps: int
) -> tuple[Array, Array]:
    """The weights (chunks, n, K) of greatest posterior, and which pixels are done.

    Arguments: as of `passes.em`; `rate` and `gain` (K,) of a gamma law of the weights, of
    scale 1 / rate and shape `gain` in the logarithm of a weight, 0 for none; `steps` at
    most are taken. No pixel's log-posterior ever falls. Done (chunks, n) is where what is
    left to gain is below `RISE`. All is in double precision, a chunk at a time: single
    precision cannot tell power laws apart.
    """
    kind = x.dtype
    s = s.astype(jnp.float64)
    pairs = (s[:, None] * s[None]).reshape(-1, s.shape[1]).T

    def body(_: None, piece: tuple[Array, Array]) -> tuple[None, Any]:
        asked = Asked(piece[0].astype(jnp.float64), s, pairs, rate, gain)
        found = _chunk(asked, piece[1].astype(jnp.float64), steps)
        return None, (found.c.astype(kind), found.done)

    found: tuple[Array, Array] = jax.lax.scan(body, None, (x, c))[1]
    return found


@jax.jit
def sloped(
    x: Array, c: Array, s: Array, rate: Array, gain: Array
) -> tuple[Array, Array, Array]:
    """The log-posterior (chunks, n), its slope (…, K) and its curvature (…, K, K)."""
    pairs = (s[:, None] * s[None]).reshape(-1, s.shape[1]).T

    def body(_: None, piece: tuple[Array, Array]) -> tuple[None, Any]:
        asked = Asked(piece[0].astype(jnp.float64), s, pairs, rate, gain)
        return None, (_height(asked, piece[1]), *_slopes(asked, piece[1]))

    found: tuple[Array, Array, Array] = jax.lax.scan(body, None, (x, c))[1]
    return found


def _chunk(asked: Asked, c: Array, steps: int) -> Reached:
    nowhere = jnp.full(c.shape[0], -jnp.inf)  # the first step stays, and looks around
    undone = jnp.zeros(c.shape[0], bool)
    start = Reached(_plain(asked, c), nowhere, 0.0 * c, undone, jnp.asarray(-1))

    def unfinished(now: Reached) -> Array:
        return (now.step < steps) & ~jnp.all(now.done)

    return jax.lax.while_loop(unfinished, partial(_better, asked), start)


def _height(asked: Asked, c: Array) -> Array:
    mean = jnp.maximum(c @ asked.s, TINY)
    seen = jnp.sum(jnp.where(asked.x > 0, asked.x * jnp.log(mean), 0.0), axis=1)
    lift = jnp.where(asked.gain > 0, asked.gain * jnp.log(jnp.maximum(c, TINY)), 0.0)
    return seen + jnp.sum(lift - c * (1.0 + asked.rate), axis=1)


def _plain(asked: Asked, c: Array) -> Array:
    ratio = asked.x / jnp.maximum(c @ asked.s, TINY)
    return (c * (ratio @ asked.s.T) + asked.gain) / (1.0 + asked.rate)


def _slopes(asked: Asked, c: Array) -> tuple[Array, Array]:
    """Slope (n, K) of the log-posterior and its curvature (n, K, K), sign turned."""
    n, k = c.shape
    mean = jnp.maximum(c @ asked.s, TINY)
    ratio, safe = asked.x / mean, jnp.maximum(c, TINY)
    # weights that are lifted off zero never lie there
    slope = ratio @ asked.s.T - (1.0 + asked.rate) + asked.gain / safe
    curve = ((ratio / mean) @ asked.pairs).reshape(n, k, k)
    return slope, curve + jnp.eye(k) * (asked.gain / safe**2)[:, None]


def direction(slope: Array, curve: Array, zero: Array) -> Array:
    """Newton's step (n, K) within the weights that it does not push below zero.

    `zero` (n, K) says which weights are at zero; those that the step would lower are
    held, and the step of the others is found anew.
    """
    size = jnp.sqrt(jnp.maximum(jnp.diagonal(curve, axis1=1, axis2=2), TINY))
    eye = jnp.eye(slope.shape[1])
    scaled = curve / (size[:, :, None] * size[:, None]) + RIDGE * eye

    def again(now: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        held = now[0]
        both = ~held[:, :, None] & ~held[:, None]
        right = jnp.where(held, 0.0, slope / size)
        step = solved(jnp.where(both, scaled, eye), right) / size
        pushed = zero & ~held & (step < 0)
        return held | pushed, step, jnp.any(pushed)

    start = (zero & (slope <= 0), slope, jnp.asarray(True))
    step: Array = jax.lax.while_loop(lambda now: now[2], again, start)[1]
    return step


def _better(asked: Asked, now: Reached) -> Reached:
    """The best of a step bent at zero, one cut there, and safer ones if need be."""
    c, step = now.c, now.toward
    reach = jnp.where(step < 0, c / jnp.where(step < 0, -step, 1.0), jnp.inf)
    length = jnp.minimum(jnp.min(reach, axis=1, keepdims=True), 1.0)
    # weights whose prior is zero at zero come nearer and never there
    least = jnp.where(asked.gain > 0, 0.1 * c, 0.0)
    bent = jnp.maximum(c + step, least)
    cut = jnp.where(reach <= length, least, jnp.maximum(c + length * step, least))
    best: tuple[Array, Array] = _best(asked, (c, now.height), bent)[0]

    def safer(best: tuple[Array, Array]) -> tuple[Array, Array]:
        parts = [jnp.maximum(c + part * length * step, 0.0) for part in (0.5, 0.1)]
        tried = jnp.stack([*parts, _plain(asked, c)])
        found: tuple[Array, Array] = jax.lax.scan(partial(_best, asked), best, tried)[0]
        return found

    def other(best: tuple[Array, Array]) -> tuple[Array, Array]:
        best = _best(asked, best, cut)[0]
        stuck = jnp.any((best[1] <= now.height) & ~now.done)
        found: tuple[Array, Array] = jax.lax.cond(stuck, safer, lambda one: one, best)
        return found

    crosses = (length[:, 0] < 1.0) | (best[1] <= now.height)
    asks = jnp.any(crosses & ~now.done)
    c, height = jax.lax.cond(asks, other, lambda best: best, best)
    slope, curve = _slopes(asked, c)
    toward = direction(slope, curve, c <= 0)
    rise = 0.5 * jnp.sum(slope * toward, axis=1)
    done = now.done | (rise <= RISE + ROUNDING * jnp.abs(height))
    return Reached(c, height, toward, done, now.step + 1)


def _best(
    asked: Asked, now: tuple[Array, Array], tried: Array
) -> tuple[tuple[Array, Array], None]:
    """The higher of two, pixel by pixel."""
    reached = _height(asked, tried)
    higher = reached > now[1]
    c = jnp.where(higher[:, None], tried, now[0])
    return (c, jnp.where(higher, reached, now[1])), None
