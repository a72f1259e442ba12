"""Seconds of processor and of the clock, and a cache that shows compilation apart.

The machine may be shared: CPU seconds (this process and its children) are what ratios
are made of; a wall time is shown beside them where several cores take part.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Spent:
    """CPU and wall seconds."""

    cpu: float
    wall: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.cpu - other.cpu, self.wall - other.wall)


def now() -> Spent:
    """What this process and the children it has waited for have spent so far."""
    return Spent(sum(os.times()[:4]), time.perf_counter())


def machine() -> dict[str, object]:
    """What the figures are measured on; how busy it is when they begin."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def versions(*names: str) -> dict[str, str]:
    """Of Python and some packages."""
    found = {name: version(name) for name in names}
    return {"Python": platform.python_version(), **found}


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if "model name" in line]
    return names[0] if names else platform.machine()
