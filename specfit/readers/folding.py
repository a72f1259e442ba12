"""Raw spectra folded at their mirror point, without interpolating a single count.

The drive sweeps the velocity up and down, so that a raw spectrum holds the same lines
twice, mirrored at a fractional channel c.  Usually the halves are interpolated onto
each other, which correlates neighbours and spoils the Poisson statistics.  Here channel
i is paired with m − i, m the integer nearest 2c: the sum of a pair is an exact Poisson
count, and the pair was measured at one velocity ± half an offset that the model is
averaged over.  Channels are numbered from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.contracts import FloatArray

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

_SMOOTHING = 1 / 512  # Gaussian sigma as a fraction of the channels: about a third of a
# line's FWHM at ±12 mm/s; it only steadies the search for the mirror point.
_SEARCH = 1 / 16  # of the channels: how far from the middle the mirror point may lie
_SIGNIFICANCE = 5.0  # standard deviations of Fisher's z that make an agreement sure
_AGREEMENT, _EXCESS = 0.8, 3.0  # lines 1 and 2 of α-Fe laid on one another reach 0.5


@dataclass(frozen=True)
class Mirror:
    """The mirror point c of a raw spectrum (channels from 1) with its error.

    agreement: correlation of the two halves at c; significance: of that correlation, in
    standard deviations; excess: χ² per channel of their difference.
    """

    point: float
    sd: float
    agreement: float
    significance: float
    excess: float

    @property
    def known(self) -> bool:
        """The two halves agree beyond chance, and not only some of their lines."""
        alike = self.agreement > _AGREEMENT or self.excess < _EXCESS
        return alike and self.significance > _SIGNIFICANCE and self.sd < 0.5

    @property
    def nearest(self) -> int:
        """m, the integer nearest 2c: channel i is folded with channel m − i."""
        return round(2 * self.point)

    @property
    def offset(self) -> float:
        """Channels by which the members of a pair lie off their mean, |2c − m| / 2."""
        return abs(2 * self.point - self.nearest) / 2


@dataclass(frozen=True)
class Spectrum:
    """Raw counts by channel, its dead channels and its mirror point."""

    counts: FloatArray
    dead: BoolArray
    mirror: Mirror


@dataclass(frozen=True)
class Folded:
    """Sums of pairs of channels, ordered by channel in the first half.

    distance: (n_pairs,) channels from the mirror point, decreasing.
    counts: (n_pairs,).  dropped: pairs that were left out because a member was dead.
    """

    distance: FloatArray
    counts: FloatArray
    mirror: Mirror
    dropped: int


def dead_channels(counts: FloatArray) -> BoolArray:
    """(n_channels,) True where a channel did not count like its neighbours.

    A first or last channel (up to three) is dead when it leaves the median of the
    twelve next to it by more than 8 robust standard deviations and by more than a
    tenth; any other when it holds less than half of what its neighbours do, by 8 of its
    own.
    """
    n_channels = len(counts)
    dead = np.zeros(n_channels, dtype=bool)
    for order in (np.arange(n_channels), np.arange(n_channels)[::-1]):
        near = counts[order[3:15]]
        level = float(np.median(near))
        scatter = 1.4826 * float(np.median(np.abs(near - level)))
        limit = max(8 * max(scatter, np.sqrt(max(level, 1.0))), 0.1 * level)
        for channel in order[:3][::-1]:
            dead[channel] |= abs(counts[channel] - level) > limit
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(counts, 5, "edge"), 11)
    around = np.median(windows, axis=1)
    deep = around - counts > 8 * np.sqrt(np.maximum(around, 1.0))
    return dead | (deep & (counts < 0.5 * around))


def mirror_point(counts: FloatArray, dead: BoolArray) -> Mirror:
    """The mirror point where the two halves agree best, and how sure it is.

    The Poisson χ² between one half and the smoothed, spline-interpolated other is
    minimised; a parabola in the channel is projected out, because the solid angle
    differs between the halves.  The standard deviation follows from the curvature, with
    the correlation that smoothing brings, and is inflated where the halves disagree.
    """
    from scipy.interpolate import CubicSpline
    from scipy.ndimage import gaussian_filter1d
    from scipy.optimize import minimize_scalar

    n_channels = len(counts)
    channel = np.arange(1.0, n_channels + 1)
    sigma = max(1.0, n_channels * _SMOOTHING)
    filled = np.interp(channel, channel[~dead], counts[~dead])
    smooth = CubicSpline(channel, gaussian_filter1d(filled, sigma, mode="nearest"))

    start = _coarse(channel, smooth(channel))
    best = minimize_scalar(
        lambda twice: float(np.mean(_halves(smooth, channel, twice)[0] ** 2)),
        bounds=(start - 1, start + 1), method="bounded", options={"xatol": 1e-4},
    )  # fmt: skip
    return _judge_mirror(smooth, channel, float(best.x), sigma)


def _coarse(channel: FloatArray, smooth: FloatArray) -> int:
    """The integer nearest 2c, by trying every one near the middle."""
    n_channels = len(channel)
    place = np.linspace(-1, 1, n_channels)
    flat = smooth - np.polynomial.Polynomial.fit(place, smooth, 4)(place)
    span = round(2 * n_channels * _SEARCH)

    def disagreement(total: int) -> float:
        first = np.arange(max(1, total - n_channels), (total - 1) // 2 + 1)
        return float(np.mean((flat[first - 1] - flat[total - first - 1]) ** 2))

    return min(range(n_channels + 1 - span, n_channels + 2 + span), key=disagreement)


def _halves(
    smooth: Any, channel: FloatArray, twice: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Difference of the halves folded at `twice`/2, each half, and each one's slope.

    All in Poisson standard deviations of a raw difference, without their parabolas.
    """
    first = max(1.0, np.ceil(twice - channel[-1]))
    left = np.arange(first + 1, np.floor(twice / 2))
    near, far = smooth(left), smooth(twice - left)
    weight = 1 / np.sqrt(np.maximum(near + far, 1.0))
    place = np.linspace(-1, 1, len(left))
    trend, _ = np.linalg.qr(weight[:, None] * np.stack([place**0, place, place**2], 1))

    def detrended(curve: FloatArray) -> FloatArray:
        scaled = np.asarray(curve * weight)
        return np.asarray(scaled - trend @ (trend.T @ scaled))

    a, b = detrended(near), detrended(far)
    return a - b, a, b, detrended(smooth(left, 1)), detrended(-smooth(twice - left, 1))


