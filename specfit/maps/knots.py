"""Spectra as cubic splines, so that each may be read at energies moved by any drift.

A spectrum is a sum of cubic B-splines with coefficients that are not negative: all its
weights are positive, at any drift, and expectation-maximisation holds for coefficients
as it does for channels. Instead of interpolated counts, whose noise is not that of
counts, or of interpolated spectra, which cubics make negative and straight lines smear.

Source: de Boor, A Practical Guide to Splines (1978), ch. 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from specfit.maps.found import Array

REACH = 4.0
"""Standard deviations of the drift on either side; one pixel in 16000 lies beyond."""
PARTS = 64
"""Places of a drift in a standard deviation: rounding adds a 220th of one to its error."""


@dataclass(frozen=True)
class Knots:
    """Even knots (J,) in eV and the drifts (G,) in eV at which spectra are looked up.

    `first` (G, M) is the first of four splines that a channel feels, `share` (4, G, M)
    how much of each, and `slope` the same of the derivative by energy, 1/eV.
    """

    places: Array
    drifts: Array
    first: NDArray[np.int64]
    share: Array
    slope: Array

    @property
    def none(self) -> int:
        """The number of the drift that is zero."""
        return self.drifts.size // 2

    @property
    def step(self) -> float:
        """Distance of the drifts, eV."""
        return float(self.drifts[1] - self.drifts[0])

    def read(self, coefficients: Array) -> tuple[Array, Array]:
        """Spectra (G, K, M) at every drift and their derivatives by the drift, 1/eV."""
        shape = (self.drifts.size, len(coefficients), self.first.shape[1])
        values, slopes = np.zeros(shape), np.zeros(shape)
        for k, row in enumerate(coefficients):
            for t in range(4):
                tap = row[self.first + t]
                values[:, k] += self.share[t] * tap
                slopes[:, k] -= self.slope[t] * tap
        return values, slopes

    def returned(self, values: Array) -> Array:
        """The transpose of `read`: (G, K, M) → (K, J)."""
        size = self.places.size
        return np.stack(
            [
                sum(
                    np.bincount((self.first + t).ravel(), (w * one).ravel(), size)
                    for t, w in enumerate(self.share)
                )
                for one in np.moveaxis(values, 1, 0)
            ]
        )

    def written(self, spectra: Array, energy: Array) -> Array:
        """Coefficients (K, J) of spectra (K, M) on the channels; a little smoother."""
        return lifted(np.stack([np.interp(self.places, energy, s) for s in spectra]))

    def moved(self, coefficients: Array, by: Array) -> Array:
        """Coefficients of spectra moved up the axis by (K,) eV."""
        rows = [
            CubicSpline(self.places, row)(np.clip(self.places - one, *self.ends))
            for row, one in zip(coefficients, by, strict=True)
        ]
        return lifted(np.stack(rows))

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last knot, eV."""
        return float(self.places[0]), float(self.places[-1])


def lifted(rows: Array) -> Array:
    """Coefficients nowhere quite zero, where expectation-maximisation would leave them."""
    return np.asarray(np.maximum(rows, 1e-6 * rows.mean()))


def knots(energy: Array, sd: float) -> Knots:
    """As many knots as channels, and more at the ends for what drifts into the window."""
    step = float(np.median(np.diff(energy)))
    wide = REACH * sd
    low = energy[0] - wide - 2.0 * step
    count = int(np.ceil((energy[-1] + wide - low) / step)) + 4
    half = int(REACH * PARTS)
    drifts = np.arange(-half, half + 1) * (sd / PARTS)
    place = (energy[None] - drifts[:, None] - low) / step
    first = np.floor(place).astype(np.int64)
    u = place - first
    v = 1.0 - u
    share = np.stack([v**3, 3 * u**3 - 6 * u**2 + 4, 3 * v**3 - 6 * v**2 + 4, u**3])
    slope = np.stack([-3 * v**2, 9 * u**2 - 12 * u, 12 * v - 9 * v**2, 3 * u**2])
    places = np.asarray(low + step * np.arange(count), np.float64)
    values = np.asarray(share / 6.0), np.asarray(slope / (6.0 * step))
    return Knots(places, np.asarray(drifts), first - 1, *values)
