"""The scattering paths that χ(k) is held against, and what of it is compared with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.readers.distances import count, independent, white
from specfit.readers.errors import ReaderError, concerning
from specfit.readers.feff import scattering_path
from specfit.readers.files import FileContent
from specfit.scattering import Scattering, ScatteringPath

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

FILE, WEIGHT, RANGE = ".file", "k_weight", "R_range"
"""Options of a source: of each path `NAME.file`, and what is compared."""
FEWEST = 4
"""Independent points that are worth a fit."""
LOWEST = 0.5
"""1/Å; the least k of data, where an E0 may still be moved by 10 eV is 1.6."""

Load = Callable[[str], FileContent]


def with_paths(
    source: DataSource, measured: Measurement, load: Load, whole: bool = False
) -> Measurement:
    """χ(k) with its paths, as the numbers that are compared; others are left alone.

    whole: over all distances, whatever the source says, as it is before it is filtered.

    Raises
    ------
    ReaderError
        A file is no path, its table ends before the data do, or the range of distances
        is none that these data tell of.

    """
    names = [key for key in source.options if key.endswith(FILE)]
    if not names:
        return measured
    k, chi = measured.axis, measured.values
    _check_low(source, k)
    paths = {name.removesuffix(FILE): _path(source, name, k, load) for name in names}
    power = source.options.get(WEIGHT, 0.0)
    weight = white(k, power if isinstance(power, float) else 0.0)
    distances = None if whole else _distances(source)
    seen, places, told = np.eye(len(k)), k, list[tuple[str, str]]()
    if distances is not None:
        seen, places = _between(source, k, *distances)
        points = f"{len(seen)} of {count(float(np.ptp(k)), *distances):.1f}"
        told = [("independent points, of 2ΔkΔR/π", points)]
    told += [(f"path {name}", _told(path)) for name, path in paths.items()]
    return replace(
        measured,
        axis=places,
        axis_unit=measured.axis_unit if distances is None else "Å",
        values=seen @ (weight * chi),
        axis_jacobian=np.zeros((len(places), 0)),
        found=(*measured.found, *told),
        scattering=Scattering(k, chi, weight, seen, paths, distances),
    )


def _path(source: DataSource, option: str, k: FloatArray, load: Load) -> ScatteringPath:
    with concerning(option):
        path = scattering_path(load(str(source.options[option])))
        if path.k[-1] < k[-1]:
            words = {"file": path.file, "end": f"{path.k[-1]:g}", "data": f"{k[-1]:g}"}
            raise ReaderError("feff-range", words)
    return path


def _distances(source: DataSource) -> tuple[float, float] | None:
    """Between which distances χ(k) is compared, where that is said."""
    stated = source.options.get(RANGE)
    return (stated[0], stated[1]) if isinstance(stated, tuple) else None


def _told(path: ScatteringPath) -> str:
    """A path and its file, as a report says it."""
    words = ", ".join(text for _, text in path.found if text)
    return f"{path.file}: {words}; {path.size} bytes, SHA-256 {path.sha256}"


def _check_low(source: DataSource, k: FloatArray) -> None:
    if k[0] < LOWEST:
        words = {"file": source.file, "low": f"{k[0]:g}", "least": f"{LOWEST:g}"}
        with concerning("window"):
            raise ReaderError("exafs-low-k", words)


def _between(
    source: DataSource, k: FloatArray, low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """The independent numbers between two distances."""
    with concerning(RANGE):
        farthest = 0.5 * np.pi / float(np.max(np.diff(k)))
        if high > farthest:
            words = {"high": f"{high:g}", "farthest": f"{farthest:.3g}"}
            raise ReaderError("exafs-range-far", words)
        seen, places = independent(k, low, high)
        if len(seen) < FEWEST:
            words = {"found": str(len(seen)), "needed": str(FEWEST)}
            raise ReaderError("exafs-range-narrow", words)
    return seen, places


def path_files(measured: Measurement) -> Mapping[str, ScatteringPath]:
    """The paths of a measurement by their names; none where it has none."""
    return {} if measured.scattering is None else measured.scattering.paths