def _judge_mirror(
    smooth: Any, channel: FloatArray, twice: float, sigma: float
) -> Mirror:
    """How sure a mirror point is.

    The slopes of the two halves have independent noise, so that their product measures
    the lines alone.
    """
    from scipy.ndimage import gaussian_filter1d

    difference, a, b, slope, mirrored = _halves(smooth, channel, twice)
    information = float(slope @ mirrored)
    blurred = [gaussian_filter1d(s, sigma, mode="constant") for s in (slope, mirrored)]
    spread = float(blurred[0] @ blurred[1])
    correlated = 2 * np.sqrt(np.pi) * sigma  # channels per independent smoothed one
    excess = max(1.0, float(np.mean(difference**2)) * correlated)  # χ² per channel
    useful = information > 0 and spread > 0
    sd = np.sqrt(excess * spread) / information / 2 if useful else np.inf
    norm = float(np.sqrt((a @ a) * (b @ b)))
    correlation = float(a @ b) / norm if norm > 0 else 0.0
    independent = max(len(a) / correlated - 3, 0.0)
    z = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12))
    significance = float(z * np.sqrt(independent))
    return Mirror(twice / 2, float(sd), correlation, significance, excess)


def fold(counts: FloatArray, dead: BoolArray, mirror: Mirror) -> Folded:
    """Exact sums of channels i and m − i; pairs with a dead member are left out."""
    total, n_channels = mirror.nearest, len(counts)
    first = np.arange(max(1, total - n_channels), (total - 1) // 2 + 1)
    second = total - first
    alive = ~(dead[first - 1] | dead[second - 1])
    sums = counts[first - 1] + counts[second - 1]
    distance = total / 2 - first.astype(np.float64)
    return Folded(distance[alive], sums[alive], mirror, int((~alive).sum()))
