"""χ(k), its paths and what of it is compared, as stacked arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Data, FloatArray, Measurement
from specfit.exafs import far_noise, tables_of
from specfit.model.ir import Const, Model, Prior, Spectrum
from specfit.scattering import Scattering

LEAST = 0.02
"""Of what is there: no path is known better, and no search needs more."""


def exafs_data(
    model: Model[Prior], measurements: Sequence[Measurement], room: int = 0
) -> Data:
    """The arrays; S spectra, J values compared, C points of k, P paths of n knots.

    counts (what is compared), mask, spread (its variance, about): (S, J); k: (S, C);
    seen: (S, J, C), from χ at each k to what is compared; knots: (P, n), splines: (P, 4,
    4, n), half_length: (P,); columns: (J,) by the name that each has in expressions.
    """
    given = [_scattering(m) for m in measurements]
    values = max(room, *(m.values.size for m in measurements))
    points = max(one.k.size for one in given)
    paths = [
        one.paths[site.name]
        for one, spectrum in zip(given, model.spectra, strict=True)
        for site in spectrum.sites
    ]
    knots = max(path.k.size for path in paths)
    tables = [tables_of(path, knots) for path in paths]
    compared = np.stack([_padded(m.values, values) for m in measurements])
    return {
        "counts": compared,
        "mask": np.stack(
            [_padded(np.ones(m.values.size), values) for m in measurements]
        ),
        "floor": np.zeros(len(measurements)),
        "k": np.stack([_continued(one.k, points) for one in given]),
        "seen": np.stack([_seen(one, values, points) for one in given]),
        "knots": np.stack([table.knots for table in tables]),
        "splines": np.stack([table.splines for table in tables]),
        "half_length": np.array([table.half_length for table in tables]),
        "spread": np.full_like(compared, 1.0)
        * _variances(model, measurements)[:, None],
        "columns": _columns(model, measurements),
    }


def _scattering(measured: Measurement) -> Scattering:
    assert measured.scattering is not None
    return measured.scattering


def _padded(row: FloatArray, length: int) -> FloatArray:
    return np.pad(row, (0, length - row.size))


def _continued(k: FloatArray, length: int) -> FloatArray:
    """Points that nothing sees repeat the last."""
    return np.pad(k, (0, length - k.size), mode="edge")


def _seen(one: Scattering, values: int, points: int) -> FloatArray:
    rows, columns = one.seen.shape
    weighted = one.seen * one.weight
    return np.pad(weighted, ((0, values - rows), (0, points - columns)))


def _variances(model: Model[Prior], measurements: Sequence[Measurement]) -> FloatArray:
    """About the variance of what is compared, before anything is fitted."""
    pairs = zip(model.spectra, measurements, strict=True)
    return np.array([_variance(spectrum, m) for spectrum, m in pairs])


def _variance(spectrum: Spectrum, measured: Measurement) -> float:
    """A number that is stated; else the noise at distances from which nothing comes."""
    said, one = spectrum.noise.arguments[-1], _scattering(measured)
    if isinstance(said, Const):
        return said.value**2
    least = LEAST * float(np.sqrt(np.mean(measured.values**2)))
    return max(far_noise(one.k, one.weight * one.chi), least, 1e-150) ** 2


def _columns(
    model: Model[Prior], measurements: Sequence[Measurement]
) -> dict[str, FloatArray]:
    """The columns, where each value that is compared is of one k."""
    columns = {}
    for spectrum, measured in zip(model.spectra, measurements, strict=True):
        name = spectrum.data + (f"[{spectrum.label}]" if spectrum.label else "")
        if _scattering(measured).distances is None:
            for column, values in measured.columns.items():
                columns[f"{name}.{column}"] = values
    return columns
