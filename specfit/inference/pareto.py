"""The shape of the largest importance weights: Pareto k̂.

Below 0.7 the mean of the weights can be estimated from a few thousand draws; above it
cannot, whatever their number (Vehtari et al. 2024, JMLR 25:72).
"""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray

FEWEST = 5


def pareto_k(log_weights: FloatArray) -> float:
    """Pareto shape of the upper tail of importance weights given as logarithms.

    The tail is min(n / 5, 3 √n) weights; infinite when fewer than five are positive.
    """
    count = len(log_weights)
    tail = min(count // 5, int(3.0 * np.sqrt(count)))
    ordered = np.exp(np.sort(log_weights) - np.max(log_weights))
    excess = ordered[-tail:] - ordered[-tail - 1]
    excess = excess[excess > 0.0]
    return _shape(excess) if len(excess) >= FEWEST else float("inf")


def _shape(excess: FloatArray) -> float:
    """Shape of a generalised Pareto law from sorted excesses over its threshold.

    Source: Zhang and Stephens 2009, doi:10.1198/tech.2009.08017, with the weak prior
    (ten draws at 0.5) of Vehtari et al.
    """
    count = len(excess)
    grid = 30 + int(np.sqrt(count))
    quartile = excess[int(count / 4 + 0.5) - 1]
    steps = 1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    rate = steps / (3.0 * quartile) + 1.0 / excess[-1]
    shape = np.mean(np.log1p(-rate[:, None] * excess), axis=1)
    profile = count * (np.log(-rate / shape) - shape - 1.0)
    weight = np.exp(profile - np.max(profile))
    best = np.sum(rate * weight) / np.sum(weight)
    found = np.mean(np.log1p(-best * excess))
    return float((count * found + 10 * 0.5) / (count + 10))
