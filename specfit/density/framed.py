"""Parts of a whole that the data know: the simplex in coordinates in which they are straight.

Cut like a stick in logarithms, a weight of 0.01 ± 0.01 beside one of 0.5 that must give
what the first takes makes a valley that curves by a right angle; no fixed metric follows
it.  Here part k is a logistic variable, cut off at 0 and at what is left, about the mean
and with the scale that the data give it for the parts before it and the other unknowns:
straight where it is well inside, falling off to its bound where it is not.

    x = s log(1 + e^L),  L = t + log(e^ρ − 1) + log(1 + e^μ) − log(e^ρ + e^μ + e^t (1 + e^μ))

with ρ = left / s, μ = mean / s and t = log(Φ(z) / Φ(−z)), which gives z the tails of a
normal; what is left after it has the like form, so neither loses digits near its bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, ndtri

from specfit.contracts import Array

_LEAST = -650.0


def forward(
    z: Array, others: Array, frame: Mapping[str, Any], total: float
) -> tuple[Array, Array]:
    """Parts (n,) of `total` from z (n − 1,), and the log Jacobian of the first n − 1.

    others: coordinates of the unknowns outside; frame: as `frames` makes it.
    """
    left = jnp.asarray(total, z.dtype)
    mean0 = frame["mean"] + frame["outside"] @ others
    parts: list[Array] = []
    log_jacobian = jnp.zeros((), z.dtype)
    for k in range(z.shape[0]):
        before = [frame["inside"][k, j] * parts[j] for j in range(k)]
        scale = frame["scale"][k]
        bend = _Bend(left / scale, sum(before, mean0[k]) / scale)
        part, rest, slope = bend.forward(z[k])
        parts.append(scale * part)
        left = scale * rest
        log_jacobian = log_jacobian + slope + jnp.log(scale)
    ordered = jnp.stack([*parts, left])
    return ordered[jnp.argsort(frame["order"])], log_jacobian


def inverse(x: Array, others: Array, frame: Mapping[str, Any]) -> Array:
    """The z (n − 1,) that `forward` maps to x (n,), all positive."""
    parts = x[frame["order"]]
    left = jnp.cumsum(parts[::-1])[::-1]
    mean0 = frame["mean"] + frame["outside"] @ others
    found = []
    for k in range(parts.shape[0] - 1):
        before = [frame["inside"][k, j] * parts[j] for j in range(k)]
        scale = frame["scale"][k]
        bend = _Bend(left[k] / scale, sum(before, mean0[k]) / scale)
        found.append(bend.inverse(parts[k] / scale, left[k + 1] / scale))
    return jnp.stack(found)


class _Bend:
    """One part in units of its scale: what is there for it, and where it should lie."""

    def __init__(self, whole: Array, mean: Array) -> None:
        self.whole, self.mean = whole, mean
        self.open = jax.nn.softplus(mean)  # log(1 + e^μ)
        self.both = jnp.logaddexp(whole, mean)  # log(e^ρ + e^μ)
        self.room = whole + _log1mexp(whole)  # log(e^ρ − 1)

    def forward(self, z: Array) -> tuple[Array, Array, Array]:
        """The part, what is left, and the log of the slope of the part."""
        odds, slope = _odds(z)
        over = odds + self.open
        part = odds + self.room + self.open - jnp.logaddexp(self.both, over)
        rest = self.room + self.both - jnp.logaddexp(self.both, over + self.whole)
        part, rest = jnp.maximum(part, _LEAST), jnp.maximum(rest, _LEAST)
        slope = slope + jax.nn.log_sigmoid(part) + jax.nn.log_sigmoid(self.both - over)
        return jax.nn.softplus(part), jax.nn.softplus(rest), slope

    def inverse(self, part: Array, rest: Array) -> Array:
        """The z of a part that leaves `rest`."""
        up = part + _log1mexp(part)  # log(e^ξ − 1)
        down = self.whole + _log1mexp(rest)  # log(e^ρ − e^ξ)
        odds = jnp.clip(up + self.both - self.open - down, _LEAST, -_LEAST)
        found: Array = -jnp.sign(odds) * ndtri(jax.nn.sigmoid(-jnp.abs(odds)))
        return found


def _odds(z: Array) -> tuple[Array, Array]:
    """log(Φ(z) / Φ(−z)), and the log of its slope: a normal z has a logistic one."""
    below, above = log_ndtr(z), log_ndtr(-z)
    density = -0.5 * (z * z + jnp.log(2.0 * jnp.pi))
    return below - above, density - below - above


def _log1mexp(x: Array) -> Array:
    """log(1 − e^−x) for x > 0, in full precision at both ends."""
    small = x < 0.693
    near = jnp.log(-jnp.expm1(-jnp.where(small, x, 0.5)))
    return jnp.where(small, near, jnp.log1p(-jnp.exp(-jnp.where(small, 1.0, x))))
