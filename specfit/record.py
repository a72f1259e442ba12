"""What a run records of itself: times, hashes, versions."""

from __future__ import annotations

import functools
import hashlib
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from specfit.assets import folder
from specfit.contracts import Progress


class Clock:
    """Wall time of each stage, told to `progress` as it goes."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        if self.progress:
            self.progress(stage, 0.0, "")
        begin = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - begin

    def total(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._start


def sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def database_digest() -> str:
    """SHA-256 over all files of the prior database, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(folder("priors_db"))).rglob("*.toml")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def sources() -> str:
    """SHA-256 over specfit's own modules."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def processor() -> str:
    """What the processor is and can do, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    told = ("model name", "flags", "Features", "CPU part")
    return "\n".join(dict.fromkeys(x for x in lines if x.startswith(told)))


def versions() -> dict[str, str]:
    """Versions of everything that can change a number."""
    names = ("specfit", "jax", "jaxlib", "blackjax", "numpy", "scipy")
    found = {name: version(name) for name in names}
    found["python"] = platform.python_version()
    found["prior database"] = database_digest()
    return found
