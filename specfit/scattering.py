"""What photoelectrons scatter on, as files tell it, and what of a spectrum is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class ScatteringPath:
    """One scattering path of a photoelectron, from a `feffNNNN.dat` file.

    half_length: Å, half the length of the path (`reff`).  degeneracy: equal paths.
    k: (n,) 1/Å, rising, above the Fermi level of the calculation.  phase: (n,) rad, of
    the absorber and of the scatterer.  amplitude: (n,) Å, |f_eff| with the reduction
    factor.  wave: (n,) 1/Å, the real part of the complex wavenumber; mean_free_path:
    (n,) Å.  found: what the header says, as (label, text).
    """

    half_length: float
    degeneracy: float
    k: FloatArray
    phase: FloatArray
    amplitude: FloatArray
    wave: FloatArray
    mean_free_path: FloatArray
    file: str = ""
    sha256: str = ""
    size: int = 0
    found: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Scattering:
    """χ(k) as measured, the paths it is held against, and what of it is compared.

    k, chi: (n,), 1/Å.  weight: (n,) the power of k that χ is multiplied by, of mean
    square 1.  seen: (n_values, n), rows orthonormal: values = seen @ (weight · χ).
    distances: (low, high) Å, the range of R that is compared; None where all is.
    """

    k: FloatArray
    chi: FloatArray
    weight: FloatArray
    seen: FloatArray
    paths: Mapping[str, ScatteringPath]
    distances: tuple[float, float] | None = None
