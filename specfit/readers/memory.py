"""How much memory is free, and sizes as people say them."""

from __future__ import annotations

import os
import re
from pathlib import Path

_UNKNOWN = 4 * 2**30
"""Bytes taken to be free where the system does not say."""


def free() -> int:
    """Bytes that a new array may take; what the system could give up counts."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        said = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
        if said:
            return int(said[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def said(size: int) -> str:
    """`1.2 GB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} bytes"
