"""The velocity of every channel of a raw spectrum, and what stays open about it.

The scale comes from α-Fe measured with the same drive, or from a stated maximum
velocity; which way velocity runs, from where α-Fe stands against the drive's rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.alpha_iron import Calibration
from specfit.readers.drive import REST_SD, Drive
from specfit.readers.errors import ReaderError
from specfit.readers.reference import DEFAULT_SOURCE, IRON, reference
from specfit.readers.wording import Found, plus_minus

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

NUISANCE_NAMES = ("velocity_scale", "velocity_zero")
_SURE = 3.0  # standard deviations of the displacement of α-Fe that settle the direction


@dataclass(frozen=True)
class VelocityScale:
    """velocity = direction · maximum · (sweep − centre), mm/s relative to α-Fe.

    covariance: (2, 2) of the relative scale and of the zero (mm/s).
    direction: +1 when velocity rises with the channel in the first half, else −1.
    """

    drive: Drive
    maximum: float
    centre: float
    direction: int
    covariance: FloatArray

    def velocity(self, distance: FloatArray) -> FloatArray:
        """(n,) mm/s at `distance` channels from the mirror point."""
        sweep = self.drive.sweep(distance)
        return np.asarray(self.direction * self.maximum * (sweep - self.centre))

    def per_channel(self, distance: FloatArray) -> FloatArray:
        """(n,) change of velocity per channel away from the mirror point, mm/s."""
        return np.asarray(self.direction * self.maximum * self.drive.slope(distance))

    def jacobian(self, velocity: FloatArray) -> FloatArray:
        """(n, 2) change of velocity with two independent standard normals."""
        (scale_variance, mixed), (_, zero_variance) = self.covariance
        scale = float(np.sqrt(scale_variance))
        shared = float(mixed) / scale if scale > 0 else 0.0
        own = float(np.sqrt(max(float(zero_variance) - shared**2, 0.0)))
        return np.stack([velocity * scale + shared, np.full_like(velocity, own)], 1)


def from_calibration(
    calibration: Calibration, drive: Drive, source: DataSource
) -> tuple[VelocityScale, Found]:
    """The scale that α-Fe gives, with the direction."""
    direction, said = _direction(calibration, drive, source)
    covariance = calibration.covariance.copy()
    covariance[0, 1] *= direction
    covariance[1, 0] *= direction
    scale = VelocityScale(
        drive, calibration.maximum_velocity, calibration.centre, direction, covariance
    )
    return scale, [*_describe(scale), *said]


def from_maximum(drive: Drive, source: DataSource) -> tuple[VelocityScale, Found]:
    """The scale of a stated maximum velocity; zero is the rest less the shift."""
    maximum = float(source.options["velocity_max"])  # type: ignore[arg-type]
    maximum_sd = float(source.options.get("velocity_max_sd", 0.0))  # type: ignore[arg-type]
    if not (0 < maximum < np.inf and 0 <= maximum_sd < maximum):
        shown = f"{maximum:g} ± {maximum_sd:g}"
        raise ReaderError("velocity-max", {"value": shown, "data": source.data})
    name, assumed = _source_name(source)
    key, shift, shift_sd = reference(name)
    direction = _stated_direction(source)
    relative = maximum_sd / maximum
    zero_sd = float(np.hypot(shift_sd, REST_SD * 4 * maximum / drive.period))
    mixed = shift * relative**2
    covariance = np.array(
        [[relative**2, mixed], [mixed, zero_sd**2 + shift**2 * relative**2]]
    )
    centre = (direction or 1) * shift / maximum
    scale = VelocityScale(drive, maximum, centre, direction or 1, covariance)
    text = f"drive at rest, α-Fe at {shift:+g} mm/s on the scale of {key}"
    found = [*_describe(scale), ("velocity zero from", text + assumed)]
    return scale, [*found, ("direction", _told(direction or 1, direction is None))]


def _describe(scale: VelocityScale) -> Found:
    relative, zero = np.sqrt(np.diag(scale.covariance))
    rest = np.array([scale.drive.period / 4])
    step = abs(float(scale.per_channel(rest)[0]))
    middle = "" if scale.drive.name == "triangular" else " (at rest)"
    maximum = plus_minus(scale.maximum, float(relative) * scale.maximum, "mm/s")
    return [
        ("drive", f"{scale.drive.name}, period {scale.drive.period:g} channels"),
        ("maximum velocity", maximum),
        (
            "velocity per channel" + middle,
            plus_minus(step, float(relative) * step, "mm/s"),
        ),
        ("velocity zero", plus_minus(0.0, float(zero), "mm/s, relative to α-Fe")),
    ]


def _source_name(source: DataSource) -> tuple[str, str]:
    """The source as stated, and a remark when it was not."""
    stated = source.options.get("source")
    if stated is not None:
        return str(stated), ""
    zero = str(source.options.get("IS_zero", IRON))
    if reference(zero)[0] != IRON:
        return zero, ""
    return DEFAULT_SOURCE, f' (assumed; set source = "{DEFAULT_SOURCE}" or another)'


def _stated_direction(source: DataSource) -> int | None:
    stated = str(source.options.get("direction", "auto"))
    choices = {"rising": 1, "falling": -1, "auto": None}
    if stated not in choices:
        raise ReaderError(
            "data-option",
            {
                "option": "direction",
                "value": stated,
                "known": ", ".join(f"`{choice}`" for choice in choices),
            },
        )
    return choices[stated]


def _told(direction: int, assumed: bool) -> str:
    """The direction in words, with the remedy where it was only assumed."""
    word, verb = ("rising", "rises") if direction > 0 else ("falling", "falls")
    text = f"{word}: velocity {verb} with the channel in the first half"
    if not assumed:
        return text
    other = "falling" if direction > 0 else "rising"
    return (
        f'{text} (assumed; if isomer shifts come out mirrored, direction = "{other}")'
    )


def _direction(
    calibration: Calibration, drive: Drive, source: DataSource
) -> tuple[int, Found]:
    """Which way velocity runs, from where α-Fe stands against the drive's rest."""
    stated = _stated_direction(source)
    name, assumed_source = _source_name(source)
    key, shift, _ = reference(name)
    error = np.hypot(calibration.centre_sd, REST_SD * 4 / drive.period)
    sure = abs(calibration.centre) > _SURE * error and shift != 0
    rising = calibration.centre * (shift or 1.0) > 0
    likely = 1 if rising else -1
    direction = stated or likely
    displacement = direction * calibration.centre * calibration.maximum_velocity
    shown = plus_minus(
        displacement, float(error) * calibration.maximum_velocity, "mm/s"
    )
    told = _told(direction, stated is None and not sure)
    if stated is None and sure:
        told += " (from the displacement of α-Fe)"
    elif stated is not None and sure and stated != likely:
        told += " (as stated; the displacement of α-Fe says the opposite)"
    against = f"; {shift:+g} mm/s expected with {key}{assumed_source}"
    return direction, [
        ("α-Fe against the drive's rest", shown + against),
        ("direction", told),
    ]
