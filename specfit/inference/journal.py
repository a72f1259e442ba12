"""What a run has finished, written down step by step, so that it survives any end.

Each step is a function of the steps before it.  Its arrays are written whole or not at
all, with their SHA-256; a run that is begun again takes what it finds and computes the
rest, with the same bits as if it had never stopped.  A file that is torn or altered
counts as absent.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray[Any, Any]]
_MARK = "array "  # no name is then one of savez's own arguments
_DIGEST = 64  # hexadecimal digits of SHA-256


class Journal:
    """Steps by name in a folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None, prefix: str = "") -> None:
        self.folder, self.prefix = folder, prefix

    def part(self, name: str) -> Journal:
        """The journal of one part of the run."""
        return Journal(self.folder, f"{self.prefix}{name}.")

    def step(self, name: str, compute: Callable[[], Mapping[str, Any]]) -> Arrays:
        """The arrays of a step, found or computed and kept.

        Raises OSError where they cannot be written; what was kept before stays.
        """
        if self.folder is None:
            return _plain(compute())
        found = self.find(name)
        if found is not None:
            return found
        arrays = _plain(compute())
        _write(self._path(self.folder, name), arrays)
        return arrays

    def find(self, name: str) -> Arrays | None:
        """The arrays of a step that is finished; None where it is not."""
        return _read(self._path(self.folder, name)) if self.folder else None

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{_safe(self.prefix + name)}.step"


def _plain(arrays: Mapping[str, Any]) -> Arrays:
    return {name: np.asarray(value) for name, value in arrays.items()}


def _safe(name: str) -> str:
    """A file name that no two steps share."""
    short = re.sub(r"[^A-Za-z0-9.=-]", "_", name)[:80]
    return f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None where it is absent, torn or altered."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        return None
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            return {name.removeprefix(_MARK): stored[name] for name in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    marked = {_MARK + name: array for name, array in arrays.items()}
    np.savez(buffer, **marked)  # type: ignore[arg-type]
    payload = buffer.getvalue()
    beside = path.with_suffix(f".{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(hashlib.sha256(payload).hexdigest().encode() + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
