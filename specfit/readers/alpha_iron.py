"""The velocity scale from a folded α-Fe spectrum, without a starting value.

The line positions in units of the drive's sweep are found by trying every scale and
zero, refined by least squares with Poisson weights, and regressed on the positions
that the field-scale convention gives.  What the lines scatter beyond their errors (the
drive is not quite linear) widens the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specfit.constants import FieldScale
from specfit.contracts import FloatArray
from specfit.readers.drive import Drive
from specfit.readers.errors import ReaderError
from specfit.readers.folding import Folded
from specfit.readers.iron_lines import Lines, fit_lines, search

# What tells α-Fe from another sextet, whose field a free scale would absorb; real foils
# on two drives: FWHM 0.23-0.27 mm/s, scatter 0.012 mm/s, depths 2.5 : 1, pairs equal
# within 2 %, nothing left unexplained.  Magnetite and ferrihydrite fail two or more.
_FWHM = (0.12, 0.6)  # mm/s
_SIGNIFICANCE = 5.0  # standard deviations of the depth of each pair
_SCATTER = 0.035  # mm/s, the furthest a line may lie from its place
_UNEXPLAINED = 0.03  # of the absorption
_DEPTH_RATIO = 1.2  # outermost pair to innermost, at least
_ASYMMETRY = 0.2  # of the depths of a pair, at most, beyond their errors
# χ² exceeded by chance 1 time in 20, by degrees of freedom.
_CHANCE = {4: 9.49, 2: 5.99}


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
        start = search(folded, drive, nominal)
        if start is None:
            continue
        lines = fit_lines(folded, drive, nominal, start)
        found = None if lines is None else _regress(lines, nominal, drive)
        if found is not None:
            return found
    raise ReaderError("calibration-lines", {"file": name})


def _regress(lines: Lines, nominal: FloatArray, drive: Drive) -> Calibration | None:
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
    per_channel = -drive.slope(drive.distance(lines.positions))
    return Calibration(
        float(1 / rate), float(centre), float(np.sqrt(covariance[0, 0])),
        to_velocity @ covariance @ to_velocity.T, residuals / per_channel,
        chi2, degrees, lines.chi2, lines.fwhm / rate,
    )  # fmt: skip


def _like_iron(lines: Lines, rate: float) -> bool:
    """Depths and widths are those of an α-Fe foil, and nothing else absorbs."""
    left, right = lines.depths, lines.depths[::-1]
    error = np.abs(left / lines.significance)
    asymmetry = np.abs(left - right) - 3 * np.hypot(error, error[::-1])
    n_pairs = len(left) // 2
    pairs = (left + right)[:n_pairs] / 2
    pair_errors = np.hypot(error, error[::-1])[:n_pairs] / 2
    fwhm = lines.fwhm / rate
    return bool(
        np.all(left > 0)
        and np.all(pairs > _SIGNIFICANCE * pair_errors)
        and np.all((fwhm > _FWHM[0]) & (fwhm < _FWHM[1]))
        and np.all(asymmetry < _ASYMMETRY * (left + right) / 2)
        and pairs[0] + 3 * pair_errors[-1] > _DEPTH_RATIO * pairs[-1]
        and lines.unexplained < _UNEXPLAINED
    )
