"""Arrays of numbers in .npy and .npz files, their size known before they are loaded.

The head of every array is read first, by NumPy's own parser and never with pickle: what
it claims must agree with the length of the file, so that a forged head asks for no
memory.  An .npy is mapped into memory, not read; an .npz is compressed or not, and its
arrays are read one by one.
"""

from __future__ import annotations

import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from specfit.cubes import Anything
from specfit.readers.errors import ReaderError

_MAGIC, _MEMBERS = 64 * 1024, 64
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
)
"""What the libraries say of an archive whose bytes are not those that were written."""


@dataclass(frozen=True)
class Stored:
    """An array as its head describes it; `load` gives the numbers."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    load: Callable[[], Anything]
    mapped: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Container:
    """What a file of maps holds: arrays by name, and what it says of the axes.

    energy: of each axis of the largest array that it calibrates, by its number from 1:
        what makes its (n,) eV, once there is known to be room.
    steps: Å from pixel to pixel, likewise.
    others: arrays that hold no numbers, each with its type.
    """

    arrays: Mapping[str, Stored]
    title: str
    energy: Mapping[int, Callable[[], Anything]] = field(default_factory=dict)
    steps: Mapping[int, float] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def ruled(start: float, step: float, channels: int) -> Callable[[], Anything]:
    """What makes the energies (n,) of an axis with an even step."""
    return lambda: start + step * np.arange(channels)


def npy(path: Path, name: str) -> Container:
    """One array, mapped."""
    with path.open("rb") as stream:
        shape, dtype, offset = _head(stream, name)
    length = prod(shape) * dtype.itemsize
    if path.stat().st_size != offset + length:
        raise _broken(name, "its length is not what its head says")
    load = lambda: np.load(path, mmap_mode="r", allow_pickle=False)  # noqa: E731
    return Container({"": Stored(shape, dtype, load, mapped=True)}, "NumPy array")


def npz(path: Path, name: str) -> Container:
    """Every array of numbers of an archive; words and objects are passed over."""
    arrays: dict[str, Stored] = {}
    others: dict[str, str] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            if len(members) > _MEMBERS:
                raise _broken(name, f"it holds more than {_MEMBERS} arrays")
            for member in members:
                with archive.open(member) as stream:
                    shape, dtype, offset = _head(stream, name)
                if dtype.kind not in "biuf":
                    kind = {"U": "words", "S": "words", "c": "complex numbers"}
                    key = member.filename.removesuffix(".npy")
                    others[key] = kind.get(dtype.kind, dtype.name)
                    continue
                if member.file_size != offset + prod(shape) * dtype.itemsize:
                    raise _broken(name, f"`{member.filename}` has another length")
                key = member.filename.removesuffix(".npy")
                arrays[key] = Stored(shape, dtype, _member(path, name, key))
    except _DAMAGED as error:
        raise _broken(name, "it is no archive of arrays") from error
    return Container(arrays, "NumPy archive", others=others)


def _member(path: Path, name: str, key: str) -> Callable[[], Anything]:
    def load() -> Anything:
        try:
            with np.load(path, allow_pickle=False) as archive:
                found: Anything = archive[key]
                return found
        except (KeyError, *_DAMAGED) as error:
            raise _broken(name, f"`{key}` cannot be unpacked") from error

    return load


def _head(
    stream: IO[bytes], name: str
) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Shape, type and length of the head of an array."""
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(stream)
        shape, _, dtype = read[version](stream, max_header_size=_MAGIC)
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise _broken(name, "its head cannot be read") from error
    if dtype.hasobject:
        raise ReaderError("data-cube-objects", {"file": name})
    return shape, dtype, stream.tell()


def _broken(name: str, why: str) -> ReaderError:
    return ReaderError("data-cube-broken", {"file": name, "why": why})


def digest(path: Path) -> str:
    """SHA-256 of a file of any length."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
