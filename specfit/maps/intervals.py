"""Intervals of fractions: normal in the quadrant, cut at 0 and 1.

The shortest 90 % of a normal law cut to [0, 1] holds the truth in about 90 % of pixels
both where a pixel is pure and where it is not; equal tails never would hold a 0 or a 1.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from specfit.maps.found import Array


def shortest(mean: Array, sd: Array, level: float = 0.9) -> tuple[Array, Array]:
    """Shortest intervals of normal laws cut to [0, 1]; shapes as given."""
    sd = np.maximum(sd, 1e-12)
    # a centre far outside would leave nothing of the law between the bounds
    mean = np.clip(mean, -6.0 * sd, 1.0 + 6.0 * sd)
    a, b = ndtr(-mean / sd), ndtr((1.0 - mean) / sd)
    held = level * (b - a)
    middle = ndtri(0.5 + 0.5 * held)
    low, high = mean - middle * sd, mean + middle * sd
    down, up = low < 0.0, high > 1.0
    top = mean + sd * ndtri(np.clip(a + held, 1e-300, 1.0))
    bottom = mean + sd * ndtri(np.clip(b - held, 1e-300, 1.0))
    high = np.where(down, top, high)
    low = np.where(down, 0.0, np.where(up, bottom, low))
    high = np.where(up & ~down, 1.0, high)
    low = np.where(high > 1.0, bottom, low)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def share(weights: Array) -> Array:
    """Weights (…, K) as fractions of their sum; NaN where the sum is not positive."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), np.nan)


def counting(weights: Array, information: Array) -> Array:
    """Standard deviation (n, K) of fractions by counting, by the Cramér-Rao bound.

    Arguments: weights (n, K) of the components, information (n, L, L) of all weights of
    a pixel, components first. The fraction f_k has the gradient (1 - f_k, -f_k …) / sum.
    """
    n, k = weights.shape
    ridge = 1e-9 * np.trace(information, axis1=1, axis2=2)[:, None, None] + 1e-300
    size = information.shape[1]
    covariance = np.linalg.inv(information + ridge * np.eye(size)[None])[:, :k, :k]
    fraction = share(weights)
    slope = np.broadcast_to(np.eye(k)[None], (n, k, k)) - fraction[:, :, None]
    total = weights.sum(axis=1)[:, None]
    variance = np.einsum("nij,njl,nil->ni", slope, covariance, slope)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)) / total)


def spread(
    free: Array, turns: Array, level: float = 0.9, chunk: int = 1024
) -> tuple[Array, Array, Array]:
    """Standard deviation and distances down and up of fractions over rotations.

    Spectra `turn @ S` have the weights `free @ inv(turn)`. The distances (n, K) are from
    the fraction of `free` itself to the quantiles between which `level` of the rotations
    lie: the best one often lies at the very end of what is possible, and a symmetric
    band would leave it out.
    """
    back, tail = np.linalg.inv(turns), 0.5 * (1.0 - level)
    found = []
    for i in range(0, free.shape[0], chunk):
        piece = free[i : i + chunk]
        fractions = share(np.einsum("nk,dkl->dnl", piece, back))
        last = fractions.shape[0] - 1
        ends = round(tail * last), round((1.0 - tail) * last)
        low, high = np.partition(fractions, ends, axis=0)[ends, :]
        at = share(piece)
        down, up = np.maximum(at - low, 0.0), np.maximum(high - at, 0.0)
        # no share between 0 and 1 has a larger one
        spread = np.minimum(fractions.std(axis=0), 0.5)
        found.append(np.stack([spread, down, up]))
    sd, down, up = np.concatenate(found, axis=1)
    return sd, down, up


def means(free: Array, turns: Array, chunk: int = 1024) -> Array:
    """The mean fraction (D, K) over pixels of every rotation, as of `spread`.

    Not cut at 0 and 1, where the mean of noise would not be nothing.
    """
    back = np.linalg.inv(turns)
    total, count = np.zeros(back.shape[:2]), np.zeros(back.shape[:2])
    for i in range(0, free.shape[0], chunk):
        fractions = share(np.einsum("nk,dkl->dnl", free[i : i + chunk], back))
        total += np.nansum(fractions, axis=1)
        count += np.isfinite(fractions).sum(axis=1)
    return np.asarray(total / np.maximum(count, 1))


def normal(level: float) -> float:
    """Standard deviations on either side that hold `level` of a normal law."""
    return float(ndtri(0.5 + 0.5 * level))


def banded(
    centre: Array, count: Array, down: Array, up: Array, level: float = 0.9
) -> tuple[Array, Array]:
    """Intervals (n, K) of counting and spectra together, within 0 and 1.

    Joined with the interval of counting alone, so that none shrinks to a point where
    noise carried a pixel past 0 or 1.
    """
    own = normal(level) * count
    low = np.clip(centre - np.hypot(own, down), 0.0, 1.0)
    high = np.clip(centre + np.hypot(own, up), 0.0, 1.0)
    least, most = shortest(centre, count, level)
    return np.minimum(low, least), np.maximum(high, most)
