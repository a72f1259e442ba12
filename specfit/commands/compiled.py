"""The compile cache: where it lies, and nothing in it that a kill or a full disk tore.

JAX writes an entry in place and never again once it exists: half an entry would be
warned of, and compiled anew, in every later run.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path

LOOKED_AT = ".looked-at"
"""Its time is when entries were last looked at; only newer ones are read again."""
ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""How an entry begins that zstandard has compressed: it is left to JAX."""


def compile_cache() -> Path | None:
    """The user's folder for what XLA compiled; None where it cannot be made."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(base) / "specfit" / "xla"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        _mend(cache)
    except OSError:
        return None  # a read-only home only costs the compile time
    return cache


def _mend(cache: Path) -> None:
    """Drop the torn ones of the entries that are new."""
    mark = cache / LOOKED_AT
    since = mark.stat().st_mtime_ns if mark.exists() else 0
    new = [p for p in cache.glob("*-cache") if p.stat().st_mtime_ns >= since]
    mark.touch()  # what is written from here on is newer
    for entry in new:
        with suppress(FileNotFoundError):  # another run has dropped it
            if _torn(entry.read_bytes()):
                entry.unlink()


def _torn(content: bytes) -> bool:
    if content.startswith(ZSTANDARD):
        return False
    reader = zlib.decompressobj()
    try:
        reader.decompress(content)
    except zlib.error:
        return True
    return not reader.eof
