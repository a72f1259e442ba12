"""The drive: how velocity follows from the distance of a channel to the mirror point.

`sweep` runs from +1 at the mirror point to −1 half a period away.  A triangular drive
(constant acceleration) makes it linear in the channel, a sinusoidal one a cosine; it is
zero a quarter period from the mirror point, where the drive is at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from specfit.contracts import FloatArray

DriveName = Literal["triangular", "sinusoidal"]

REST_SD = 0.15
"""Standard deviation, in channels, of the drive's rest about the quarter period.  In
the α-Fe runs of two real drives the source shift of 57Co(Rh) comes out within 0.06
channel of −0.108 mm/s; doubled, because two drives are few."""


@dataclass(frozen=True)
class Drive:
    """A drive of the given name whose period is `period` channels."""

    name: DriveName
    period: float

    def sweep(self, distance: FloatArray) -> FloatArray:
        """Velocity over its maximum, (n,), at `distance` channels from the mirror."""
        if self.name == "sinusoidal":
            return np.asarray(np.cos(2 * np.pi * distance / self.period))
        inside = np.minimum(distance, self.period - distance)  # it turns back there
        return np.asarray(1 - 4 * inside / self.period)

    def slope(self, distance: FloatArray) -> FloatArray:
        """Change of `sweep` per channel away from the mirror point, (n,), negative."""
        if self.name == "sinusoidal":
            phase = 2 * np.pi * distance / self.period
            return np.asarray(-2 * np.pi / self.period * np.sin(phase))
        return np.where(distance > self.period / 2, 4.0, -4.0) / self.period

    def distance(self, sweep: FloatArray) -> FloatArray:
        """Channels from the mirror point at which the sweep has this value, (n,)."""
        if self.name == "sinusoidal":
            phase = np.arccos(np.clip(sweep, -1.0, 1.0))
            return np.asarray(phase * self.period / (2 * np.pi))
        return np.asarray((1 - sweep) * self.period / 4)

    def position(self, distance: FloatArray) -> FloatArray:
        """How far the source stands from where it turns back, over the farthest, (n,).

        The integral of `sweep`: a parabola of constant acceleration, or a sine.
        """
        if self.name == "sinusoidal":
            return np.asarray(np.sin(2 * np.pi * distance / self.period))
        return np.asarray(1 - self.sweep(distance) ** 2)


def period_of(n_channels: int) -> int:
    """Channels of a whole period: the next power of two when few are missing from it.

    Exports often lose the first channels; 1023 counts were measured in 1024 channels.
    """
    power = 1 << (n_channels - 1).bit_length()
    return power if power - n_channels <= 4 else n_channels
