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

PEERS = ("lmfit", "emcee", "pymc", "nutpie", "numpyro", "dynesty", "scipy")
OURS = ("specfit", "jax", "blackjax", "numpy")


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
    """What the figures were measured on; how busy it was when they began."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in (*OURS, *PEERS)},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if "model name" in line]
    return names[0] if names else platform.machine()
