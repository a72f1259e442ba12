"""A Mössbauer nucleus: spins, couplings and Clebsch–Gordan coefficients as matrices.

States are numbered from m = I downwards and written along the hyperfine field, where
the Zeeman energy is diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, sqrt
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.isotopes import Isotope


@dataclass(frozen=True)
class NuclearState:
    """One state of a nucleus.

    m: (n,).  quadrupole: its moment over the one that eQVzz means.  products: (3, 3, n, n),
    whose sum with V_ij / Vzz is its energy for eQVzz = 1 and a quadrupole of 1.
    """

    m: FloatArray
    quadrupole: float
    products: np.ndarray[Any, Any]


@dataclass(frozen=True)
class Nucleus:
    """Both states and what joins them.

    multipoles: for each multipole its share and ⟨I_g m_g; L q | I_e m_e⟩,
        (2 L + 1, n_excited, n_ground), q = L … −L.
    squared: Σ_L share Σ_q of their squares, (n_ground, n_excited).
    """

    ground: NuclearState
    excited: NuclearState
    multipoles: tuple[tuple[float, FloatArray], ...]
    squared: FloatArray

    @property
    def n_lines(self) -> int:
        """Pairs of levels."""
        return len(self.ground.m) * len(self.excited.m)

    @property
    def pure(self) -> bool:
        """Dipole radiation only."""
        return len(self.multipoles) == 1 and len(self.multipoles[0][1]) == 3


def nucleus_of(isotope: Isotope) -> Nucleus:
    """The matrices of an isotope."""
    low, high = isotope.spin_ground, isotope.spin_excited
    ratio_low, ratio_high = isotope.quadrupoles
    multipoles = tuple(
        (share, coupling_of(low, order, high)) for order, share in isotope.multipoles
    )
    squared = sum(share * np.sum(each**2, axis=0).T for share, each in multipoles)
    return Nucleus(
        _state(low, ratio_low), _state(high, ratio_high), multipoles, squared
    )


def _state(spin: float, quadrupole: float) -> NuclearState:
    return NuclearState(projections(spin), quadrupole, _spin_products(spin))


def projections(spin: float) -> FloatArray:
    """From m = I down to −I."""
    found: FloatArray = spin - np.arange(round(2 * spin) + 1.0)
    return found


def _spin_products(spin: float) -> np.ndarray[Any, Any]:
    """(I_i I_j + I_j I_i) / (4 I (2 I − 1)), (3, 3, n, n); zero for spin ½."""
    m = projections(spin)
    raising = np.diag(np.sqrt(spin * (spin + 1.0) - m[1:] * (m[1:] + 1.0)), 1)
    axes = [(raising + raising.T) / 2.0, (raising - raising.T) / 2.0j, np.diag(m)]
    each = np.einsum("iab,jbc->ijac", np.stack(axes), np.stack(axes))
    whole: np.ndarray[Any, Any] = each + np.swapaxes(each, 0, 1)
    return whole * 0.0 if spin < 1.0 else whole / (4.0 * spin * (2.0 * spin - 1.0))


def coupling_of(low: float, order: int, high: float) -> FloatArray:
    """⟨low m_g; order q | high m_e⟩, (2 order + 1, n_excited, n_ground)."""
    rows = [
        [[clebsch_gordan(low, g, order, q, high, e) for g in projections(low)]
         for e in projections(high)]
        for q in projections(order)
    ]  # fmt: skip
    return np.array(rows)


def clebsch_gordan(
    j1: float, m1: float, j2: float, m2: float, j: float, m: float
) -> float:
    """⟨j1 m1; j2 m2 | j m⟩ in the phases of Condon and Shortley.

    Source: G. Racah, Phys. Rev. 62, 438 (1942), eq. 16; doi:10.1103/PhysRev.62.438.
    """
    if m1 + m2 != m or abs(m) > j or not abs(j1 - j2) <= j <= j1 + j2:
        return 0.0
    first = _product(j1 + j2 - j, j1 - j2 + j, j2 - j1 + j) / _product(j1 + j2 + j + 1)
    second = _product(j1 + m1, j1 - m1, j2 + m2, j2 - m2, j + m, j - m)
    total = 0.0
    for k in range(round(j1 + j2 - j) + 1):
        parts = [k, j1 + j2 - j - k, j1 - m1 - k, j2 + m2 - k]
        parts += [j - j2 + m1 + k, j - j1 - m2 + k]
        if min(parts) >= 0:
            total += (-1) ** k / _product(*parts)
    return sqrt((2 * j + 1) * first * second) * total


def _product(*of: float) -> float:
    found = 1
    for number in of:
        found *= factorial(round(number))
    return float(found)
