"""Sites with the whole static Hamiltonian of 57Fe: field and field gradient at any angle.

The excited state (I = 3/2) has 4 × 4, the ground state 2 × 2 elements.  Both are written
along the hyperfine field, where the ground state is diagonal, so that only the excited
one has to be diagonalised and no direction is lost when the field vanishes.  Energies
are in mm/s.  All eight lines have an area; the two that first order forbids appear where
the field gradient mixes levels.

Source: P. Gütlich, E. Bill, A. X. Trautwein, Mössbauer Spectroscopy and Transition Metal
Chemistry, Springer (2011), chapter 4, doi:10.1007/978-3-540-88428-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import Array, Lines, ParameterSignature, Signature, SiteKind
from specfit.lazy import LazyModule
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_ISOMER_SHIFT,
    TEXTBOOK,
    root,
)
from specfit.sites.levels import levels
from specfit.sites.magnetic import HYPERFINE_FIELD, SIGMA_FIELD

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

M_EXCITED = np.array([1.5, 0.5, -0.5, -1.5])
M_GROUND = np.array([0.5, -0.5])
CLEBSCH_SQUARED = np.array([[3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]]) / 3.0
"""⟨½ m_g; 1 q | 3/2 m_e⟩² of every ground (row) and excited (column) level."""


def _spin_products() -> np.ndarray[Any, Any]:
    """(I_i I_j + I_j I_i) / 2 of spin 3/2, (3, 3, 4, 4)."""
    raising = np.diag(np.sqrt([3.0, 4.0, 3.0]), 1)
    spin = np.stack(
        [(raising + raising.T) / 2.0, (raising - raising.T) / 2.0j, np.diag(M_EXCITED)]
    )
    each = np.einsum("iab,jbc->ijac", spin, spin)
    products: np.ndarray[Any, Any] = (each + np.swapaxes(each, 0, 1)) / 2.0
    return products


_PRODUCTS = _spin_products()


def quadrupole(eta: Array, theta: Array, phi: Array) -> Array:
    """Quadrupole energy (4, 4) for eQVzz = 1, written along the field.

    theta, phi: the field in the principal axes of the field gradient, radians.

    H = (eQ / 6) Σ V_ij I_i I_j with I = 3/2, V without trace; the same as
    (eQVzz / 12) [3 I_z² − 15/4 + η (I_x² − I_y²)] in the principal axes.
    """
    one, zero = jnp.ones_like(theta), jnp.zeros_like(theta)
    sin, cos = jnp.sin(theta), jnp.cos(theta)
    across, along = jnp.sin(phi), jnp.cos(phi)
    turned = jnp.stack(  # columns: the axes along which H is written, the field last
        [
            jnp.stack([cos * along, -across, sin * along]),
            jnp.stack([cos * across, along, sin * across]),
            jnp.stack([-sin, zero, cos]),
        ]
    )
    principal = jnp.stack([0.5 * (eta - 1.0), -0.5 * (eta + 1.0), one])
    gradient = turned.T @ (principal[:, None] * turned)
    return jnp.einsum("ij,ijab->ab", gradient.astype(_PRODUCTS.dtype), _PRODUCTS) / 6.0


def splittings(scale: Array) -> tuple[Array, Array]:
    """Level splittings of the ground and the excited state, mm/s/T, from line slopes."""
    return scale[1] + scale[2], 0.5 * (scale[0] - scale[2])


def _powder_lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """Eight lines of a powder whose field is tied to the field gradient.

    Over all directions of the crystals the transition of each pair of levels has the sum
    of its squared amplitudes.  Distributions of IS, Bint and eQVzz, independent and
    narrow, move a line by its derivative (Hellmann and Feynman's).
    """
    angles = (jnp.deg2rad(values[name]) for name in ("theta", "phi"))
    ground, excited = splittings(jnp.asarray(scale))
    field, coupling = values["Bint"], values["eQVzz"]
    gradient = quadrupole(values["eta"], *angles)
    zeeman = jnp.diag(excited * field * M_EXCITED).astype(gradient.dtype)
    energy, state = levels(zeeman + coupling.astype(gradient.dtype) * gradient)
    share = jnp.real(state) ** 2 + jnp.imag(state) ** 2  # of each |m⟩ in each level
    below = ground * M_GROUND[:, None]  # the moments of the states have opposite sign
    position = energy[None, :] + field * below
    by_field = (excited * M_EXCITED @ share)[None, :] + below
    by_gradient = jnp.real(jnp.sum(jnp.conj(state) * (gradient @ state), axis=0))
    variance = (
        values["sigma_IS"] ** 2
        + (by_field * values["sigma_Bint"]) ** 2
        + (by_gradient[None, :] * values["sigma_eQVzz"]) ** 2
    )
    return Lines(
        position=values["IS"] + position.ravel(),
        area=jnp.ravel(CLEBSCH_SQUARED @ share) / 4.0,
        gauss_sigma=root(variance.ravel()),
    )


_COUPLING = ParameterSignature(
    symbol="eQVzz",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole coupling eQVzz c / E0, signed; ΔEQ is its half times √(1 + η²/3)",
    default="~ 0.0 ± 2.0 mm/s in [-8.6, 8.6] mm/s",
)
"""Twice the splittings of doublets: Fe3+ lies within ±2.4, Fe2+ reaches ±7.4 mm/s."""

_ASYMMETRY = ParameterSignature(
    symbol="eta",
    dimension="number",
    unit="",
    meaning="asymmetry (Vxx − Vyy) / Vzz of the field gradient",
    low=0.0,
    high=1.0,
    default="= 0",
)

_POLAR = ParameterSignature(
    symbol="theta",
    dimension="angle",
    unit="deg",
    meaning="angle between the hyperfine field and the main axis of the field gradient",
    low=0.0,
    high=90.0,
    default="~ free in [0, 90] deg",
)
"""Beyond 90° everything repeats: neither tensor nor powder tells an axis from its end."""

_AZIMUTH = ParameterSignature(
    symbol="phi",
    dimension="angle",
    unit="deg",
    meaning="azimuth of the hyperfine field from the x axis of the field gradient",
    low=0.0,
    high=90.0,
    default="= 0 deg",
)

_SIGMA_COUPLING = ParameterSignature(
    symbol="sigma_eQVzz",
    dimension="velocity",
    unit="mm/s",
    meaning="standard deviation of a Gaussian distribution of quadrupole couplings",
    low=0.0,
    default="= 0 mm/s",
)

HAMILTONIAN = SiteKind(
    signature=Signature(
        name="hamiltonian",
        title="field and field gradient, powder",
        parameters=(
            ISOMER_SHIFT,
            _COUPLING,
            _ASYMMETRY,
            HYPERFINE_FIELD,
            _POLAR,
            _AZIMUTH,
            LINEWIDTH,
            AREA_FRACTION,
            SIGMA_ISOMER_SHIFT,
            SIGMA_FIELD,
            _SIGMA_COUPLING,
        ),
        source=TEXTBOOK,
    ),
    n_lines=8,
    lines=_powder_lines,
)
