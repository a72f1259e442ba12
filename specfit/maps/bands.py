"""Bands of fractions and of spectra: of counting, and of how spectra may be turned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specfit.maps import intervals
from specfit.maps.feasibility import unit
from specfit.maps.found import Array, Average
from specfit.maps.rotation import Projected
from specfit.maps.turning import Turned

Filled = NDArray[np.bool_]
SURE = 4.0  # standard deviations of all weights of a pixel that counts for the mean
FEWEST = 10


@dataclass(frozen=True)
class Fractions:
    """Fractions (N, K) of weights without a bound, two errors of them, and a band.

    `open_by`: how far any of them moves between the ends of open lines.
    """

    centre: Array
    counting: Array
    spectral: Array
    low: Array
    high: Array
    open_by: float = 0.0


def fractions(
    loose: Array,
    known: Array,
    maps: Array,
    turned: Turned,
    held: Filled,
    level: float = 0.9,
) -> Fractions:
    """Bands of fractions; loose (N, K) unbounded weights, known their information.

    `held` (N,) says which pixels hold something. Where nothing but the data speaks, the
    band reaches from below what is found at one end of what they allow to above what is
    found at the other.
    """
    loose = np.where(maps.sum(axis=1, keepdims=True) > 0, loose, np.nan)
    inside = turned.draws @ np.linalg.inv(turned.best)
    found = _one(loose, known, maps, inside, level)
    low, high = found.low, found.high
    least, most = found.centre, found.centre
    for best, draws in turned.extremes:
        relative = best @ np.linalg.inv(turned.best)
        back = np.linalg.inv(relative)
        wide = np.eye(known.shape[1])
        wide[: len(best), : len(best)] = relative
        at = _one(
            loose @ back,
            wide @ known @ wide.T,
            np.maximum(maps @ back, 0.0),
            draws @ np.linalg.inv(best),
            level,
        )
        low, high = np.fmin(low, at.low), np.fmax(high, at.high)
        least, most = np.fmin(least, at.centre), np.fmax(most, at.centre)
    moved = (np.clip(most, 0.0, 1.0) - np.clip(least, 0.0, 1.0))[held]
    open_by = float(np.nanmax(moved, initial=0.0))
    return replace(found, low=low, high=high, open_by=open_by)


def _one(
    loose: Array, known: Array, maps: Array, relative: Array, level: float
) -> Fractions:
    """The bands about one set of spectra, that may be turned by `relative` (D, K, K)."""
    total = maps.sum(axis=1)
    filled = total > 0
    spectral, down, up = intervals.spread(loose, relative, level)
    centre = intervals.share(loose)
    count = np.full(centre.shape, np.nan)
    inside = np.maximum(maps, 0.02 * total[:, None])
    count[filled] = intervals.counting(inside[filled], known[filled])
    low, high = intervals.banded(centre, count, down, up, level)
    return Fractions(centre, count, spectral, low, high)


def surely(loose: Array, known: Array) -> Filled:
    """Pixels (N,) whose weights in all (N, K) are more than their own error.

    A share of a sum that may be zero has no mean. All pixels where hardly one is sure.
    """
    n, k = loose.shape
    ridge = 1e-12 * np.trace(known, axis1=1, axis2=2)[:, None, None] + 1e-300
    spread = np.linalg.inv(known + ridge * np.eye(known.shape[1]))[:, :k, :k]
    error = np.sqrt(np.maximum(spread.sum(axis=(1, 2)), 0.0))
    found = np.asarray(loose.sum(axis=1) > SURE * error)
    return found if found.sum() >= min(FEWEST, n) else np.ones(n, bool)


def average(
    loose: Array,
    of: Fractions,
    turned: Turned,
    held: Filled,
    sure: Filled,
    level: float = 0.9,
) -> Average:
    """The mean fraction and its error: all pixels move together with the spectra.

    Only what counting does to each is its own and averages out. It is of weights that
    may be negative: those cut at zero are too large on average where pixels are pure.
    """
    held = held & sure
    free, back = loose[held], np.linalg.inv(turned.best)
    count = np.sqrt(np.nansum(of.counting[held] ** 2, axis=0)) / max(1, held.sum())
    at = middle = intervals.means(free, np.eye(len(back))[None])[0]
    every = [turned.draws, *(draws for _, draws in turned.extremes)]
    moved = [intervals.means(free, draws @ back) - at for draws in every]
    ends = np.array([np.quantile(one, _tails(level), axis=0) for one in moved])
    down = np.minimum(ends[:, 0].min(axis=0), 0.0)
    up = np.maximum(ends[:, 1].max(axis=0), 0.0)
    own = intervals.normal(level) * count
    cut = np.clip(middle, 0.0, 1.0)
    return Average(
        cut / max(float(cut.sum()), 1e-300),
        np.minimum(np.hypot(moved[0].std(axis=0), count), 0.5),
        np.clip(middle - np.hypot(own, down), 0.0, 1.0),
        np.clip(middle + np.hypot(own, up), 0.0, 1.0),
    )


def _tails(level: float) -> tuple[float, float]:
    return 0.5 - 0.5 * level, 0.5 + 0.5 * level


def spectra(
    turned: Turned, found: Projected, level: float = 0.9
) -> tuple[Array, Array]:
    """Bounds of the pure spectra, each (K, M), and what is possible where open.

    With the noise of their own, which every channel has by itself.
    """
    k = len(turned.best)
    every = [turned.draws, *(draws for _, draws in turned.extremes)]
    turns = [unit(draws @ found.spectra[:k]) for draws in every]
    ends = np.array([np.quantile(one, _tails(level), axis=0) for one in turns])
    error = turned.best @ found.error[:k, :k] @ turned.best.T
    noise = intervals.normal(level) * np.sqrt(
        np.diag(error)[:, None] * found.mean[None]
    )
    low, high = ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)
    return np.maximum(low - noise, 0.0), high + noise
