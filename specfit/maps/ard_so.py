"""Factorisation with relevance determination and soft orthogonality (ARD-SO-NMF).

Source: Shiga, Tatsumi, Muto, Tsuda, Yamamoto, Mori & Tanji, Ultramicroscopy 170, 43
(2016), doi 10.1016/j.ultramic.2016.08.006. Model: X ~ C S^T with Gaussian noise of
variance s2, columns of S of unit length, C_nk exponential with mean lambda_k, lambda_k
inverse gamma (alpha, beta). Updates are those of the paper, in its order. The data are
divided by their mean first, and every threshold is relative: nothing depends on the
unit. Soft orthogonality is a projection and no part of the objective, which therefore
may rise with it; the objective of every iteration is returned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from specfit.maps.found import Array, MapError

SAME = 0.99  # cosine of spectra that are merged
AFTER = 4  # iterations before any are


@dataclass(frozen=True)
class Separated:
    """Components in order of relevance, in the unit of the data.

    `weights` (N, K'), `spectra` (K', M) of unit length, `relevance` (K',), `objective`
    (iterations,) and the `variance` of the noise.
    """

    weights: Array
    spectra: Array
    relevance: Array
    objective: Array
    variance: float


def _spectra(x: Array, c: Array, s: Array) -> None:
    xc, cc = x.T @ c, c.T @ c
    for k in range(s.shape[1]):
        new = np.maximum(xc[:, k] - s @ cc[:, k] + cc[k, k] * s[:, k], 0.0)
        size = np.linalg.norm(new)
        s[:, k] = new / size if size > 0 else 1.0 / np.sqrt(new.size)


def _weights(x: Array, c: Array, s: Array, shrink: Array, overlap: float) -> None:
    xs, ss = x @ s, s.T @ s
    total = c.sum(axis=1)
    for k in range(s.shape[1]):
        others = total - c[:, k]
        new = xs[:, k] - c @ ss[:, k] + ss[k, k] * c[:, k] - shrink[k]
        size = float(others @ others)
        if overlap > 0 and size > 0:
            new = new - overlap * float(others @ new) / size * others
        c[:, k] = np.maximum(new, 0.0)
        total = others + c[:, k]


def _merge(c: Array, s: Array) -> None:
    alike = s.T @ s
    for i, j in zip(*np.nonzero(np.triu(alike >= SAME, 1)), strict=True):
        s[:, j] = 1.0 / np.sqrt(s.shape[0])
        c[:, i] += c[:, j]
        c[:, j] = 0.0


def _variance(x: Array, c: Array, s: Array, power: float) -> float:
    """Mean square of what is left, without an array of the size of the map."""
    cross = float(np.sum((x.T @ c) * s))
    return max(
        (power - 2.0 * cross + float(np.sum((c.T @ c) * (s.T @ s)))) / x.size, 1e-15
    )


def _objective(
    c: Array,
    relevance: Array,
    variance: float,
    beta: float,
    alpha: float,
    n: int,
    m: int,
) -> float:
    fit = 0.5 * n * m * (np.log(2.0 * np.pi * variance) + 1.0)
    worth = np.sum((c.sum(axis=0) + beta) / relevance)
    worth = worth + (n + alpha + 1.0) * np.sum(np.log(relevance))
    k = relevance.size
    return float(fit + worth + k * (gammaln(alpha) - alpha * np.log(max(beta, 1e-300))))


def separated(
    x: Array,
    weights: Array,
    spectra: Array,
    overlap: float,
    iterations: int,
    alpha: float = 1.0 + 1e-15,
    tolerance: float = 1e-12,
) -> Separated:
    """ARD-SO-NMF from a start: x (N, M) >= 0, weights (N, K), spectra (K, M).

    Stops when the objective changes by less than `tolerance` of its size.
    """
    m = x.shape[1]
    unit = float(x.mean(dtype=np.float64))  # a sum of half precision ends at 65504
    x, c = np.divide(x, unit, dtype=np.float64), weights / unit
    size = np.linalg.norm(spectra, axis=1, keepdims=True)
    level = 1.0 / np.sqrt(m)  # of a spectrum that starts with nothing
    s = np.where(size > 0, spectra / np.where(size > 0, size, 1.0), level).T.copy()
    beta = (alpha - 1.0) * np.sqrt(m) / s.shape[1]
    relevance, variance, heights = _iterated(
        x, c, s, overlap, iterations, alpha, beta, tolerance
    )
    if relevance.max() < 1e-12:
        raise MapError("every component was switched off: start from larger weights")
    order = np.argsort(-relevance, kind="stable")
    order = order[relevance[order] > 1e-9 * relevance.max()]
    spectra, size = s[:, order].T, relevance[order] * unit
    return Separated(
        c[:, order] * unit, spectra, size, np.array(heights), variance * unit**2
    )


def _iterated(
    x: Array,
    c: Array,
    s: Array,
    overlap: float,
    iterations: int,
    alpha: float,
    beta: float,
    tolerance: float,
) -> tuple[Array, float, list[float]]:
    """Relevance, variance and objective after all steps; `c` and `s` change in place."""
    n, m = x.shape
    eps = float(np.finfo(np.float64).eps)
    relevance = (c.sum(axis=0) + beta) / (m + alpha + 1.0)  # the published start
    power = float(np.sum(x * x))
    variance = _variance(x, c, s, power)
    heights: list[float] = []
    for turn in range(iterations):
        _spectra(x, c, s)
        _weights(x, c, s, variance / np.maximum(relevance, eps), overlap)
        if turn >= AFTER:
            _merge(c, s)
        relevance = (c.sum(axis=0) + beta) / (n + alpha + 1.0) + eps
        variance = _variance(x, c, s, power)
        heights.append(_objective(c, relevance, variance, beta, alpha, n, m))
        if turn > 10 and abs(heights[-1] - heights[-2]) < tolerance * abs(heights[-1]):
            break
    return relevance, variance, heights
