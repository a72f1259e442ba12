"""A file of maps → a Measurement: the spectrum of every pixel, and their sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.cubes import Anything, Cube
from specfit.readers import memory
from specfit.readers.arrays import Container, Stored, digest, npy, npz
from specfit.readers.checks import MINIMUM_CHANNELS
from specfit.readers.dm import digital_micrograph
from specfit.readers.errors import ReaderError
from specfit.readers.files import located
from specfit.readers.hspy import hspy
from specfit.readers.odds import at_odds
from specfit.readers.sidecar import beside

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

FORMATS: dict[str, Callable[[Path, str], Container]] = {
    ".npz": npz,
    ".npy": npy,
    ".hspy": hspy,
    ".dm3": digital_micrograph,
    ".dm4": digital_micrograph,
}
_BLOCK = 1 << 22
"""Numbers that are looked at together."""
_SHARE = 2
"""Memory that a cube and the work on it take, in sizes of the cube."""
_AXIS, _MANY = 64, 1 << 20
"""Bytes that a channel takes by itself, and from how many on that is counted."""


def read_cube(source: DataSource, root: Path, allow_outside: bool) -> Measurement:
    """The cube of a `hyperspectral` block; its window and masks are still to be applied.

    Raises
    ------
    ReaderError
        Whatever is wrong with the file, as a code and its words.

    """
    path = located(source.file, root, allow_outside)
    if not path.is_file():
        code = "data-is-folder" if path.is_dir() else "data-not-regular"
        raise ReaderError(code, {"file": source.file})
    held = _opened(path, source.file)
    name, stored = _meant(source, held)
    axis = source.columns["energy"][0]
    _room(stored, axis, source.file)
    energy = _energy(source, held, stored, axis)
    counts = np.moveaxis(stored.load(), axis - 1, 2)
    if energy[0] > energy[-1]:
        energy, counts = energy[::-1], counts[:, :, ::-1]
    total, empty = _looked_at(counts, source, axis)
    first, second = (name.strip() for name in str(source.options["pixel"]).split(","))
    cube = Cube(
        counts, (first, second), _steps(source, held, axis), total == 0.0, empty
    )
    return Measurement(
        axis=energy,
        values=total,
        axis_unit="eV",
        value_unit="counts" if "counts" in source.columns else "",
        axis_jacobian=np.zeros((energy.size, 0)),
        path=source.file,
        sha256=digest(path),
        size=path.stat().st_size,
        found=_found(
            cube, held, name, stored, path, at_odds(source, held, energy, axis)
        ),
        cube=cube,
    )


def _found(
    cube: Cube,
    held: Container,
    name: str,
    stored: Stored,
    path: Path,
    told: list[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    """What was found, for people: format, size, what has no count."""
    size = f"{memory.said(stored.size)} of {stored.dtype.name}"
    where = f", array `{name}`" if name else ""
    first, second = cube.shape
    return (
        ("file", f"{path.name}, {path.stat().st_size} bytes"),
        ("format", f"{held.title}{where}{', mapped' if stored.mapped else ''}"),
        ("cube", f"{first} × {second} pixels, {size}"),
        *told,
        *_left_out(cube),
    )


def within(cube: Cube, keep: Anything) -> Cube:
    """The channels that are kept; a window without masks copies nothing."""
    places = np.flatnonzero(keep)
    whole = places.size and places[-1] - places[0] + 1 == places.size
    chosen = slice(places[0], places[-1] + 1) if whole else places
    return replace(cube, counts=cube.counts[:, :, chosen], dead=cube.dead[keep])


def _opened(path: Path, name: str) -> Container:
    ending = path.suffix.lower()
    if ending in FORMATS:
        return beside(path, name, FORMATS[ending](path, name))
    raise ReaderError("data-cube-format", {"file": name, "ending": ending or "…"})


def _meant(source: DataSource, held: Container) -> tuple[str, Stored]:
    """The array of the counts: the one that is named, or the only one with three axes."""
    asked = source.options.get("array")
    solid = [key for key, one in held.arrays.items() if len(one.shape) == 3]
    known = ", ".join(
        f"`{key}` ({' × '.join(map(str, one.shape))})"
        for key, one in held.arrays.items()
    )
    known += "".join(f", `{key}` (of {kind})" for key, kind in held.others.items())
    words = {"file": source.file, "known": known or "none"}
    if asked is not None:
        if asked not in held.arrays:
            raise ReaderError("data-cube-array", words | {"name": str(asked)})
        solid = [str(asked)] if asked in solid else []
    if len(solid) != 1:
        code = "data-cube-several" if solid else "data-cube-flat"
        raise ReaderError(code, words)
    stored = held.arrays[solid[0]]
    if 0 in stored.shape:
        raise ReaderError("data-empty", {"file": source.file})
    return solid[0], stored


def _energy(
    source: DataSource, held: Container, stored: Stored, axis: int
) -> FloatArray:
    """The energy of each channel, eV: stated, of an array, or of the file's own axis."""
    options, n = source.options, stored.shape[axis - 1]
    words = {"file": source.file, "axis": str(axis), "channels": str(n)}
    words["shape"] = " × ".join(map(str, stored.shape))
    if n < MINIMUM_CHANNELS:
        raise ReaderError("data-cube-axis", words | {"needed": str(MINIMUM_CHANNELS)})
    if "energy_start" in options:
        start, step = (options[key] for key in ("energy_start", "energy_step"))
        return float(str(start)) + float(str(step)) * np.arange(n, dtype=float)
    own = held.energy.get(axis)
    if own is None and held.energy and "energy_array" not in options:
        words["other"] = str(next(iter(held.energy)))
        raise ReaderError("data-cube-axis-other", words)
    if own is None:
        scale = {"keV": 1e3, "meV": 1e-3}.get(source.columns["energy"][1], 1.0)
        values = scale * _vector(source, held, n, words)
    else:
        values = np.array(own(), dtype=float)
    _increasing(values, source.file)
    return values


