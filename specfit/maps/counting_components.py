"""How many components a map holds: K = 1 … by a penalised likelihood, ARD beside it.

Counts scaled by the square roots of the means of pixel and channel have nearly unit
noise (Keenan & Kotula, 2004). If they were pure noise, the largest eigenvalue of their
covariance would lie at the edge of Marchenko & Pastur's law, with the fluctuations of
Johnstone (Ann. Stat. 29, 295, 2001): the criterion of K counts what the eigenvalues
beyond K gain above that edge, and sets against it the parameters of K spectra as
Schwarz does (Ann. Stat. 6, 461, 1978): noise that is not quite even gains little. Being
a ratio to the level of the bulk of the eigenvalues, it does not depend on the unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specfit.maps import ard_so, others, starts
from specfit.maps.checking import checked
from specfit.maps.found import Array, Factorisation, MapError
from specfit.maps.space import powers
from specfit.maps.straightening import straight

FALSE_ALARM = 3.27  # 0.999 quantile of the Tracy-Widom law for real matrices

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
    for k in range(1, request.components + 1):
        moved, axis = straight(counts, energy, request, k)
        found = _how_many(moved, axis, request, min(up_to, axis.size - 1))
        if found.best - bool(request.background) <= k:
            break
    return found


def _how_many(
    counts: Array, energy: Array, request: Factorisation, up_to: int
) -> Numbered:
    number = np.arange(1, up_to + 1)
    laws = powers(request, energy)
    size, pixels = eigenvalues(counts, laws, request.engine == "gaussian")
    criterion = np.full(up_to, np.inf)
    channels = size.size
    noise = np.ones(up_to)
    for i in range(up_to):
        k = i + (len(laws) == 0)  # a background is the first, and is taken off
        if k >= min(pixels, channels):
            continue
        # fewer pixels than channels leave the others at zero but for rounding
        rest = size[k : min(pixels, channels)]
        above = np.maximum(rest - edge(rest, pixels, channels - k), 0.0)
        # each direction left out costs its gain, each kept one its parameters
        noise[i] = level(rest, pixels, channels - k)
        gain = 0.5 * pixels * float(np.sum(above)) / noise[i]
        criterion[i] = gain + 0.5 * k * (channels + 1) * np.log(pixels)
    at = int(np.argmin(criterion))
    ard = relevant(counts, request, up_to)
    return Numbered(number, criterion, int(number[at]), ard, float(noise[at]))


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


def eigenvalues(counts: Array, laws: Array, even: bool = False) -> tuple[Array, int]:
    """Eigenvalues of scaled counts, falling, and how many pixels are not empty.

    Of `even` noise nothing is scaled, and no pixel is empty.

    What is along the `laws` (B, M) of the background is taken off first: mixtures of them
    that differ from pixel to pixel would count as two components or three.
    """
    area = counts.sum(axis=1, dtype=np.float64)
    spectrum = counts.sum(axis=0, dtype=np.float64)
    seen, used = area > 0, spectrum > 1e-4 * spectrum.mean()
    if even:
        seen, used = np.ones_like(seen), np.ones_like(used)
        area, spectrum = np.ones_like(area), np.ones_like(spectrum)
    scale = np.sqrt(spectrum[used] / spectrum.sum())
    axes = left_over(laws[:, used] / scale)
    square = np.zeros((axes.shape[1], axes.shape[1]))
    rows = np.flatnonzero(seen)
    for i in range(0, rows.size, 4096):
        piece = counts[rows[i : i + 4096]][:, used]
        piece = (piece / np.sqrt(area[rows[i : i + 4096], None]) / scale) @ axes
        square += piece.T @ piece
    found = np.asarray(np.linalg.eigvalsh(square / rows.size)[::-1], np.float64)
    return found, int(rows.size)


def left_over(laws: Array) -> Array:
    """An orthonormal basis (M, M − rank) of what is across the rows of `laws`."""
    _, size, axes = np.linalg.svd(laws, full_matrices=True)
    rank = int(np.sum(size > 1e-6 * size.max(initial=0.0)))
    return np.asarray(axes[rank:].T)


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
