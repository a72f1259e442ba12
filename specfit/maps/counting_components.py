"""How many components a map holds: K = 1 … by a penalised likelihood, ARD beside it.

Counts scaled by the square roots of the means of pixel and channel have nearly unit
noise (Keenan & Kotula, 2004). If they were pure noise, the largest eigenvalue of their
covariance would lie at the edge of Marchenko & Pastur's law, with the fluctuations of
Johnstone (Ann. Stat. 29, 295, 2001): the criterion of K counts what the eigenvalues
beyond K gain above that edge, and sets against it the parameters of K spectra as
Schwarz does (Ann. Stat. 6, 461, 1978). Of more than two components the edge is that of
noise as it is, which a rare one with channels of its own makes uneven (`flipping`). Being
a ratio to the level of the bulk of the eigenvalues, it does not depend on the unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specfit.maps import ard_so, others, starts
from specfit.maps.checking import checked
from specfit.maps.flipping import across, falling, flipped, scaled
from specfit.maps.found import Array, Factorisation, MapError
from specfit.maps.space import powers
from specfit.maps.straightening import some, straight

FALSE_ALARM = 3.27  # 0.999 quantile of the Tracy-Widom law for real matrices
SURELY = 2.0  # times the bound of noise, above which no noise is
SURE = 6.0
"""Standard deviations of draws: Student's law of two freedoms has 1.8 % beyond."""

POOLED, STEPS = 512, 200  # of the verdict of ARD


@dataclass(frozen=True)
class Numbered:
    """`components` (K0,), `criterion` (K0,) to be least, `best`, and ARD's number.

    `noise` is the variance of the data beyond the best, in their unit: over the mean where
    noise is that of counting, so that it is how much one count is, else as it is.
    """

    components: NDArray[np.int64]
    criterion: Array
    best: int
    relevant: int
    noise: float = 1.0


class Noise(NamedTuple):
    """The mean of the eigenvalues of noise, and the largest that noise alone gives."""

    level: float
    edge: float


def how_many(
    counts: Array, energy: Array, request: Factorisation, up_to: int
) -> Numbered:
    """The table of K = 1 … `up_to`; a background counts as one of them.

    Of a map that drifts, in pixels whose drift is taken out: it would count as components.
    As few of these as explain the rest are asked to show the drift.
    """
    checked(counts, energy, request)
    if request.drift_sd <= 0:
        return _how_many(counts, energy, request, up_to)
    few = some(counts)
    unit = worth(few, energy, request)
    for k in range(1, request.components + 1):
        moved, axis = straight(few / unit, energy, request, k)
        found = _how_many(moved, axis, request, min(up_to, axis.size - 1))
        if found.best - bool(request.background) <= k:
            break
    return replace(found, noise=found.noise * unit)


def worth(counts: Array, energy: Array, request: Factorisation) -> float:
    """How much one count is in the unit of a map that drifts.

    By the smaller half of the eigenvalues, which a drift hardly adds to.
    """
    of = scaled(counts, powers(request, energy))
    return even_noise(falling(of.square), 0, of.rows.size).level


def _how_many(
    counts: Array, energy: Array, request: Factorisation, up_to: int
) -> Numbered:
    laws, even = powers(request, energy), request.engine == "gaussian"
    of = scaled(counts, laws, even)
    axes = across(of.laws)
    size = falling(axes.T @ of.square @ axes)
    first = int(len(laws) == 0)  # a background is the first, and is taken off
    last = max(first + 1, min(first + up_to, of.rows.size, size.size))
    noises = [even_noise(size, k, of.rows.size) for k in range(first, last)]
    criterion = np.full(up_to, np.inf)
    criterion[: len(noises)] = _criterion(size, noises, first, of.rows.size)
    sure = int(np.sum(size > SURELY * of.most * noises[-1].level)) - first
    at = max(0, sure)
    seen = even or at >= np.argmin(criterion)
    while not seen and at <= np.argmin(criterion):
        # of more components nothing is known yet but that they leave no more
        drawn = flipped(counts, of, first + at)
        noise = uneven_noise(size, first + at, of.rows.size, drawn)
        noises[at:] = [noise] * (len(noises) - at)
        criterion[: len(noises)] = _criterion(size, noises, first, of.rows.size)
        at += 1
    best = int(np.argmin(criterion))
    number = np.arange(1, up_to + 1)
    ard = relevant(counts, request, up_to)
    # noise that is even is the variance of every channel, and they were taken together
    apart = of.scale.size if request.engine == "gaussian" else 1
    level = noises[best].level / apart
    return Numbered(number, criterion, best + 1, ard, level)


