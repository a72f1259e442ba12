"""Made-up scattering paths in FEFF's format, for studies whose truth must be known.

No table here is calculated from potentials.  Each is a smooth formula with the traits that
matter to a fit: an oxygen scatters less and less with k, a 3d metal most near 6.5 1/Å; the
phases fall, by little over a radian for each 1/Å at first and less and less beyond; the
mean free path has its minimum of some 6 Å near 3.5 1/Å and grows with the energy, as the
universal curve does (M. P. Seah, W. A. Dench, Surf. Interface Anal. 1, 2 (1979),
doi:10.1002/sia.740010103).  Atomic numbers move amplitude and phase a little, so that
absorbers and neighbours differ.  No random number is used: a path is the same each time.

    python -m specfit.exafs.synthetic FOLDER

writes the paths of a layered oxide LiMO₂ about Ni, Co and Mn: `ni_o1.dat` (first oxygen),
`ni_m1.dat` (first metal), `ni_o2.dat`, `ni_m2.dat`, and so on.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specfit.scattering import FloatArray

OXYGEN, METAL = 8, 27
"""Atomic numbers; of the metals about an absorber, their mean."""
ABSORBERS = {"ni": ("Ni", 28, 2.03), "co": ("Co", 27, 1.92), "mn": ("Mn", 25, 1.91)}
"""Symbol, atomic number, and distance (Å) of the first oxygen in the discharged oxide."""
SHELLS = {"m1": (METAL, 6, 2.87), "o2": (OXYGEN, 8, 3.50), "m2": (METAL, 6, 4.97)}
"""Neighbour, how many, and distance (Å): the same about every absorber."""
_GRID = (*np.arange(0.0, 6.0, 0.2), *np.arange(6.0, 10.0, 0.5), *np.arange(10.0, 20.5))
"""The k (1/Å) at which FEFF writes its tables."""
FERMI = 2.07
"""1/Å."""


@dataclass(frozen=True)
class Made:
    """What a made-up path is of: symbols, atomic numbers, degeneracy, distance (Å)."""

    absorber: str
    absorber_number: int
    scatterer: str
    scatterer_number: int
    degeneracy: int
    distance: float


def layered_oxide() -> dict[str, Made]:
    """The paths about Ni, Co and Mn by the names of their files."""
    found = {}
    for name, (symbol, number, first) in ABSORBERS.items():
        shells = {"o1": (OXYGEN, 6, first), **SHELLS}
        for shell, (scatterer, degeneracy, distance) in shells.items():
            word = "O" if scatterer == OXYGEN else "M"
            path = Made(symbol, number, word, scatterer, degeneracy, distance)
            found[f"{name}_{shell}.dat"] = path
    return found


def feff_text(path: Made) -> str:
    """The path as a `feffNNNN.dat`."""
    rows = "\n".join(_row(row) for row in _table(path))
    legs = f"   2  {path.degeneracy:6.3f} {path.distance:8.4f}    2.6000   -4.00000"
    names = f"{path.absorber}-{path.scatterer}"
    return f""" SYNTHETIC: {names}, a smooth formula and not a calculation     Feff  SYNTHETIC
 Abs   Z={path.absorber_number} Rmt= 1.200 Rnm= 1.400 K shell
 Pot 1 Z={path.scatterer_number:2d} Rmt= 1.000 Rnm= 1.200
 Gam_ch=1.500E+00 H-L exch
 Mu=-4.000E+00 kf={FERMI:.3E} Vint=-2.000E+01 Rs_int= 1.750
 Path    1      icalc       2
 -----------------------------------------------------------------------
{legs} nleg, deg, reff, rnrmav(bohr), edge
        x         y         z   pot at#
     0.0000    0.0000    0.0000  0  {path.absorber_number} {path.absorber}       absorbing atom
     0.0000 {path.distance:9.4f}    0.0000  1  {path.scatterer_number:2d} {path.scatterer}
    k   real[2*phc]   mag[feff]  phase[feff] red factor   lambda      real[p]@#
{rows}
"""


def _row(row: FloatArray) -> str:
    k, *rest = row
    return f"{k:7.3f} " + " ".join(f"{value:11.4E}" for value in rest)


def _table(path: Made) -> FloatArray:
    """The seven columns of a path (n, 7)."""
    k = np.array(_GRID)
    heavier = path.absorber_number - 28
    absorber = 2.9 - 0.31 * k + 0.0015 * k**2 + 0.04 * heavier
    of_oxygen = path.scatterer_number == OXYGEN
    magnitude = _oxygen(k) if of_oxygen else _metal(k)
    scatterer = _oxygen_phase(k) if of_oxygen else _metal_phase(k)
    reduction = 0.93 + 0.3 * np.exp(-(((k - 3.0) / 2.5) ** 2))
    free = 4.6 + k**2 / 9.5 + 19.0 * np.exp(-((k / 1.8) ** 2))
    wave = np.sqrt(k**2 + 1.5 + (FERMI**2 - 1.5) * np.exp(-k / 6.0))
    columns = (k, absorber, magnitude, scatterer, reduction, free, wave)
    return np.stack(columns, axis=1)


def _oxygen(k: FloatArray) -> FloatArray:
    """Å: highest near 3 1/Å, falling from there."""
    return np.asarray(1.9 * k**2 / (k**2 + 4.8) * np.exp(-k / 3.6) + 0.015)


def _metal(k: FloatArray) -> FloatArray:
    """Å: a shoulder at low k, the maximum near 6.5 1/Å, a long tail."""
    shoulder = 0.45 * k / (k + 1.0) * np.exp(-((k / 3.0) ** 2))
    return np.asarray(shoulder + 0.62 * np.exp(-(((k - 7.1) / 3.6) ** 2)) + 0.05)


def _oxygen_phase(k: FloatArray) -> FloatArray:
    return np.asarray(-3.0 - 4.0 * np.log1p(k))


def _metal_phase(k: FloatArray) -> FloatArray:
    """As of oxygen, with the turn of the resonance that the maximum comes from."""
    return np.asarray(-2.0 - 5.2 * np.log1p(k / 1.2) + 0.9 * np.arctan((k - 4.5) / 1.5))


def write_paths(folder: Path) -> list[Path]:
    """Write the paths of the layered oxide into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, path in layered_oxide().items():
        (folder / name).write_text(feff_text(path), encoding="utf-8")
        written.append(folder / name)
    return written


if __name__ == "__main__":
    print(*write_paths(Path(sys.argv[1])), sep="\n")
