"""The velocity of every raw channel by a drive that is not quite straight.

In each half of the sweep velocity is a cubic of the sweep u, the two cubics apart:

    v = direction · Σ_k β_k b_k,   b = 1, u, u², u³ and h, h·u, h·u², h·u³

with h = −1 in the first half and +1 in the second.  That is linear in β, so that what a
calibration leaves open of it, correlations and all, is a few columns of standard
normals.  A constant that differs between the halves is a mirror point that lies
elsewhere; here it is the middle between the two passes through rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray, Reading
from specfit.readers.drive import Drive

TERMS = (
    "velocity_cubic",
    "halves_cubic",
    "velocity_bend",
    "halves_bend",
    "halves_scale",
    "mirror_point",
    "velocity_zero",
    "velocity_scale",
)
"""The terms, shapes before what is surely known: of correlated ones each nuisance moves
those after it along, so that the first bend the drive while α-Fe keeps its place and the
last is the scale alone."""

SHAPES = TERMS[:5]
"""Those that a straight drive has not."""

MIRROR, ZERO, SCALE = (
    TERMS.index(f"{n}") for n in ("mirror_point", "velocity_zero", "velocity_scale")
)

NONLINEARITY_SD = 0.015
"""Standard deviation, in units of the maximum velocity, of every term that a straight
drive has not.  The α-Fe runs of two real drives have 0.013 as their root mean square
(between 0.001 and 0.032)."""

MIRROR_SD = 0.5
"""Standard deviation, in channels, by which the mirror point may drift between the
calibration and the sample; the sample's own lines tell it to hundredths."""


def terms(drive: Drive, signed: FloatArray) -> FloatArray:
    """(n, 8) the terms at `signed` channels from the mirror point, each of order one.

    That of the mirror point is by channel.
    """
    distance, half = halves(drive, signed)
    u = drive.sweep(distance)
    mirror = -half * drive.slope(distance)
    columns = [u**3, half * u**3, u**2, half * u**2, half * u, mirror, u**0, u]
    return np.stack(columns, axis=1)


def halves(drive: Drive, signed: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distance from the mirror point within half a period, and the half, −1 or +1."""
    within = (signed + drive.period / 2) % drive.period - drive.period / 2
    return np.abs(within), np.where(within < 0, -1.0, 1.0)


def shapes_precision(maximum: float) -> FloatArray:
    """(8, 8) of the terms that a straight drive has not, in (mm/s)⁻²; 0 for the others."""
    open_ = np.ones(len(TERMS))
    open_[[MIRROR, ZERO, SCALE]] = 0.0
    return np.diag(open_ / (NONLINEARITY_SD * maximum) ** 2)


@dataclass(frozen=True)
class Waveform:
    """Velocity by channel, and its uncertainty.

    coefficients: (8,) mm/s, covariance: (8, 8), of `terms` about `mirror` (channel from
    1), whose own coefficient is the maximum velocity times channels.
    direction: +1 when velocity rises with the channel in the first half, else −1.
    """

    drive: Drive
    mirror: float
    direction: int
    coefficients: FloatArray
    covariance: FloatArray

    def velocity(self, channel: FloatArray) -> FloatArray:
        """(n,) mm/s relative to α-Fe."""
        basis = terms(self.drive, channel - self.mirror)
        return np.asarray(self.direction * basis @ self.coefficients)

    def jacobian(self, channel: FloatArray) -> FloatArray:
        """(n, 8) change of velocity with independent standard normals, one a term."""
        basis = terms(self.drive, channel - self.mirror)
        return np.asarray(self.direction * basis @ self._root)

    @property
    def _root(self) -> FloatArray:
        return np.asarray(np.linalg.cholesky(self.covariance))

    def position(self, channel: FloatArray) -> FloatArray:
        """(n,) of the drive, in units of its amplitude; negative in the first half."""
        distance, half = halves(self.drive, channel - self.mirror)
        return np.asarray(half * self.drive.position(distance))

    def readings(self, outer: float) -> tuple[Reading, ...]:
        """Mirror point, and how far lines at ± `outer` mm/s lie off for the drive's sake.

        In channels, against a straight drive: `bend` is by how much their middle comes
        XX
        """
        maximum = float(self.coefficients[SCALE])
        rest = np.array([self.drive.period / 4])
        channels = 1 / (maximum * abs(float(self.drive.slope(rest)[0])))
        u = min(outer / maximum, 1.0)
        found = [
            self._reading("mirror point", "channel", {"mirror_point": 1 / maximum})
        ]
        for half, word in ((-1, "first"), (1, "second")):
            for shape, power in (("bend", 2), ("cubic", 3)):
                factor = channels * u**power
                both, apart = f"velocity_{shape}", f"halves_{shape}"
                sign = 1 if shape == "bend" else half
                row = {both: half * factor * sign, apart: factor * sign}
                label = f"drive's {shape}, {word} half"
                found.append(self._reading(label, "channels", row))
        return tuple(found)

    def _reading(self, label: str, unit: str, parts: dict[str, float]) -> Reading:
        row = np.array([parts.get(name, 0.0) for name in TERMS])
        value = float(row @ self.coefficients)
        if label == "mirror point":
            value += self.mirror
        return Reading(label, unit, value, row @ self._root)
