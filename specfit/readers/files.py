"""A data file taken from disk: where it may lie, what it may be, how large.

The path is resolved strictly (symbolic links included) and must stay below the root;
only regular files are opened, without blocking, so that a pipe or a device can neither
hang nor flood a run; nothing is decompressed but a project of Athena, up to as much.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from specfit.readers.athena import unpacked
from specfit.readers.errors import ReaderError

MAXIMUM_BYTES = 256 * 1024 * 1024
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf": "7-zip",
    b"\x28\xb5\x2f\xfd": "zstandard",
}


@dataclass(frozen=True)
class FileContent:
    """The bytes of a file, with the name the user gave and their SHA-256."""

    name: str
    path: Path
    data: bytes
    sha256: str

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)


def load(name: str, root: Path, allow_outside: bool = False) -> FileContent:
    """The file `name` (relative to `root`), read whole.

    Raises
    ------
    ReaderError
        `data-path`, `data-missing`, `data-misspelt`, `data-outside`,
        `data-is-folder`, `data-not-regular`, `data-unreadable`, `data-too-large`,
        `data-empty` or `data-compressed`.

    """
    path = located(name, root, allow_outside)
    data = _read_regular(name, path)
    if not data:
        raise ReaderError("data-empty", {"file": name})
    if name.lower().endswith(".prj") and data.startswith(b"\x1f\x8b"):
        content = unpacked(data, MAXIMUM_BYTES, name)
        return FileContent(name, path, content, hashlib.sha256(data).hexdigest())
    for magic, kind in _COMPRESSED.items():
        if data.startswith(magic):
            raise ReaderError("data-compressed", {"file": name, "kind": kind})
    return FileContent(name, path, data, hashlib.sha256(data).hexdigest())


def located(name: str, root: Path, allow_outside: bool = False) -> Path:
    """Where the file `name` lies, below `root` unless that is allowed.

    Raises
    ------
    ReaderError
        `data-path`, `data-missing`, `data-misspelt` or `data-outside`.

    """
    path = _resolve(name, root)
    if not allow_outside and not path.is_relative_to(base := root.resolve()):
        raise ReaderError("data-outside", {"file": name, "root": str(base)})
    return path


def _resolve(name: str, root: Path) -> Path:
    if not name.strip() or "\0" in name:
        raise ReaderError("data-path", {"file": name.replace("\0", "\\0")})
    try:
        return (root / name).resolve(strict=True)
    except FileNotFoundError:
        raise _missing(name, root) from None
    except (OSError, RuntimeError):  # a loop of links, a file used as a folder …
        raise ReaderError("data-path", {"file": name}) from None


def _missing(name: str, root: Path) -> ReaderError:
    wanted = root / name
    folder = wanted.parent
    inside = folder.is_dir() and folder.resolve().is_relative_to(root.resolve())
    entries = sorted(folder.iterdir()) if inside else []
    present = [path.name for path in entries if path.suffix != ".spec"]
    near = difflib.get_close_matches(wanted.name, present, n=1)
    if near:
        similar = str(Path(name).parent / near[0])
        return ReaderError("data-misspelt", {"file": name, "similar": similar})
    return ReaderError("data-missing", {"file": name, "root": str(root.resolve())})


def _read_regular(name: str, path: Path) -> bytes:
    if path.is_dir():
        raise ReaderError("data-is-folder", {"file": name})
    if not path.is_file():
        raise ReaderError("data-not-regular", {"file": name})
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    for flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC"):
        flags |= getattr(os, flag, 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise ReaderError("data-unreadable", {"file": name, "reason": reason}) from None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # swapped since it was looked at
            raise ReaderError("data-not-regular", {"file": name})
        if status.st_size > MAXIMUM_BYTES:
            raise _too_large(name, status.st_size)
        data = stream.read(status.st_size + 1)  # all that is allowed takes room at once
        if len(data) > status.st_size:
            data += stream.read(MAXIMUM_BYTES + 1)
    if len(data) > MAXIMUM_BYTES:
        raise _too_large(name, len(data))
    return data


def _too_large(name: str, size: int) -> ReaderError:
    words = {"file": name, "size": f"{size / 2**20:.0f}"}
    return ReaderError("data-too-large", words | {"limit": f"{MAXIMUM_BYTES >> 20}"})
