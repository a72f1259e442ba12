"""The largest importance weights: their shape, Pareto k̂, and their smoothing.

Below 0.7 the mean of the weights can be estimated from a few thousand draws; above it
cannot, whatever their number (Vehtari et al. 2024, JMLR 25:72).
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray

FEWEST = 5


def pareto_k(log_weights: FloatArray) -> float:
    """Pareto shape of the upper tail of importance weights given as logarithms.

    The tail is min(n / 5, 3 √n) weights; infinite when fewer than five are positive.
    """
    ordered = np.exp(np.sort(log_weights) - np.max(log_weights))
    excess = _excess(ordered)
    return _fitted(excess)[0] if len(excess) >= FEWEST else float("inf")


def smoothed(log_weights: FloatArray) -> tuple[FloatArray, float]:
    """Normalised logarithms of the weights, their tail smoothed, and Pareto k̂.

    The largest weights are replaced by the expected order statistics of the Pareto law
    that fits them, at most the largest of them (Vehtari et al. 2024, JMLR 25:72).
    """
    order = np.argsort(log_weights, kind="stable")
    top = log_weights[order[-1]]
    ordered = np.exp(log_weights[order] - top)
    excess, k = _excess(ordered), float("inf")
    result = log_weights - top
    if len(excess) >= FEWEST:
        k, scale = _fitted(excess)
        count = len(excess)
        threshold = ordered[-count - 1]
        place = (np.arange(count) + 0.5) / count
        tail = threshold + scale * np.expm1(-k * np.log1p(-place)) / k
        result[order[-count:]] = np.log(np.minimum(tail, 1.0))
    return result - logsumexp(result), k


def _excess(ordered: FloatArray) -> FloatArray:
    """What the largest weights exceed their threshold by; rising, positive."""
    count = len(ordered)
    tail = int(np.ceil(min(0.2 * count, 3.0 * np.sqrt(count))))
    excess: FloatArray = ordered[-tail:] - ordered[-tail - 1]
    return excess[excess > 0.0]


def _fitted(excess: FloatArray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto law from sorted excesses.

    Source: Zhang and Stephens 2009, doi:10.1198/tech.2009.08017, with the weak prior
    (ten draws at 0.5) of Vehtari et al.
    """
    count = len(excess)
    grid = 30 + int(np.sqrt(count))
    quartile = excess[int(count / 4 + 0.5) - 1]
    steps = 1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    rate = steps / (3.0 * quartile) + 1.0 / excess[-1]
    shapes = np.mean(np.log1p(-rate[:, None] * excess), axis=1)
    profile = count * (np.log(-rate / shapes) - shapes - 1.0)
    weight = np.exp(profile - np.max(profile))
    best = np.sum(rate * weight) / np.sum(weight)
    found = float(np.mean(np.log1p(-best * excess)))
    shape = (count * found + 10 * 0.5) / (count + 10)
    return shape, -found / float(best)
