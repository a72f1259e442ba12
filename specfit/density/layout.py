"""Measurements as stacked arrays: spectra are rows, shorter ones padded under a mask.

All that changes with the data is here, so that a second spectrum of the same length is
a new argument and not a new compilation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Data, FloatArray, Measurement
from specfit.density.exafs_layout import exafs_data
from specfit.density.splines import natural
from specfit.distributions import NOISES
from specfit.model.ir import Const, Expression, Model, Prior, Ref, Spectrum
from specfit.standardised import feature_columns

LEAST = 1e-3
"""The same of patterns, in counts: between peaks there may be next to nothing."""
FLOOR = 1e-3
"""Expected counts below this share of the largest count are bent upwards; see
`curve.positive`."""


def layout_of(
    model: Model[Prior], measurements: Sequence[Measurement], room: int = 0
) -> Data:
    """The arrays of the data of any model."""
    if model.kind.startswith("mossbauer"):
        return spectra_data(measurements, room)
    if model.kind == "exafs":
        return exafs_data(model, measurements, room)
    return pattern_data(model, measurements, room)


def pattern_data(
    model: Model[Prior], measurements: Sequence[Measurement], room: int = 0
) -> Data:
    """The same of data with an axis of any kind.

    counts (what was measured), x, mask, spread (its variance, about): (S, C); floor:
    (S,); columns: (C,) by the name that each has in expressions; bases: splines by name;
    learned: (S, C), where there are features, the rows that these are standardised over.
    """
    length = max(room, *(m.axis.size for m in measurements))
    bases = measurements[0].bases if measurements else {}
    columns = {}
    for spectrum, measurement in zip(model.spectra, measurements, strict=True):
        name = spectrum.data + (f"[{spectrum.label}]" if spectrum.label else "")
        for column, values in measurement.columns.items():
            columns[f"{name}.{column}"] = _stacked([values], length)[0]
        if measurement.features is not None:
            columns |= feature_columns(name, measurement.features)
    mask = _mask([m.axis.size for m in measurements], length)
    featured = any(m.features is not None for m in measurements)
    return {
        **({"learned": mask} if featured else {}),
        "counts": _stacked([m.values for m in measurements], length),
        "x": _stacked([m.axis for m in measurements], length),
        "mask": mask,
        "floor": np.full(len(measurements), LEAST),
        "columns": columns,
        "bases": {n: natural(b.axis, b.values) for n, b in bases.items()},
        "spread": _stacked(
            [
                _variance(model, s, m)
                for s, m in zip(model.spectra, measurements, strict=True)
            ],
            length,
        ),
    }


def _variance(
    model: Model[Prior], spectrum: Spectrum, measured: Measurement
) -> FloatArray:
    """About the variance of each datum, before anything is fitted.

    Of counts, theirs, with as much excess as its prior has; where the law has a column or
    a number for it, that; else from how neighbours scatter about their means.
    """
    y = measured.values
    if NOISES[spectrum.noise.family].counts:
        excess = sum(_typical(model, a) for a in spectrum.noise.arguments)
        return np.maximum(y + (excess * y) ** 2, 1.0)
    said = spectrum.noise.arguments[-1]
    if isinstance(said, Const):
        return np.full_like(y, said.value**2)
    name = said.name.rpartition(".")[2] if isinstance(said, Ref) else ""
    if name in measured.columns:
        return np.maximum(measured.columns[name], 1e-300) ** 2
    apart = np.abs(y[1:-1] - 0.5 * (y[:-2] + y[2:]))
    sd = 1.4826 * float(np.median(apart)) / np.sqrt(1.5)
    return np.full_like(y, max(sd, 1e-6 * float(np.ptp(y)), 1e-300) ** 2)


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


def _typical(model: Model[Prior], argument: Expression) -> float:
    """About the middle of what an argument of a noise law may be: 2/3 of its scale."""
    if isinstance(argument, Const):
        return argument.value
    priors = {p.name: p.prior.dist for p in model.parameters}
    name = argument.name if isinstance(argument, Ref) else ""
    half = name in priors and priors[name].family == "halfnormal"
    scale = priors[name].arguments if half else ()
    return sum(2.0 / 3.0 * a.value for a in scale if isinstance(a, Const))


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
