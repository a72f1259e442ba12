"""Figures of residuals in standard deviations: how they scatter, and where most."""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray


def figures(pearson: FloatArray) -> tuple[FloatArray, ...]:
    """χ², lag-one correlation, runs and their z of residuals (…, n_channels)."""
    chi2 = np.sum(pearson**2, axis=-1)
    lag1 = np.sum(pearson[..., 1:] * pearson[..., :-1], axis=-1) / chi2
    return chi2, lag1, *_runs(pearson)


def _runs(pearson: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Number of runs of one sign and its z; negative z means too few, long runs."""
    positive = pearson > 0
    runs = 1 + np.count_nonzero(positive[..., 1:] != positive[..., :-1], axis=-1)
    n = positive.shape[-1]
    up = np.count_nonzero(positive, axis=-1)
    mean = 1 + 2 * up * (n - up) / n
    variance = (mean - 1) * (mean - 2) / (n - 1)
    z = (runs - mean) / np.sqrt(np.maximum(variance, 1e-12))
    return np.asarray(runs), np.where((up == 0) | (up == n), -np.sqrt(n), z)


def worst(pearson: FloatArray) -> tuple[int, float]:
    """Middle channel and z of the five neighbours that are furthest off together."""
    width = min(5, pearson.size)
    sums = np.convolve(pearson, np.ones(width), mode="same") / np.sqrt(width)
    where = int(np.argmax(np.abs(sums)))
    return where, float(sums[where])
