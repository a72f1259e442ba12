"""The weights of every pixel for fixed spectra: small concave problems, solved at once.

Maximised over c >= 0 is  sum_m [ x_m log (c S)_m ] - sum_k c_k / damp_k
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

from specfit.maps.passes import TINY

RISE = 1e-6
"""A pixel is done when a Newton step could raise its log-posterior by no more."""
ROUNDING = 1e-13
"""Or by no more than this share of it, which double precision cannot show."""
RIDGE = 1e-10
"""Share of the curvature that is added to it: collinear spectra still have a step."""
FIRST = 3  # steps of expectation-maximisation before any other


class Asked(NamedTuple):
    """Counts (n, M) of pixels, spectra (K, M), their products (M, K K), the prior."""

    x: Array
    s: Array
    pairs: Array
    damp: Array
    gain: Array


class Reached(NamedTuple):
    """Weights (n, K), their log-posterior (n,), pixels that are done, steps taken."""

    c: Array
    height: Array
    done: Array
    step: Array


@partial(jax.jit, static_argnames="steps")
def weights(
    x: Array, c: Array, s: Array, damp: Array, gain: Array, steps: int
) -> tuple[Array, Array]:
    """The weights (chunks, n, K) of greatest posterior, and which pixels are done.

    Arguments: as of `passes.em`; `steps` at most are taken. No pixel's log-posterior
    ever falls. Done (chunks, n) is where what is left to gain is below `RISE`. All is
    in double precision, a chunk at a time: single precision cannot tell power laws
    apart.
    """
    kind = x.dtype
    s, damp, gain = (v.astype(jnp.float64) for v in (s, damp, gain))
    pairs = (s[:, None] * s[None]).reshape(-1, s.shape[1]).T

    def body(_: None, piece: tuple[Array, Array]) -> tuple[None, Any]:
        asked = Asked(piece[0].astype(jnp.float64), s, pairs, damp, gain)
        found = _chunk(asked, piece[1].astype(jnp.float64), steps)
        return None, (found.c.astype(kind), found.done)

    found: tuple[Array, Array] = jax.lax.scan(body, None, (x, c))[1]
    return found


def _chunk(asked: Asked, c: Array, steps: int) -> Reached:
    for _ in range(FIRST):
        c = _plain(asked, c)
    height = _height(asked, c)
    start = Reached(c, height, jnp.zeros(height.shape, bool), jnp.asarray(0))

    def unfinished(now: Reached) -> Array:
        return (now.step < steps) & ~jnp.all(now.done)

    return jax.lax.while_loop(unfinished, partial(_better, asked), start)


def _height(asked: Asked, c: Array) -> Array:
    mean = jnp.maximum(c @ asked.s, TINY)
    seen = jnp.sum(jnp.where(asked.x > 0, asked.x * jnp.log(mean), 0.0), axis=1)
    lift = jnp.where(asked.gain > 0, asked.gain * jnp.log(jnp.maximum(c, TINY)), 0.0)
    return seen + jnp.sum(lift - c / asked.damp, axis=1)


def _plain(asked: Asked, c: Array) -> Array:
    ratio = asked.x / jnp.maximum(c @ asked.s, TINY)
    return (c * (ratio @ asked.s.T) + asked.gain) * asked.damp


def _slopes(asked: Asked, c: Array) -> tuple[Array, Array]:
    """Slope (n, K) of the log-posterior and its curvature (n, K, K), sign turned."""
    n, k = c.shape
    mean = jnp.maximum(c @ asked.s, TINY)
    ratio, safe = asked.x / mean, jnp.maximum(c, TINY)
    # weights that are lifted off zero never lie there
    slope = ratio @ asked.s.T - 1.0 / asked.damp + asked.gain / safe
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

    def solved(held: Array) -> Array:
        free = ~held
        both = free[:, :, None] & free[:, None]
        matrix = jnp.where(both, scaled, eye)
        right = jnp.where(free, slope / size, 0.0)
        found: Array = jnp.linalg.solve(matrix, right[..., None])[..., 0] / size
        return found

    def again(now: tuple[Array, Array]) -> tuple[Array, Array]:
        held = now[0] | (zero & (now[1] < 0))
        return held, solved(held)

    def pushed(now: tuple[Array, Array]) -> Array:
        return jnp.any(zero & ~now[0] & (now[1] < 0))

    held = zero & (slope <= 0)
    step: Array = jax.lax.while_loop(pushed, again, (held, solved(held)))[1]
    return step


def _better(asked: Asked, now: Reached) -> Reached:
    """The best of a step bent at zero, one cut there, and safer ones if need be."""
    c = now.c
    slope, curve = _slopes(asked, c)
    step = direction(slope, curve, c <= 0)
    rise = 0.5 * jnp.sum(slope * step, axis=1)
    done = now.done | (rise <= RISE + ROUNDING * jnp.abs(now.height))
    falling = step < 0
    reach = jnp.where(falling, c / jnp.where(falling, -step, 1.0), jnp.inf)
    length = jnp.minimum(jnp.min(reach, axis=1, keepdims=True), 1.0)
    # weights whose prior is zero at zero come nearer and never there
    least = jnp.where(asked.gain > 0, 0.1 * c, 0.0)
    cut = jnp.where(reach <= length, least, jnp.maximum(c + length * step, least))
    best = _best(asked, (c, now.height), (jnp.maximum(c + step, least), cut))

    def safer(best: tuple[Array, Array]) -> tuple[Array, Array]:
        parts = [jnp.maximum(c + part * length * step, 0.0) for part in (0.5, 0.1)]
        return _best(asked, best, (*parts, _plain(asked, c)))

    stuck = jnp.any((best[1] <= now.height) & ~done)
    c, height = jax.lax.cond(stuck, safer, lambda best: best, best)
    return Reached(c, height, done, now.step + 1)


def _best(
    asked: Asked, now: tuple[Array, Array], tried: tuple[Array, ...]
) -> tuple[Array, Array]:
    c, height = now
    for one in tried:
        reached = _height(asked, one)
        higher = reached > height
        c = jnp.where(higher[:, None], one, c)
        height = jnp.where(higher, reached, height)
    return c, height
