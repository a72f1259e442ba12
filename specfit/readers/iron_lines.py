"""The lines of α-Fe in a folded spectrum: looked for everywhere, then fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.drive import Drive
from specfit.readers.folding import Folded

IntArray = np.ndarray[Any, np.dtype[np.int_]]

_MAXIMUM_VELOCITIES = (3.3, 25.0)  # mm/s, the scales tried
_EVALUATIONS = 1000  # of the curve, gradients included; α-Fe takes some 200


@dataclass(frozen=True)
class Lines:
    """Fitted lines in order of position, and how well they explain the counts.

    unexplained: the part of the absorption beyond the curve and its noise.
    """

    positions: FloatArray  # sweep, increasing
    covariance: FloatArray
    significance: FloatArray
    depths: FloatArray
    fwhm: FloatArray  # sweep, one for each pair
    chi2: float
    unexplained: float


def _absorption(folded: Folded, drive: Drive) -> tuple[FloatArray, FloatArray, float]:
    """Sweep (increasing), smoothed relative absorption, and its noise."""
    from scipy.ndimage import gaussian_filter1d

    sweep = drive.sweep(folded.distance)
    sigma = max(1.0, len(sweep) / 256)
    smooth = gaussian_filter1d(folded.counts, sigma, mode="nearest")
    level = float(np.quantile(smooth, 0.8))
    noise = 1 / np.sqrt(max(level, 1.0) * 2 * np.sqrt(np.pi) * sigma)
    return sweep, 1 - smooth / level, noise


def search(
    folded: Folded, drive: Drive, nominal: FloatArray
) -> tuple[FloatArray, FloatArray, float] | None:
    """Positions and depths where all lines are deep at once, and sweep per mm/s."""
    sweep, absorption, noise = _absorption(folded, drive)
    low, high = max(float(sweep[0]), -0.995), min(float(sweep[-1]), 0.995)
    step = 2 / len(sweep)  # half a channel
    fastest, slowest = 1 / _MAXIMUM_VELOCITIES[0], 1 / _MAXIMUM_VELOCITIES[1]
    rates = np.arange(slowest, min(fastest, high / nominal[-1]), step / nominal[-1])
    zeros = np.arange(-0.25, 0.25, step)
    places = rates[:, None, None] * nominal + zeros[:, None]
    index = np.clip(np.searchsorted(sweep, places), 0, len(sweep) - 1)
    inside = (places[..., 0] > low) & (places[..., -1] < high)
    depths = np.maximum(absorption[index], noise)
    score = np.where(inside, np.log(depths).sum(-1), -np.inf)
    if not score.size or not np.isfinite(score).any():
        return None
    best = np.unravel_index(int(np.argmax(score)), score.shape)
    if depths[best].min() < 2 * noise:
        return None
    return places[best], depths[best], float(rates[best[0]])


def fit_lines(
    folded: Folded,
    drive: Drive,
    nominal: FloatArray,
    start: tuple[FloatArray, FloatArray, float],
) -> Lines | None:
    """Free positions and depths, one width a pair, a parabola below.

    First with the positions tied to the convention, pairs equally deep and one width,
    which steadies what noise would let run; then free.
    """
    places, depths, rate = start
    n_lines = len(places)
    offset = folded.mirror.offset
    sweeps = np.stack([drive.sweep(folded.distance + s * offset) for s in (-1, 1)])
    middle, counts = sweeps.mean(0), folded.counts
    deviation = np.sqrt(np.maximum(counts, 1.0))
    level = float(np.quantile(counts, 0.8))
    pair = np.minimum(np.arange(n_lines), n_lines - 1 - np.arange(n_lines))

    def residual(theta: FloatArray) -> FloatArray:
        base, rest = theta[:3], theta[3:]
        place, depth = rest[:n_lines], rest[n_lines : 2 * n_lines]
        hwhm = np.exp(np.clip(rest[2 * n_lines :], -20, 5))[pair] / 2
        offsets = (sweeps[..., None] - place) / hwhm
        dips = (depth / (1 + offsets**2)).sum(-1).mean(0)
        curve = base[0] + base[1] * middle + base[2] * middle**2 - dips
        return np.asarray((level * curve - counts) / deviation)

    tie = _tie(nominal, pair)
    pairs = (depths + depths[::-1])[: n_lines // 2] / 2
    centre = float(np.mean(places - rate * nominal))
    tied = np.concatenate([[1.0, 0.0, 0.0, centre, rate], pairs, [np.log(0.3 * rate)]])

    first = _refine(lambda few: residual(tie @ few), tied)
    fit = _refine(residual, tie @ first.x)
    return _weigh(fit, n_lines, counts, level) if fit.success else None


def _refine(residual: Callable[[FloatArray], FloatArray], begin: FloatArray) -> Any:
    from scipy.optimize import least_squares

    return least_squares(
        residual, begin, method="lm", x_scale="jac", max_nfev=_EVALUATIONS
    )


def _tie(nominal: FloatArray, pair: IntArray) -> FloatArray:
    """All unknowns from few: baseline, centre and rate, depth of each pair, width."""
    n_lines, n_pairs = len(nominal), len(nominal) // 2
    tie = np.zeros((3 + 2 * n_lines + n_pairs, 6 + n_pairs))
    tie[:3, :3] = np.eye(3)
    tie[3 : 3 + n_lines, 3] = 1
    tie[3 : 3 + n_lines, 4] = nominal
    tie[3 + n_lines + np.arange(n_lines), 5 + pair] = 1
    tie[3 + 2 * n_lines :, -1] = 1
    return tie


def _weigh(fit: Any, n_lines: int, counts: FloatArray, level: float) -> Lines | None:
    """Positions, their covariance, and how well the lines explain the counts."""
    degrees = len(counts) - len(fit.x)
    chi2 = 2 * float(fit.cost)
    try:
        covariance = np.linalg.inv(fit.jac.T @ fit.jac) * max(1.0, chi2 / degrees)
    except np.linalg.LinAlgError:
        return None
    places, depths = fit.x[3 : 3 + n_lines], fit.x[3 + n_lines : 3 + 2 * n_lines]
    errors = np.sqrt(np.abs(np.diag(covariance)[3 + n_lines : 3 + 2 * n_lines]))
    if np.any(np.diff(places) <= 0) or not np.all(np.isfinite(covariance)):
        return None
    flat = float(np.sum((counts - counts.mean()) ** 2 / np.maximum(counts, 1.0)))
    return Lines(
        places,
        covariance[3 : 3 + n_lines, 3 : 3 + n_lines],
        depths / errors,
        depths,
        np.exp(fit.x[3 + 2 * n_lines :]),
        chi2 / degrees,
        max(chi2 - degrees - 3 * np.sqrt(2 * degrees), 0.0) / max(flat - degrees, 1.0),
    )
