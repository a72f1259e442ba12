"""The EXAFS equation of one scattering path, with the complex wavenumber of FEFF.

    χ(k) = N S₀² Im[ F(q) / (q R²) · exp( −2 R₀ Im p − 2 p² σ² + i (2 q R₀ + δ(q))
                                          + 2 i p (R − R₀ − 2 σ² / R₀ − 2 p² c₃ / 3) ) ]

with q² = k² − E₀ · 2m/ħ², R₀ the half length for which the path was calculated, p = p' +
i/λ its complex wavenumber and F, δ, p', λ its tables at q.  In a crystal without losses
p = q, and this is the textbook's N S₀² F / (k R²) e^{−2σ²k²} sin(2kR + δ).

Sources: J. J. Rehr and R. C. Albers, Rev. Mod. Phys. 72, 621 (2000),
doi:10.1103/RevModPhys.72.621; the form with −2σ²/R₀ in the phase, M. Newville, J.
Synchrotron Rad. 8, 96 (2001), doi:10.1107/S0909049500016290, as FEFF, IFEFFIT and
xraylarch (`feffdat.py`) have it; σ² and c₃, G. Bunker, Nucl. Instrum. Methods 207, 437
(1983), doi:10.1016/0167-5087(83)90655-5.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from specfit.exafs.splines import evaluated, spline
from specfit.scattering import ScatteringPath

WAVE_OF_ENERGY = 1.0 / 3.8099821161
"""2m/ħ², 1/(eV Å²); ħ²/2m = 3.809 982 1161 eV Å² (CODATA 2018)."""
LEAST = 0.04
"""1/Å²: q² is not let below this, where no path has a meaning (k of 0.2 1/Å)."""


class Tables(NamedTuple):
    """A path as arrays: knots (n,), splines (4, 4, n), half length and degeneracy.

    The splines are those of amplitude, phase, real wavenumber and mean free path.
    """

    knots: Any
    splines: Any
    half_length: Any


class PathValues(NamedTuple):
    """The parameters of a path, in Å and eV; `strength` is N · S₀²."""

    strength: Any
    R: Any
    sigma2: Any
    dE0: Any
    C3: Any


def tables_of(path: ScatteringPath, length: int = 0) -> Tables:
    """The splines of a path; with knots that are never reached up to `length`."""
    curves = (path.amplitude, path.phase, path.wave, path.mean_free_path)
    splines = np.stack([spline(path.k, curve) for curve in curves])
    more = max(0, length - len(path.k))
    return Tables(
        np.pad(path.k, (0, more), constant_values=np.inf),
        np.pad(splines, ((0, 0), (0, 0), (0, more))),
        np.float64(path.half_length),
    )


def chi_of_path(xp: Any, k: Any, tables: Tables, values: PathValues) -> Any:
    """What a path adds to χ at k (n,) 1/Å, above the edge of the data."""
    q = xp.sqrt(xp.maximum(k * k - values.dE0 * WAVE_OF_ENERGY, LEAST))
    amplitude, phase, wave, free = evaluated(xp, tables.knots, tables.splines, q)
    loss, reference = 1.0 / free, tables.half_length
    square, twice = (
        wave * wave - loss * loss,
        2.0 * wave * loss,
    )  # p², of p = wave + i loss
    cube_real = wave * square - loss * twice
    cube_imaginary = wave * twice + loss * square
    further = values.R - reference - 2.0 * values.sigma2 / reference
    third = 4.0 / 3.0 * values.C3
    damping = (
        -2.0 * loss * (reference + further)
        - 2.0 * values.sigma2 * square
        + third * cube_imaginary
    )
    angle = (
        2.0 * (q * reference + wave * further)
        + phase
        - 2.0 * values.sigma2 * twice
        - third * cube_real
    )
    height = values.strength * amplitude / (q * values.R * values.R)
    return height * xp.exp(damping) * xp.sin(angle)