def _vector(
    source: DataSource, held: Container, n: int, words: dict[str, str]
) -> FloatArray:
    """The array of energies: the one named, `energy`, or the only one that fits."""
    name = source.options.get("energy_array")
    flat = {key: one for key, one in held.arrays.items() if len(one.shape) == 1}
    fits = [key for key, one in flat.items() if one.shape == (n,)]
    if name is None:
        name = "energy" if "energy" in fits or len(fits) != 1 else fits[0]
    one = flat.get(str(name))
    if one is None:
        raise ReaderError("data-cube-no-energy", words)
    if one.shape != (n,):
        more = {"name": str(name), "found": str(one.shape[0])}
        raise ReaderError("data-cube-energy-length", words | more)
    return np.array(one.load(), dtype=float)


def _increasing(energy: FloatArray, file: str) -> None:
    """Energies that rise or fall all the way."""
    steps = np.diff(energy)
    up = steps[0] > 0
    wrong = ~np.isfinite(steps) | (steps == 0) | ((steps > 0) != up)
    if wrong.any():
        at = int(np.argmax(wrong))
        words = {"file": file, "channel": str(at + 2), "value": f"{energy[at + 1]:g}"}
        raise ReaderError("data-cube-order", words | {"before": f"{energy[at]:g}"})


def _room(stored: Stored, axis: int, file: str) -> None:
    """Whether there is room for the numbers and for their axis, before either is made.

    A head may claim what it likes: one of unwritten blocks holds any size in a few bytes.
    """
    if stored.dtype.kind not in "biuf":
        raise ReaderError("data-cube-objects", {"file": file})
    room = memory.free()
    channels = stored.shape[axis - 1]
    needed = _AXIS * channels if channels > _MANY else 0
    needed += 0 if stored.mapped else _SHARE * stored.size
    if needed > room:
        words = {"file": file, "shape": " × ".join(map(str, stored.shape))}
        words |= {"type": stored.dtype.name, "size": memory.said(stored.size)}
        words |= {"needed": memory.said(needed)}
        raise ReaderError("data-cube-memory", words | {"free": memory.said(room)})


def _steps(source: DataSource, held: Container, axis: int) -> tuple[float, float]:
    """Å from pixel to pixel: stated, or of the file."""
    said = source.options.get("step")
    if isinstance(said, tuple):
        return said[0], said[-1]
    first, second = (n for n in (1, 2, 3) if n != axis)
    unknown = float("nan")
    return held.steps.get(first, unknown), held.steps.get(second, unknown)


def _looked_at(
    counts: Anything, source: DataSource, axis: int
) -> tuple[FloatArray, Anything]:
    """The sum over pixels (n_channels,) and which pixels are empty; faults on the way."""
    total = np.zeros(counts.shape[2])
    empty = np.zeros(counts.shape[:2], dtype=bool)
    for rows, block in _blocks(counts):
        for code, wrong in _wrong(block, "counts" in source.columns):
            if wrong.any():
                place = np.argwhere(wrong)[0]
                pixel = f"({rows.start + place[0] + 1}, {place[1] + 1})"
                words = {"file": source.file, "pixel": pixel}
                words |= {"channel": str(place[2] + 1), "count": str(int(wrong.sum()))}
                raise ReaderError(code, words | {"value": f"{block[tuple(place)]:g}"})
        total += block.sum(axis=(0, 1), dtype=float)
        empty[rows] = ~block.any(axis=2)
    if empty.all():
        raise ReaderError("data-cube-zero", {"file": source.file})
    return total, empty


def _blocks(counts: Anything) -> Iterator[tuple[slice, Anything]]:
    """Some rows at a time."""
    step = max(1, _BLOCK // (counts.shape[1] * counts.shape[2]))
    for low in range(0, counts.shape[0], step):
        rows = slice(low, min(low + step, counts.shape[0]))
        yield rows, np.asarray(counts[rows])


def _wrong(block: Anything, counted: bool) -> Iterator[tuple[str, Anything]]:
    """Where numbers are not what they must be, by the code that says so."""
    if block.dtype.kind == "f":
        yield "data-cube-not-finite", ~np.isfinite(block)
    if counted and block.dtype.kind in "if":
        yield "data-cube-negative", block < 0
    if counted and block.dtype.kind == "f":
        yield "data-cube-fractional", block != np.round(block)


def _left_out(cube: Cube) -> list[tuple[str, str]]:
    """What has no count at all."""
    pixels, channels = int(cube.empty.sum()), int(cube.dead.sum())
    found = [("empty pixels", f"{pixels} without a count: of no phase")] * (pixels > 0)
    dead = f"{channels} without a count in any pixel: left out"
    return [*found, *[("dead channels", dead)] * (channels > 0)]