def _criterion(size: Array, noises: list[Noise], first: int, pixels: int) -> Array:
    """Each direction left out costs its gain above noise, each kept one its parameters."""
    edges = np.full(size.size, noises[-1].edge)
    levels = np.full(size.size, noises[-1].level)
    edges[first : first + len(noises)] = [one.edge for one in noises]
    levels[first : first + len(noises)] = [one.level for one in noises]
    gain = 0.5 * pixels * np.maximum(size - edges, 0.0) / levels
    left = np.cumsum(gain[::-1])[::-1][first : first + len(noises)]
    number = np.arange(first, first + len(noises))
    channels = size.size + 1
    return np.asarray(left + 0.5 * number * channels * np.log(pixels))


def even_noise(size: Array, components: int, pixels: int) -> Noise:
    """That of the eigenvalues beyond so many, if it is even."""
    channels = size.size - components
    rest = size[components : min(pixels, size.size)]
    return Noise(level(rest, pixels, channels), edge(rest, pixels, channels))


def uneven_noise(size: Array, components: int, pixels: int, drawn: Array) -> Noise:
    """The same by eigenvalues (draws, M) of noise of unit mean that has its unevenness."""
    rest = size[components : min(pixels, size.size)]
    usual = float(np.median(drawn[:, : rest.size]))
    found = float(np.median(rest)) / usual or 1.0
    top = drawn[:, 0].mean() + SURE * drawn[:, 0].std(ddof=1)
    return Noise(found, float(found * top))


def level(rest: Array, pixels: int, channels: int) -> float:
    """The level of noise of a bulk of eigenvalues: their median over that of unit noise."""
    return float(np.median(rest)) / middle(channels / pixels) or 1.0


def middle(ratio: float) -> float:
    """The median of the eigenvalues above zero of unit noise, channels over pixels.

    Source: Marchenko & Pastur, Math. USSR Sb. 1, 457 (1967).
    """
    low, high = (1.0 - np.sqrt(ratio)) ** 2, (1.0 + np.sqrt(ratio)) ** 2
    # in the angle the density has no edge: 1 - cos runs from low to high
    angle = (np.arange(2000) + 0.5) * np.pi / 2000
    place = low + 0.5 * (high - low) * (1.0 - np.cos(angle))
    total = np.cumsum(np.sin(angle) ** 2 / place)
    return float(np.interp(0.5 * total[-1], total, place))


def edge(rest: Array, pixels: int, channels: int) -> float:
    """The largest eigenvalue that noise alone gives in all but one of 1000 maps."""
    ratio = channels / pixels
    bulk = (1.0 + np.sqrt(ratio)) ** 2
    spread = (np.sqrt(pixels - 1) + np.sqrt(channels)) / pixels
    spread = spread * (1 / np.sqrt(pixels - 1) + 1 / np.sqrt(channels)) ** (1 / 3)
    return float(level(rest, pixels, channels) * (bulk + FALSE_ALARM * spread))


def relevant(counts: Array, request: Factorisation, up_to: int) -> int:
    """The number that ARD leaves of `up_to`: those above a thousandth of the largest.

    It stands beside the criterion and decides nothing, so it is asked of neighbouring
    pixels taken together, and of few steps. 0: it switches all of them off.
    """
    few = starts.pooled(counts, POOLED)
    first = starts.purest(few, min(up_to, *few.shape))
    steps = min(request.iterations, STEPS)
    weights = others.even(few, first)
    try:
        found = ard_so.separated(few, weights, first, request.overlap, steps)
    except MapError:
        return 0
    return int(np.sum(found.relevance > 1e-3 * found.relevance[0]))
