"""Which power laws a background is mixed of, by the channels where it is alone."""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Anything
from specfit.model.factorising import Factorising

POWERS = (0.0, 6.0)
"""Exponents whose mixtures stand for the power laws between, each with a weight per
pixel, where no window tells more: within 0.8 % over an axis that rises by a tenth."""
LEAST, MOST = 0.3, 2.0
"""Of the exponents on either side of the mean: within 0.01 % and 0.4 % then."""
SPREADS = 3.0
"""Standard deviations of the exponents of pixels that are reached on either side."""
GROUPS, ENOUGH = 512, 50.0
"""Sums of neighbouring pixels whose exponents are compared, and counts of each."""


def exponents(
    factorising: Factorising,
    energy: FloatArray,
    total: FloatArray,
    counts: Anything | None = None,
    count: float = 1.0,
) -> tuple[float, ...]:
    """What the background of a pixel is mixed of; counts: (n_pixels, n_channels).

    `count` is how much one is worth in their unit.
    """
    if factorising.background != "powerlaw":
        return () if factorising.background == "none" else (0.0,)
    low, high = factorising.fit or (np.inf, np.inf)
    inside = (energy >= max(low, 1e-9)) & (energy <= high) & (total > 0.0)
    if inside.sum() < 3:
        return POWERS
    logs = np.log(energy[inside])
    middle = float(_slopes(total[None, inside] / count, logs)[0][0])
    middle = float(np.clip(middle, POWERS[0], POWERS[1]))
    wide = MOST if counts is None else _spread(counts, inside, logs, count)
    middle = max(middle, wide)
    return middle - wide, middle + wide


def _slopes(rows: FloatArray, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Exponents (n,) of sums (n, m) of counts and their variances, by weighted lines."""
    weight = np.maximum(rows, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    away = logs - (weight @ logs)[:, None] / total
    size = np.sum(weight * away**2, axis=1)
    level = np.log(np.maximum(rows, 0.5))
    return -np.sum(weight * away * level, axis=1) / size, 1.0 / size


def _spread(
    counts: Anything, inside: Anything, logs: FloatArray, count: float
) -> float:
    """How far the exponents of pixels lie from their mean, what is noise taken off."""
    size = max(1, -(-counts.shape[0] // GROUPS))
    place = np.arange(0, counts.shape[0], size)
    rows = np.add.reduceat(counts[:, inside], place, axis=0, dtype=float) / count
    # a logarithm of few counts is not that of their mean: channels are taken together
    bins = np.array_split(np.arange(logs.size), min(8, logs.size))
    few = np.stack([rows[:, one].sum(axis=1) for one in bins], axis=1)
    middle = np.array([logs[one].mean() for one in bins])
    few = few / [one.size for one in bins]
    few, each = (
        few[few.min(axis=1) * logs.size / len(bins) > ENOUGH],
        logs.size / len(bins),
    )
    if len(few) < 2:
        return MOST
    slope, noise = _slopes(few * each, middle)
    weight = 1.0 / noise
    mean = np.sum(weight * slope) / weight.sum()
    excess = np.sum(weight * ((slope - mean) ** 2 - noise)) / weight.sum()
    # what chance alone would show is no spread of the exponents
    excess -= 2.0 * np.sqrt(2.0 * len(few)) / weight.sum()
    return float(np.clip(LEAST + SPREADS * np.sqrt(max(excess, 0.0)), LEAST, MOST))
