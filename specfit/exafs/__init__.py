"""EXAFS: what a scattering path adds to χ(k), and χ(k) seen over distances.

Written over the array module that is handed in, so that the density and the report
compute one and the same equation.
"""

from __future__ import annotations

from specfit.exafs.curves import again, between, path_curves
from specfit.exafs.equation import (
    WAVE_OF_ENERGY,
    PathValues,
    Tables,
    chi_of_path,
    tables_of,
)
from specfit.exafs.transform import far_noise, over_distance

__all__ = [
    "WAVE_OF_ENERGY",
    "PathValues",
    "Tables",
    "again",
    "between",
    "chi_of_path",
    "far_noise",
    "over_distance",
    "path_curves",
    "tables_of",
]
