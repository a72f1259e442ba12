"""The velocity scale from a folded α-Fe spectrum, without a starting value.

The line positions in units of the drive's sweep are found by trying every scale and
zero, refined by least squares with Poisson weights, and regressed on the positions
that the field-scale convention gives.  What the lines scatter beyond their errors (the
drive is not quite linear) widens the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.constants import FieldScale
from specfit.contracts import FloatArray
from specfit.readers.drive import Drive
from specfit.readers.errors import ReaderError
from specfit.readers.folding import Folded

_MAXIMUM_VELOCITIES = (3.3, 25.0)  # mm/s, the scales tried
# What tells α-Fe from another sextet, whose field a free scale would absorb; real foils
# on two drives: FWHM 0.23-0.27 mm/s, scatter 0.012 mm/s, depths 2.5 : 1, pairs equal
# within 2 %, nothing left unexplained.  Magnetite and ferrihydrite fail two or more.
_FWHM = (0.12, 0.6)  # mm/s
_LINE_SIGNIFICANCE = 5.0
_EVALUATIONS = 1000  # of the curve, gradients included; α-Fe takes some 200
_SCATTER = 0.035  # mm/s, the furthest a line may lie from its place
_UNEXPLAINED = 0.03  # of the absorption
_DEPTH_RATIO = 1.2  # outermost pair to innermost, at least
_ASYMMETRY = 0.2  # of the depths of a pair, at most, beyond their errors
_CHANCE = {
    4: 9.49,
    2: 5.99,
}  # χ² exceeded by chance 1 time in 20, by degrees of freedom


@dataclass(frozen=True)
class Calibration:
    """velocity = (sweep − centre) · maximum_velocity, mm/s relative to α-Fe.

    covariance: (2, 2) of the relative scale and the zero (mm/s).  centre_sd: in sweep.
    residuals: (n_lines,) line minus regression, channels.  chi2: of the regression with
    `degrees` degrees of freedom.  fit_chi2: reduced, of the line fit.  fwhm: (n_pairs,)
    mm/s, outer to inner.
    """

    maximum_velocity: float
    centre: float
    centre_sd: float
    covariance: FloatArray
    residuals: FloatArray
    chi2: float
    degrees: int
    fit_chi2: float
    fwhm: FloatArray

    @property
    def nonlinear(self) -> bool:
        """The lines scatter more than their errors allow."""
        return self.chi2 > _CHANCE[self.degrees]


@dataclass(frozen=True)
class _Lines:
    positions: FloatArray  # sweep, increasing
    covariance: FloatArray
    significance: FloatArray
    depths: FloatArray
    fwhm: FloatArray  # sweep, one for each pair
    chi2: float
    unexplained: float


def calibrate(
    folded: Folded, drive: Drive, scale: FieldScale, name: str
) -> Calibration:
    """The velocity scale of a drive from α-Fe measured with it.

    Six lines are looked for, then the inner four (drives that stay below ±5.3 mm/s).

    Raises
    ------
    ReaderError
        `calibration-lines` when the lines of α-Fe are not there.

    """
    half = np.array([scale.outer, scale.middle, scale.inner])
    for inner in (half, half[1:]):
        nominal = np.concatenate([-inner, inner[::-1]])
        start = _search(folded, drive, nominal)
        if start is None:
            continue
        lines = _fit_lines(folded, drive, start)
        found = None if lines is None else _regress(lines, nominal, drive)
        if found is not None:
            return found
    raise ReaderError("calibration-lines", {"file": name})


def _absorption(folded: Folded, drive: Drive) -> tuple[FloatArray, FloatArray, float]:
    """Sweep (increasing), smoothed relative absorption, and its noise."""
    from scipy.ndimage import gaussian_filter1d

    sweep = drive.sweep(folded.distance)
    sigma = max(1.0, len(sweep) / 256)
    smooth = gaussian_filter1d(folded.counts, sigma, mode="nearest")
    level = float(np.quantile(smooth, 0.8))
    noise = 1 / np.sqrt(max(level, 1.0) * 2 * np.sqrt(np.pi) * sigma)
    return sweep, 1 - smooth / level, noise


def _search(
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


def _fit_lines(
    folded: Folded, drive: Drive, start: tuple[FloatArray, FloatArray, float]
) -> _Lines | None:
    """Free positions and depths, one width a pair, a parabola below."""
    from scipy.optimize import least_squares

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
        hwhm = np.exp(rest[2 * n_lines :])[pair] / 2
        offsets = (sweeps[..., None] - place) / hwhm
        dips = (depth / (1 + offsets**2)).sum(-1).mean(0)
        curve = base[0] + base[1] * middle + base[2] * middle**2 - dips
        return np.asarray((level * curve - counts) / deviation)

    widths = np.full(n_lines // 2, np.log(0.3 * rate))
    theta = np.concatenate([[1.0, 0.0, 0.0], places, depths, widths])
    fit = least_squares(
        residual, theta, method="lm", x_scale=_steps(theta, rate), max_nfev=_EVALUATIONS
    )
    return _weigh(fit, n_lines, counts, level) if fit.success else None


def _steps(theta: FloatArray, rate: float) -> FloatArray:
    """Natural size of a change of each unknown."""
    steps = np.full(len(theta), 0.1)
    steps[3:] = 0.05
    steps[3 : 3 + (len(theta) - 3) * 2 // 5] = 0.1 * rate
    return steps


def _weigh(fit: Any, n_lines: int, counts: FloatArray, level: float) -> _Lines | None:
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
    return _Lines(
        places,
        covariance[3 : 3 + n_lines, 3 : 3 + n_lines],
        depths / errors,
        depths,
        np.exp(fit.x[3 + 2 * n_lines :]),
        chi2 / degrees,
        max(chi2 - degrees, 0.0) / max(flat - degrees, 1.0),
    )


def _regress(lines: _Lines, nominal: FloatArray, drive: Drive) -> Calibration | None:
    """Positions against the convention's velocities; None if they are not α-Fe's."""
    design = np.stack([np.ones_like(nominal), nominal], axis=1)
    weight = np.linalg.inv(lines.covariance)
    covariance = np.linalg.inv(design.T @ weight @ design)
    centre, rate = covariance @ design.T @ weight @ lines.positions
    residuals = lines.positions - design @ np.array([centre, rate])
    chi2, degrees = float(residuals @ weight @ residuals), len(nominal) - 2
    if chi2 > _CHANCE[degrees]:
        covariance = covariance * chi2 / degrees
    scatter = float(np.max(np.abs(residuals) - 3 * np.sqrt(np.diag(lines.covariance))))
    if rate <= 0 or scatter > _SCATTER * rate or not _like_iron(lines, rate):
        return None
    to_velocity = np.array([[0.0, -1 / rate], [-1 / rate, 0.0]])  # relative scale, zero
    per_channel = -drive.slope(_distance(lines.positions, drive))
    return Calibration(
        float(1 / rate), float(centre), float(np.sqrt(covariance[0, 0])),
        to_velocity @ covariance @ to_velocity.T, residuals / per_channel,
        chi2, degrees, lines.chi2, lines.fwhm / rate,
    )  # fmt: skip


def _like_iron(lines: _Lines, rate: float) -> bool:
    """Depths and widths are those of an α-Fe foil, and nothing else absorbs."""
    left, right = lines.depths, lines.depths[::-1]
    error = np.abs(left / lines.significance)
    asymmetry = np.abs(left - right) - 3 * np.hypot(error, error[::-1])
    pairs = (left + right)[: len(left) // 2] / 2
    fwhm = lines.fwhm / rate
    return bool(
        np.all(lines.significance > _LINE_SIGNIFICANCE)
        and np.all((fwhm > _FWHM[0]) & (fwhm < _FWHM[1]))
        and np.all(asymmetry < _ASYMMETRY * (left + right) / 2)
        and pairs[0] > _DEPTH_RATIO * pairs[-1]
        and lines.unexplained < _UNEXPLAINED
    )


def _distance(sweep: FloatArray, drive: Drive) -> FloatArray:
    """Channels from the mirror point at which the sweep has this value."""
    if drive.name == "sinusoidal":
        phase = np.arccos(np.clip(sweep, -1.0, 1.0))
        return np.asarray(phase * drive.period / (2 * np.pi))
    return np.asarray((1 - sweep) * drive.period / 4)
