"""A synthetic map of a particle with a core of Mn4+ and a skin of Mn2+, and a library.

The library is made by the same formulas as if another microscope had measured it: wider
by 0.6 eV, with another noise and 0.3 eV off. It is not the truth of the map.

    python tests/gallery/mn_particle.py models/data
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from specfit.commands.map_files import Layout, save, save_truth
from specfit.commands.map_truth import told
from specfit.synthetic_map import Scene, edge, simulated

SEED = 11
ENERGY = np.linspace(600.0, 666.5, 96)
OWN = np.arange(600.0, 668.01, 0.25)
LIBRARY = {"mn2": ("Mn2+", 0.3), "mn4": ("Mn4+", 0.3)}
HEAD = """\
#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#TITLE       : SYNTHETIC {valence} L2,3, another instrument
#DATE        : 01-JAN-2026
#NPOINTS     : {n}
#NCOLUMNS    : 1
#XUNITS      : eV
#YUNITS      : counts
#DATATYPE    : Y
#XPERCHAN    : {step}
#OFFSET      : {start}
#SIGNALTYPE  : ELS
#SPECTRUM    : Spectral Data Starts Here
"""


def library(valence: str, shift: float) -> np.ndarray:
    """Counts of a reference measured elsewhere (n,)."""
    fine = edge(valence, OWN, shift)
    z = np.arange(-12, 13) * 0.25 / 0.6
    kernel = np.exp(-0.5 * z**2)
    wide = np.convolve(np.pad(fine, 12, mode="edge"), kernel / kernel.sum(), "valid")
    return np.random.default_rng(SEED + 1).poisson(4e5 * wide)


def main(folder: Path) -> None:
    scene = Scene()
    made = simulated(scene, ENERGY, SEED)
    save(Layout(folder / "eels_valence.npz"), made)
    save_truth(folder / "eels_valence.truth.npz", made)
    text = told(scene, ENERGY, SEED)
    (folder / "eels_valence.truth.toml").write_text(text, encoding="utf-8")
    for name, (valence, shift) in LIBRARY.items():
        counts = library(valence, shift)
        head = HEAD.format(valence=valence, n=counts.size, step=0.25, start=OWN[0])
        body = "\n".join(f"{int(n)}," for n in counts)
        path = folder / f"eels_valence_{name}.msa"
        path.write_text(f"{head}{body}\n#ENDOFDATA   :\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
