"""The shelf: compiled programs as files in the user's own cache folder.

A file holds a digest, a JSON header (all that decides the program, and the structure of
its results) and XLA's bytes, compressed.  Machine code is trusted as far as the folder
is: it must belong to the user and be writable by nobody else.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import sys
import zlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from specfit.record import processor, sources

PLACE = "SPECFIT_PROGRAMS"
"""The environment variable that names the folder; without it nothing is kept."""
LIMIT = 2**29
"""Bytes that the folder may hold; what was used longest ago goes first."""
_DIGEST = 32


def used() -> bool:
    """Whether programs are kept at all; else JAX's own cache may serve."""
    return bool(os.environ.get(PLACE))


def take(name: str) -> tuple[Any, bytes] | None:
    """The structure of the results and the content of a program, or None."""
    folder = _folder()
    if folder is None:
        return None
    text = f"{_circumstances()}\n{name}"
    path = _path(folder, text)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # a folder that can only be read serves as well
        os.utime(path)
    digest, rest = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    header, _, packed = rest.partition(b"\n")
    known = json.loads(header)
    if known["name"] != text:
        return None
    return _tuples(known["structure"]), zlib.decompress(packed)


def put(name: str, structure: Any, content: bytes) -> None:
    """Keep a program; a folder that cannot be written to only costs the next run."""
    folder = _folder()
    if folder is None:
        return
    text = f"{_circumstances()}\n{name}"
    header = json.dumps({"name": text, "structure": structure})
    rest = header.encode() + b"\n" + zlib.compress(content, 1)
    path = _path(folder, text)
    beside = path.with_suffix(f".{os.getpid()}.new")
    try:
        beside.write_bytes(hashlib.sha256(rest).digest() + rest)
        os.replace(beside, path)
        _prune(folder)
    except OSError:
        with suppress(OSError):
            beside.unlink()


def _prune(folder: Path) -> None:
    files = [(entry.stat(), entry.path) for entry in os.scandir(folder)]
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in sorted(files, key=lambda one: one[0].st_mtime):
        if total <= LIMIT:
            break
        Path(path).unlink(missing_ok=True)
        total -= stat.st_size


def _folder() -> Path | None:
    """The folder, made if need be; None where there is none or others may write to it."""
    named = os.environ.get(PLACE)
    if not named:
        return None
    folder = Path(named)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stat = folder.stat()
    except OSError:
        return None
    return folder if stat.st_uid == os.getuid() and not stat.st_mode & 0o022 else None


def _path(folder: Path, text: str) -> Path:
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.xla"


def _tuples(structure: Any) -> Any:
    """The structure with tuples where JSON has lists."""
    if isinstance(structure, dict):
        return {name: _tuples(part) for name, part in structure.items()}
    if isinstance(structure, list):
        return tuple(_tuples(part) for part in structure)
    return structure


@functools.cache
def _circumstances() -> str:
    """Sources, versions, processor and flags: a program of other ones is another."""
    libraries = ("jax", "jaxlib", "blackjax", "numpy", "scipy")
    found = [f"{name} {version(name)}" for name in libraries]
    found += [sys.version, platform.platform(), processor(), sources()]
    found += [f"{d.platform} {d.device_kind}" for d in jax.local_devices()]
    found += [str(jax.local_devices()[0].client.platform_version)]
    found += [f"{n}={os.environ.get(n, '')}" for n in ("XLA_FLAGS", "JAX_PLATFORMS")]
    return "\n".join(found)
