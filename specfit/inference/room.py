"""Room for compiled programs: a process may have only so many maps of memory.

XLA takes hundreds of maps for one program, and LLVM ends the process without a word when
it is refused one.  A process that fits many models would come there.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Protocol

import jax

MAPS = Path("/proc/self/maps")
LIMIT = Path("/proc/sys/vm/max_map_count")


class Holder(Protocol):
    """What holds compiled programs that it can make again."""

    def forget(self) -> None:
        """Drop them."""


HOLDERS: weakref.WeakSet[Holder] = weakref.WeakSet()


def make_room() -> None:
    """Drop every compiled program where they have taken half the maps there may be."""
    try:
        taken = MAPS.read_bytes().count(b"\n")
        limit = int(LIMIT.read_text(encoding="ascii"))
    except OSError:
        return  # another system, without that limit
    if taken > limit // 2:
        for holder in list(HOLDERS):
            holder.forget()
        jax.clear_caches()  # type: ignore[no-untyped-call]
        gc.collect()
