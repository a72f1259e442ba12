"""How far a step of tempering may go, and which particles it keeps."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray

KEPT_SIZE = 0.7
"""Effective share of the particles that one step of β must leave."""


def longest_step(ratio: FloatArray, left: float) -> float:
    """The largest step of β, at most `left`, that keeps `KEPT_SIZE` of the particles.

    Of those that have a density at all.
    """
    finite = ratio[np.isfinite(ratio)]

    def size(step: float) -> float:
        weight = np.exp(step * (finite - np.max(finite)))
        return float(np.sum(weight) ** 2 / np.sum(weight**2) / finite.size)

    if not finite.size or size(left) >= KEPT_SIZE:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if size(middle) >= KEPT_SIZE else (low, middle)
    return low


def resampled(logs: FloatArray, generator: np.random.Generator) -> np.ndarray:
    """Systematic resampling: indices in proportion to exp(logs); all where none counts."""
    total = logsumexp(logs)
    share = (
        np.exp(logs - total) if np.isfinite(total) else np.ones(len(logs)) / len(logs)
    )
    points = (generator.uniform() + np.arange(len(share))) / len(share)
    return np.minimum(np.searchsorted(np.cumsum(share), points), len(share) - 1)
