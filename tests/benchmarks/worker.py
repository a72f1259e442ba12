"""One measurement in a process of its own: `python -m tests.benchmarks.worker PART …`."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    part, name, size, *places = sys.argv[1:]
    module = importlib.import_module(f"tests.benchmarks.{part}")
    module.worker(name, int(size), *map(Path, places))
