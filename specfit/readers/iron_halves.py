"""The drive from both halves of a raw α-Fe spectrum, without folding it.

The lines are fitted where they stand in each half, and a cubic of each half is laid
through them with the velocities of the convention.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from specfit.constants import FieldScale
from specfit.contracts import FloatArray
from specfit.readers.alpha_iron import Calibration
from specfit.readers.drive import Drive
from specfit.readers.errors import ReaderError
from specfit.readers.folding import Spectrum
from specfit.readers.waveform import (
    MIRROR,
    SCALE,
    Waveform,
    halves,
    shapes_precision,
    terms,
)

IntArray = np.ndarray[Any, np.dtype[np.int_]]

_TURN = 0.995  # of the sweep: beyond it a channel is passed while the drive turns back
_AGAIN = 3  # times that the terms are laid about the mirror point just found
_EVALUATIONS = 2000  # of the curve, gradients included; α-Fe takes some 300
_CHANCE = 0.95  # quantile of χ² beyond which the lines scatter more than their errors


@dataclass(frozen=True)
class Places:
    """Where the lines stand, first half then second, each in order of velocity.

    channel: (2n,); covariance: (2n, 2n); chi2: reduced, of the counts.
    """

    channel: FloatArray
    covariance: FloatArray
    chi2: float


@dataclass(frozen=True)
class Halves:
    """The waveform that α-Fe gives, direction not yet known, and how well it does.

    residuals: (2n,) channels, in the order of `Places`.  chi2: of the lines about it,
    `degrees` what the terms leave of their number.
    """

    waveform: Waveform
    residuals: FloatArray
    chi2: float
    degrees: float
    widened: float
    fit_chi2: float


def calibrate_halves(
    iron: Spectrum, folded: Calibration, drive: Drive, scale: FieldScale, name: str
) -> Halves:
    """The waveform of a drive from its raw α-Fe spectrum, begun from the folded one.

    Lines that scatter more than their errors widen the answer, as when folded.

    Raises
    ------
    ReaderError
        `calibration-lines` when the lines cannot be followed in both halves.

    """
    half = np.array([scale.outer, scale.middle, scale.inner])
    half = half[3 - len(folded.fwhm) :]
    nominal = np.concatenate([-half, half[::-1]])
    places = _places(iron, folded, drive, nominal)
    if places is None:
        raise ReaderError("calibration-lines", {"file": name})
    nominal, maximum = np.tile(nominal, 2), folded.maximum_velocity
    first = _laid(places, nominal, drive, iron.mirror.point, maximum)
    excess = first.chi2 / first.degrees
    if first.chi2 <= _limit(first.degrees):
        return first
    wider = replace(places, covariance=places.covariance * excess)
    again = _laid(wider, nominal, drive, first.waveform.mirror, maximum)
    return replace(
        again, chi2=first.chi2, degrees=first.degrees, widened=float(np.sqrt(excess))
    )


def _limit(degrees: float) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(_CHANCE, degrees))


def _laid(
    places: Places, nominal: FloatArray, drive: Drive, mirror: float, maximum: float
) -> Halves:
    """Generalised least squares, the shapes of a crooked drive under their prior."""
    prior = shapes_precision(maximum)
    for _ in range(_AGAIN):
        signed = places.channel - mirror
        basis = terms(drive, signed)
        slope = -maximum * basis[:, MIRROR]  # mm/s a channel
        weight = np.linalg.inv(places.covariance * np.outer(slope, slope))
        information = basis.T @ weight @ basis
        covariance: FloatArray = np.linalg.inv(information + prior).astype(float)
        found = covariance @ basis.T @ weight @ nominal
        maximum = float(found[SCALE])
        mirror += float(found[MIRROR]) / maximum
    found[MIRROR] = 0.0
    left = nominal - basis @ found
    degrees = len(nominal) - float(np.trace(covariance @ information))
    waveform = Waveform(drive, mirror, 1, found, covariance)
    return Halves(
        waveform, -left / slope, float(left @ weight @ left), degrees, 1.0, places.chi2
    )


@dataclass(frozen=True)
class _Counts:
    """Counts of both halves, and the curve of `n` lines in each of them.

    Its unknowns: the baseline, where each line stands in the first half and in the
    second, its depth, and the logarithm of the width of each pair, alike in both.
    """

    u: FloatArray
    second: IntArray  # 1 in the second half, else 0
    base: FloatArray  # (n_channels, 5) level, slope and curvature, of halves and apart
    counts: FloatArray
    level: float
    n: int

    @classmethod
    def of(cls, iron: Spectrum, drive: Drive, n: int) -> _Counts:
        """The live channels that are not passed while the drive turns back."""
        channel = np.arange(1.0, len(iron.counts) + 1)
        distance, half = halves(drive, channel - iron.mirror.point)
        keep = ~iron.dead & (np.abs(drive.sweep(distance)) < _TURN)
        distance, half, counts = distance[keep], half[keep], iron.counts[keep]
        u = drive.sweep(distance)
        base = [u**0, u, u**2, half * drive.position(distance), half * u]
        level = float(np.quantile(counts, 0.8))
        return cls(u, (half > 0).astype(int), np.stack(base, 1), counts, level, n)

    @property
    def places(self) -> slice:
        """Where the places of the lines stand among the unknowns."""
        first = self.base.shape[1]
        return slice(first, first + 2 * self.n)

    def residual(self, theta: FloatArray) -> FloatArray:
        """(n_channels,) expected less observed, in standard deviations."""
        n, where = self.n, self.places
        place = theta[where].reshape(2, n)[self.second]
        depth, width = theta[where.stop : where.stop + n], theta[where.stop + n :]
        pair = np.minimum(np.arange(n), n - 1 - np.arange(n))
        hwhm = np.exp(np.clip(width, -20, 5))[pair] / 2
        dips = (depth / (1 + ((self.u[:, None] - place) / hwhm) ** 2)).sum(-1)
        curve = self.level * (self.base @ theta[: where.start] - dips)
        deviation = np.sqrt(np.maximum(self.counts, 1.0))
        return np.asarray((curve - self.counts) / deviation)

    def begin(self, place: FloatArray, fwhm: FloatArray) -> FloatArray:
        """Unknowns to begin with: lines at `place` in both halves, as deep as seen."""
        near = np.argmin(np.abs(self.u[:, None] - place), axis=0)
        depth = np.maximum(1 - self.counts[near] / self.level, 0.01)
        level = np.eye(self.places.start)[0]
        return np.concatenate([level, place, place, depth, np.log(fwhm)])


def _places(
    iron: Spectrum, folded: Calibration, drive: Drive, nominal: FloatArray
) -> Places | None:
    """The lines of both halves, fitted each at its own place."""
    from scipy.optimize import least_squares

    made = _Counts.of(iron, drive, len(nominal))
    maximum = folded.maximum_velocity
    begin = made.begin(folded.centre + nominal / maximum, folded.fwhm / maximum)
    fit = least_squares(
        made.residual, begin, method="lm", x_scale="jac", max_nfev=_EVALUATIONS
    )
    if not fit.success or np.linalg.matrix_rank(fit.jac) < len(begin):
        return None
    chi2 = 2 * float(fit.cost) / (len(made.counts) - len(begin))
    covariance = np.linalg.inv(fit.jac.T @ fit.jac) * max(1.0, chi2)
    where = made.places
    found = drive.distance(fit.x[where])
    sign = np.repeat([-1.0, 1.0], len(nominal))
    step = sign / drive.slope(found)  # channels for a unit of the sweep
    return Places(
        iron.mirror.point + sign * found,
        covariance[where, where] * np.outer(step, step),
        chi2,
    )
