"""Measurements as stacked arrays: spectra are rows, shorter ones padded under a mask.

All that changes with the data is here, so that a second spectrum of the same length is
a new argument and not a new compilation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Data, FloatArray, Measurement

FLOOR = 1e-3
"""Expected counts below this share of the largest count are bent upwards; see
`curve.positive`."""


def spectra_data(measurements: Sequence[Measurement], room: int = 0) -> Data:
    """The arrays of the spectra; S spectra, C channels of the longest, K nuisances.

    C is at least `room`.

    counts, velocity (mm/s), mask: (S, C); jacobian: (S, C, K), d velocity / d z of the
    calibration; position: (S, C) of the drive, 0 where folded; velocity_limit: (S,),
    max |velocity|; half_offset: (S,) mm/s; slopes: (S, 3) mm/s/T; floor: (S,) counts.
    """
    length = max(room, *(m.axis.size for m in measurements))
    nuisances = max(len(m.nuisance_names) for m in measurements)
    return {
        "counts": _stacked([m.values for m in measurements], length),
        "velocity": _stacked([m.axis for m in measurements], length),
        "mask": _mask([m.axis.size for m in measurements], length),
        "jacobian": np.stack([_jacobian(m, length, nuisances) for m in measurements]),
        "position": _stacked([_position(m) for m in measurements], length),
        "velocity_limit": np.array([np.abs(m.axis).max() for m in measurements]),
        "half_offset": np.array([m.half_offset for m in measurements], dtype=float),
        "slopes": np.array([m.field_slopes for m in measurements], dtype=float),
        "floor": np.array([FLOOR * max(m.values.max(), 1.0) for m in measurements]),
    }


def _stacked(rows: Sequence[FloatArray], length: int) -> FloatArray:
    """Rows of one length; what is added repeats the last value."""
    full = np.empty((len(rows), length))
    for position, row in enumerate(rows):
        full[position, : row.size] = row
        full[position, row.size :] = row[-1]
    return full


def _jacobian(measurement: Measurement, length: int, nuisances: int) -> FloatArray:
    full = np.zeros((length, nuisances))
    given = measurement.axis_jacobian
    if measurement.nuisance_names:
        full[: given.shape[0], : given.shape[1]] = given
    return full


def _position(measurement: Measurement) -> FloatArray:
    folded = measurement.position.size == 0
    return np.zeros_like(measurement.axis) if folded else measurement.position


def _mask(sizes: Sequence[int], length: int) -> FloatArray:
    return (np.arange(length) < np.array(sizes)[:, None]).astype(float)
