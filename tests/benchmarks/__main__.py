"""`python -m tests.benchmarks [--quick] [--write] [--anew] [PART …]`.

Measures, prints, keeps; what was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib

from specfit.inference import use_cores
from tests.benchmarks import table
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import machine, versions

PARTS = {
    "search": ("lmfit", "scipy"),
    "sampling": ("nutpie", "numpyro", "pymc", "emcee", "arviz"),
    "evidence": ("dynesty",),
    "counting": (),
    "batch": ("scipy", "lmfit"),
    "speed": (),
    "syncmoss": ("syncmoss", "numba", "scipy"),
    "diffraction": (),
}
"""The parts, and the peers that each measures beside specfit."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="minutes instead of hours")
    parser.add_argument("--write", action="store_true", help="keep it for the README")
    parser.add_argument(
        "--anew", action="store_true", help="forget what was measured before"
    )
    asked = parser.parse_args()
    results = {}
    for part in asked.parts or PARTS:
        module = importlib.import_module(f"tests.benchmarks.{part}")
        kept = Kept(part, asked.quick)
        if asked.anew:
            kept.forget()
        results[part] = {
            "size": "quick" if asked.quick else "full",
            "machine": machine(),
            "versions": versions("specfit", "jax", *PARTS[part]),
            "found": module.measure(asked.quick, kept),
        }
        print(table.render({part: results[part]}), flush=True)
        if asked.write:
            table.write(table.kept() | results)


if __name__ == "__main__":
    use_cores()
    main()
