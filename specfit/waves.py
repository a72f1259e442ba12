"""Histograms whose logarithm is a sum of cosines over their range.

`xp` is NumPy or jax.numpy.  Coefficients are an array (…, WAVES); ends and roughness have
its leading axes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

BINS = 120
"""Enough that no comb is seen: half a tesla apart in a range of 60 T."""
WAVES = 16
"""Cosines kept: what is narrower than a sixteenth of the range is not resolved."""
COEFFICIENTS = tuple(f"c{m}" for m in range(1, WAVES + 1))


def places(bins: int = BINS) -> np.ndarray[Any, Any]:
    """The middles of the bins as shares of the range, (bins,)."""
    found: np.ndarray[Any, Any] = (np.arange(bins) + 0.5) / bins
    return found


@cache
def _cosines(bins: int) -> np.ndarray[Any, Any]:
    waves = np.arange(1, WAVES + 1)[:, None]
    heights = np.sqrt(2.0) / waves**2
    found: np.ndarray[Any, Any] = heights * np.cos(np.pi * waves * places(bins))
    return found


def shares(xp: Any, roughness: Any, coefficients: Any, bins: int = BINS) -> Any:
    """The share of each bin, (…, bins), in order; sums to 1."""
    height = coefficients @ _cosines(bins)
    return normalised(xp, xp.asarray(roughness)[..., None] * height)


def normalised(xp: Any, height: Any) -> Any:
    """Shares that sum to 1 over the last axis, from their logarithms."""
    part = xp.exp(height - height.max(axis=-1, keepdims=True))
    return part / part.sum(axis=-1, keepdims=True)


def mean(xp: Any, low: Any, high: Any, roughness: Any, *coefficients: Any) -> Any:
    """The mean of the histogram from `low` to `high`, in their unit."""
    return low + (high - low) * (_part(xp, roughness, coefficients) @ places())


def sd(xp: Any, low: Any, high: Any, roughness: Any, *coefficients: Any) -> Any:
    """The standard deviation of the histogram from `low` to `high`, in their unit."""
    part = _part(xp, roughness, coefficients)
    square = part @ places() ** 2 - (part @ places()) ** 2
    return (high - low) * xp.sqrt(square + 1.0 / (12.0 * BINS**2))


def _part(xp: Any, roughness: Any, coefficients: Any) -> Any:
    stacked = xp.stack(xp.broadcast_arrays(*coefficients), axis=-1)
    return shares(xp, roughness, stacked)
