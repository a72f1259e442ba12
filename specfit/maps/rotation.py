"""Which spectra of the space that was found are the pure ones, and how surely.

The likelihood hardly tells mixtures of the found spectra from the pure ones. Along the
line from one to another, S_k(t) = S_k + t (S_j - S_k), it is level between two bounds:
inwards weights of j turn negative (`edges`), outwards the spectrum does. Between them
the prior speaks: a library curve r worth `strength` A counts, p(S | A) = Dirichlet in
log coordinates, A sum r log S, with A learned by its marginal likelihood, the place
integrated out. Every line is a sum over a grid, so nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from specfit.maps import edges
from specfit.maps.found import Array

POINTS = 41
STRENGTHS = np.exp(np.linspace(np.log(10.0), np.log(1e6), 60))


@dataclass(frozen=True)
class Projected:
    """Linear weights (n, K), their covariance (n, K, K), and the spectra's own error.

    `error` (K, K): covariance of spectrum k and l in channel m is error_kl mean_m,
    `mean` (M,) the mean spectrum of unit area.
    """

    weights: Array
    covariance: Array
    spectra: Array
    mean: Array
    error: Array


@dataclass(frozen=True)
class Line:
    """Log-density of places along a line; `level` without the library, (T,)."""

    places: Array
    level: Array
    likeness: Array
    independent: float = 1.0


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
    """Spectra (T, M) kept above zero by their noise, and the cost (T,) of being below."""
    s, e = found.spectra, found.error
    t = place[:, None]
    moved = (1 - t) * s[k][None] + t * s[j][None]
    size = (1 - place) ** 2 * e[k, k] + 2 * place * (1 - place) * e[k, j]
    size = np.maximum(size + place**2 * e[j, j], 1e-300)
    variance = size[:, None] * found.mean[None]
    below = 0.5 * np.sum(np.minimum(moved, 0.0) ** 2 / variance, axis=1)
    lifted = 0.5 * (moved + np.sqrt(moved**2 + 4.0 * variance))
    return lifted / lifted.sum(axis=1, keepdims=True), below


def line(found: Projected, k: int, j: int, curve: Array | None, place: Array) -> Line:
    """The line from k towards j at given places."""
    lifted, below = positive(found, k, j, place)
    cost = edges.cost(standardised(found, k, j, place))
    if curve is None:
        return Line(place, -cost - below, np.zeros(place.size))
    at = int(np.argmax(-cost - below + 1e3 * (np.log(lifted) @ curve)))
    share = independent(lifted[at], curve)
    return Line(place, -cost - below, np.log(lifted) @ curve, share)


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


def strengths(of: Line, curve: Array) -> Array:
    """Log of the joint density of strength and place, (n_strengths, T).

    The measure of the spectrum is that of its logarithms, so that neither the number
    of channels without intensity nor their order matters; uniform in log A.
    """
    a = STRENGTHS[:, None]
    norm = gammaln(STRENGTHS) - np.sum(gammaln(a * curve[None]), axis=1)
    told = of.independent * (norm[:, None] + a * of.likeness[None])
    return np.asarray(told + of.level[None])


@dataclass(frozen=True)
class Settled:
    """A line's posterior: places of equal weight (D,), the best, the learned strength."""

    draws: Array
    best: float
    mean: float
    strength: float
    low: float
    high: float
    evidence: float


def _joint(of: Line, curve: Array | None) -> Array:
    return of.level[None] if curve is None else strengths(of, curve)


def settled(
    found: Projected, k: int, j: int, curve: Array | None, draws: int = 64
) -> Settled:
    """The posterior of the place of one pure spectrum along a line.

    The grid is laid over what is above e^-14 of the peak, and finer at the peak: there
    the bound of the weights falls off within a thousandth.
    """
    of = refined(found, k, j, curve)
    place = of.places
    width = np.gradient(place)
    joint = of.level[None] if curve is None else strengths(of, curve)
    weight = np.logaddexp.reduce(joint, axis=0)
    power = np.logaddexp.reduce(joint + np.log(width)[None], axis=1)
    at = int(np.argmax(power))
    share = np.exp(weight - weight.max())
    steps = 0.5 * (share[1:] + share[:-1]) * np.diff(place)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    quantile = np.interp((np.arange(draws) + 0.5) / draws * total[-1], total, place)
    mean = float(np.sum(share * place * width) / np.sum(share * width))
    best = mean if curve is None else float(place[np.argmax(joint[at])])
    allowed = place[of.level > of.level.max() - 2.0]
    learned = float("nan") if curve is None else float(STRENGTHS[at])
    low, high = float(allowed[0]), float(allowed[-1])
    return Settled(quantile, best, mean, learned, low, high, float(power[at]))


def refined(found: Projected, k: int, j: int, curve: Array | None) -> Line:
    """A line on a grid that follows its density; places rise."""
    low, high = -1.0, 0.9
    for _ in range(4):
        place = np.linspace(low, high, POINTS)
        of = line(found, k, j, curve, place)
        weight = _height(of, curve)
        near = np.flatnonzero(weight > weight.max() - 14.0)
        if near.size > 0.7 * POINTS:
            break
        low = place[max(0, near[0] - 1)]
        high = place[min(POINTS - 1, near[-1] + 1)]
    step = place[1] - place[0]
    for _ in range(2):
        weight = _height(of, curve)
        # without a library the density is level, and what matters are its two ends
        inside = np.flatnonzero(of.level > of.level.max() - 2.0)
        marks = inside[[0, -1]] if curve is None else [int(np.argmax(weight))]
        fine = [np.linspace(-step, step, 11) + of.places[i] for i in marks]
        place = np.unique(np.concatenate([of.places, *fine]))
        of = line(found, k, j, curve, place)
        step /= 5.0
    return of


def _height(of: Line, curve: Array | None) -> Array:
    if curve is None:
        return of.level
    return np.asarray(np.logaddexp.reduce(strengths(of, curve), axis=0))
