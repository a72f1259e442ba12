"""Which spectra of the space that was found are the pure ones, and how surely.

The likelihood hardly tells mixtures of the found spectra from the pure ones. Along the
line from one to another, S_k(t) = S_k + t (S_j - S_k), it is level between two bounds:
inwards weights of j turn negative (`edges`), outwards the spectrum does. Between them
the prior speaks: a library curve r worth `strength` A counts, p(S | A) = Dirichlet in
log coordinates, A sum r log S, with A learned by its marginal likelihood, the place
integrated out. Every line is a sum over a grid, so nothing is sampled.

What the bounds cost knows no library. It is found once for every line, on a grid of its
own, and looked up there for every curve and every offset of a curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from specfit.maps import edges
from specfit.maps.blurring import SHARP, Blur, smoothest
from specfit.maps.found import Array

POINTS = 41
NEAR, FAR = 2.0, 14.0  # of log-likelihood: allowed, and looked at
WIDENED = 30
"""Times that a grid is widened or narrowed; the first few suffice unless the data bound
nothing."""


@dataclass(frozen=True)
class Projected:
    """Linear weights (n, K), their covariance (n, K, K), and the spectra's own error.

    `error` (K, K): covariance of spectrum k and l in channel m is error_kl mean_m,
    `mean` (M,) the mean spectrum of unit area. `blur`: which spectra are smooth.
    """

    weights: Array
    covariance: Array
    spectra: Array
    mean: Array
    error: Array
    blur: Blur = SHARP


@dataclass(frozen=True)
class Level:
    """What the data say of the places (T,) of pure spectrum `k` on the line to `j`.

    `gain` (T,) of weights below zero, `density` (T,) of place by the bounds of weights
    and spectrum: its logarithm. `closed`: the data bound the places on both sides.
    """

    k: int
    j: int
    places: Array
    gain: Array
    density: Array
    closed: bool

    @property
    def ends(self) -> tuple[float, float]:
        """The places that the data allow: within 2 of the best log-likelihood."""
        allowed = self.places[self.density > self.density.max() - NEAR]
        return float(allowed[0]), float(allowed[-1])

    @property
    def reach(self) -> tuple[float, float]:
        """The places beyond which nothing counts."""
        near = np.flatnonzero(self.density > self.density.max() - FAR)
        last = self.places.size - 1
        low, high = max(0, near[0] - 1), min(last, near[-1] + 1)
        return float(self.places[low]), float(self.places[high])


@dataclass(frozen=True)
class Line:
    """Log-density of places along a line; `level` without the library, (T,)."""

    places: Array
    level: Array
    likeness: Array
    independent: float = 1.0


Lines = Mapping[tuple[int, int], Level]


def standardised(found: Projected, k: int, j: int, place: Array) -> Array:
    """Histograms (T, bins) of the weights of j in standard deviations."""
    q, v = found.weights, found.covariance
    pair = v[:, [k, k, j], [k, j, j]]
    rows = []
    for t in place:
        spread = t**2 * pair[:, 0] - 2 * t * (1 - t) * pair[:, 1]
        spread = spread + (1 - t) ** 2 * pair[:, 2]
        z = ((1 - t) * q[:, j] - t * q[:, k]) / np.sqrt(np.maximum(spread, 1e-300))
        rows.append(edges.histogram(z))
    return np.stack(rows)


def positive(found: Projected, k: int, j: int, place: Array) -> tuple[Array, Array]:
    """Spectra (T, M) kept above zero by their noise, and the cost (T,) of being below.

    Of a smooth one it is the cost of being neither positive nor smooth.
    """
    s, e = found.spectra, found.error
    t = place[:, None]
    moved = (1 - t) * s[k][None] + t * s[j][None]
    size = (1 - place) ** 2 * e[k, k] + 2 * place * (1 - place) * e[k, j]
    size = np.maximum(size + place**2 * e[j, j], 1e-300)
    variance = size[:, None] * found.mean[None]
    kernel = found.blur.of(k)
    if kernel is None:
        below = 0.5 * np.sum(np.minimum(moved, 0.0) ** 2 / variance, axis=1)
    else:
        moved, squares = smoothest(moved, found.mean, kernel)
        below = 0.5 * squares / size
    lifted = 0.5 * (moved + np.sqrt(moved**2 + 4.0 * variance))
    return lifted / lifted.sum(axis=1, keepdims=True), below


def levelled(found: Projected, k: int, j: int) -> Level:
    """The line from k to j on a grid that follows what the data allow.

    The grid is widened outwards as long as its end is near: found spectra may lie close
    together within what is allowed, and the pure ones many times their distance away.
    Inwards it never reaches j itself.
    """
    low, high, closed = -1.0, 0.9, False
    for _ in range(WIDENED):
        of = _levelled(found, k, j, np.linspace(low, high, POINTS))
        near = np.flatnonzero(of.density > of.density.max() - FAR)
        down, up = near[0] == 0, near[-1] == POINTS - 1
        closed = not (down or up)
        if closed and near.size > 0.3 * POINTS:
            break
        wide = high - low
        new = of.places[max(0, near[0] - 1)], of.places[min(POINTS - 1, near[-1] + 1)]
        low = low - wide if down else float(new[0])
        high = 1.0 - 0.25 * (1.0 - high) if up else float(new[1])
    step = of.places[1] - of.places[0]
    for _ in range(2):
        inside = np.flatnonzero(of.density > of.density.max() - NEAR)[[0, -1]]
        fine = [np.linspace(-step, step, 11) + of.places[i] for i in inside]
        extra = np.setdiff1d(np.concatenate(fine), of.places)
        of = _joined(of, _levelled(found, k, j, extra[extra < 1.0]))
        step /= 5.0
    return replace(of, closed=closed)


def every_line(found: Projected, components: int) -> Lines:
    """All lines between the spectra of the components."""
    places = range(components)
    pairs = [(k, j) for k in places for j in places if k != j]
    return {pair: levelled(found, *pair) for pair in pairs}


def _levelled(found: Projected, k: int, j: int, place: Array) -> Level:
    gain = edges.gain(standardised(found, k, j, place))
    density = -edges.cost(gain) - positive(found, k, j, place)[1]
    return Level(k, j, place, gain, density, closed=False)


def _joined(one: Level, two: Level) -> Level:
    places = np.concatenate([one.places, two.places])
    order = np.argsort(places)
    gain = np.concatenate([one.gain, two.gain])[order]
    density = np.concatenate([one.density, two.density])[order]
    return replace(one, places=places[order], gain=gain, density=density)


def line(
    found: Projected,
    level: Level,
    curve: Array | None,
    place: Array,
    worth: float | None = None,
) -> Line:
    """A line at given places, with what a curve says of them; worth: of channels."""
    if curve is None and found.blur.of(level.k) is not None:
        told = np.interp(place, level.places, level.density)
        return Line(place, told, np.zeros(place.size))
    lifted, below = positive(found, level.k, level.j, place)
    gain = np.interp(place, level.places, level.gain)
    density = -edges.cost(gain) - below
    if curve is None:
        return Line(place, density, np.zeros(place.size))
    likeness = np.log(lifted) @ curve
    if worth is None:
        at = int(np.argmax(density + 1e3 * likeness))
        worth = independent(lifted[at], curve)
    return Line(place, density, likeness, worth)


def independent(spectrum: Array, curve: Array) -> float:
    """The share of channels whose departure from the library tells something of its own.

    Departures of real spectra are as smooth as the spectra: with correlation rho over
    a lag, M channels are worth M / sum rho^2 (Bartlett, 1935). Without this a finer
    axis alone would make the library look surer.
    """
    d = (spectrum - curve) / np.sqrt(curve)
    d = d - d.mean()
    both = np.correlate(d, d, mode="full") / max(float(d @ d), 1e-300)
    return float(1.0 / np.sum(both**2))
