"""Error, bias, cover and cost of the four maps beside scikit-learn, in one run.

Run as `python tests/benchmarks/maps.py [seeds]`; prints a table, keeps nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "maps"))

import four

from specfit.maps import Factorisation
from specfit.maps.factorising import factorise


def row(name: str, seed: int, engine: str) -> str:
    made = four.simulated(name, seed)
    library = made.library if engine == "poisson" else None
    began = time.process_time()
    found = factorise(
        made.counts,
        made.energy,
        Factorisation(2, engine=engine, library=library, overlap=0.05),
    )
    cost = time.process_time() - began
    inside = made.inside
    near = [float(np.abs(s - made.spectra[0]).sum()) for s in found.spectra]
    k = int(np.argmin(near))
    truth = made.fraction[inside]
    error = found.fraction[inside, k] - truth
    low, high = found.fraction_low[inside, k], found.fraction_high[inside, k]
    held = np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9))
    rmse = np.sqrt(np.mean(error**2))
    return (
        f"{name:4} {seed} {engine:8} rmse {rmse:.4f} bias {error.mean():+.4f} "
        f"cover {held:.3f} cpu {cost:.2f} s"
    )


if __name__ == "__main__":
    for name in four.NAMES:
        for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
            for engine in ("poisson", "ard_so", "sklearn"):
                print(row(name, seed, engine), flush=True)
