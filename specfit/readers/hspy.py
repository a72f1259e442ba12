"""A map in HyperSpy's format, .hspy: an HDF5 file with calibrated axes.

Nothing outside the file is followed: every step on the way is a hard link, and the data
lie in the file itself, neither in another one nor put together from several.  Source of
the layout: the HyperSpy user guide, "HSpy - HyperSpy's HDF5 specification".
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from specfit.cubes import Anything
from specfit.readers.arrays import Container, Stored, ruled
from specfit.readers.errors import ReaderError
from specfit.units import DIMENSIONS, UnitError, parse_unit


def hspy(path: Path, name: str) -> Container:
    """The first signal of the file with three axes, and what its axes say."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            experiments = _inside(file, "Experiments", name)
            for key in experiments:
                signal = _inside(experiments, key, name)
                data = _inside(signal, "data", name)
                if isinstance(data, h5py.Dataset) and data.ndim == 3:
                    return _container(signal, data, path, name)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise _broken(name, "it is no HDF5 file with `Experiments`") from error
    raise ReaderError("data-cube-flat", {"file": name, "known": "none"})


def _inside(group: Any, key: str, name: str) -> Any:
    """A member of a group that lies in the file itself."""
    import h5py

    if not isinstance(group, h5py.Group):
        raise _broken(name, f"`{key}` is looked for in no group")
    link = group.get(key, getlink=True)
    if link is None:
        raise KeyError(key)
    if not isinstance(link, h5py.HardLink):
        raise ReaderError("data-cube-link", {"file": name, "name": key})
    return group[key]


def _container(signal: Any, data: Any, path: Path, name: str) -> Container:
    if data.external or data.is_virtual:
        raise ReaderError("data-cube-link", {"file": name, "name": "data"})
    shape, dtype = tuple(int(n) for n in data.shape), np.dtype(data.dtype)
    energy: dict[int, Callable[[], Anything]] = {}
    steps: dict[int, float] = {}
    for place, size in enumerate(shape):
        axis = f"axis-{place}"
        if axis not in signal:
            continue
        group = _inside(signal, axis, name)
        attributes = dict(group.attrs)
        if "axis" in group:
            listed(place + 1, size, (path, name), group, energy)
        elif {"offset", "scale"} <= attributes.keys():
            start, step = (
                _number(attributes, key, name) for key in ("offset", "scale")
            )
            calibrated(place + 1, size, (start, step, _text(attributes)), energy, steps)
    where = f"{data.name}"
    stored = Stored(shape, dtype, _load(path, where, name))
    if prod(shape) == 0:
        raise ReaderError("data-empty", {"file": name})
    return Container({where: stored}, "HyperSpy", energy, steps)


def listed(
    number: int,
    size: int,
    file: tuple[Path, str],
    group: Any,
    energy: dict[int, Callable[[], Anything]],
) -> None:
    """Put an axis without an even step, whose places are listed, where it belongs."""
    data = _inside(group, "axis", file[1])
    try:
        unit = parse_unit(_text(dict(group.attrs)))
    except UnitError:
        return
    if unit.dimension != DIMENSIONS["energy"]:
        return
    if (
        getattr(data, "shape", None) != (size,)
        or data.external
        or data.is_virtual
        or data.dtype.kind not in "iuf"
    ):
        raise _broken(file[1], "the places of an axis are not as many as its channels")
    load = _load(file[0], f"{data.name}", file[1])
    energy[number] = lambda: unit.scale * np.asarray(load(), dtype=float)


def calibrated(
    number: int,
    size: int,
    axis: tuple[float, float, str],
    energy: dict[int, Callable[[], Anything]],
    steps: dict[int, float],
) -> None:
    """Put an axis (start, step, unit) where it belongs; one in other units is passed over."""
    start, step, text = axis
    try:
        unit = parse_unit(text)
    except UnitError:
        return
    if unit.dimension == DIMENSIONS["energy"] and step:
        energy[number] = ruled(unit.scale * start, unit.scale * step, size)
    elif unit.dimension == DIMENSIONS["length"] and step:
        steps[number] = abs(unit.scale * step)


def _number(attributes: dict[str, Any], key: str, name: str) -> float:
    value = np.asarray(attributes[key])
    if value.dtype.kind not in "iuf" or value.size != 1 or not np.isfinite(value):
        raise _broken(name, f"`{key}` of an axis is no number")
    return float(value)


def _text(attributes: dict[str, Any]) -> str:
    value = attributes.get("units", "")
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip()


def _load(path: Path, where: str, name: str) -> Callable[[], Anything]:
    def load() -> Anything:
        import h5py

        try:
            with h5py.File(path, "r") as file:
                found: Anything = file[where][()]
                return found
        except (OSError, KeyError, RuntimeError) as error:
            raise _broken(name, "its data cannot be unpacked") from error

    return load


def _broken(name: str, why: str) -> ReaderError:
    return ReaderError("data-cube-broken", {"file": name, "why": why})
