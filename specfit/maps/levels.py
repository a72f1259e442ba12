"""The laws of the weights, their scales learned.

Weights have a gamma law, C_nk ~ Gamma(shape, scale_k), exponential for shape 1, and the
scale of each map an inverse gamma law, so that the most probable scale for given weights
is  (sum_n C_nk + beta) / (n shape + alpha + 1)  (Tan & Févotte, IEEE Trans. Pattern
Anal. 35, 1592, 2013, with one law for the weights alone). Weights are those of greatest
density in their logarithm: they keep the counts of a component, as its mean weights do,
where the mode of the weights themselves loses one of every pixel and a faint phase dies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specfit.maps.found import Array, Levels

ROUNDS = 8
MOVED = 1e-3
"""Share by which a scale may still move: weights move by that over their own counts."""


class Law(NamedTuple):
    """What weights (L,) are drawn by: `rate` per count, and `gain`, the shape."""

    rate: Array
    gain: Array


def free(size: int) -> Law:
    """Any weight is as likely."""
    return Law(np.zeros(size), np.zeros(size))


def learned(weights: Array, levels: Levels, size: int) -> Law:
    """The law of the components' weights (N, K); the rest of `size` are free."""
    pixels, k = int(np.count_nonzero(weights.sum(axis=1) > 0)), weights.shape[1]
    total = weights.sum(axis=0) + levels.beta
    law = free(size)
    law.rate[:k] = (pixels * levels.shape + levels.alpha + 1.0) / total
    law.gain[:k] = levels.shape
    return law
