"""Levels of the whole static Hamiltonian, and the transitions between them.

Both states are written along the hyperfine field, where a state of spin ½ is diagonal,
so that for 57Fe only the excited one (4 × 4) has to be diagonalised and no direction is
lost when the field vanishes.  Energies are in mm/s.  Every pair of levels is a line; those
that first order forbids have an area where the field gradient mixes levels.

Source: P. Gütlich, E. Bill, A. X. Trautwein, Mössbauer Spectroscopy and Transition Metal
Chemistry, Springer (2011), chapter 4, doi:10.1007/978-3-540-88428-6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from specfit.contracts import Array, FloatArray, Lines
from specfit.isotopes import IRON, isotopes
from specfit.lazy import LazyModule
from specfit.sites.common import root
from specfit.sites.levels import levels
from specfit.sites.nucleus import NuclearState, Nucleus, nucleus_of

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
else:
    jax = LazyModule("jax")
    jnp = LazyModule("jax.numpy")


@cache
def iron() -> Nucleus:
    """57Fe."""
    return nucleus_of(isotopes()[IRON])


class Split(NamedTuple):
    """The levels of one state: `state` (n, n) has a column for each of `energy` (n,).

    share: of each |m⟩ in each level, (n, n).  by_field, by_gradient: derivatives of the
    energies by the field and by eQVzz (Hellmann and Feynman's), (n,).
    """

    energy: Array
    state: Array
    share: Array
    by_field: Array
    by_gradient: Array


def axes(theta: Array, phi: Array) -> Array:
    """The axes along which H is written as columns (3, 3), the field last.

    theta, phi: the field in the principal axes of the field gradient, radians.
    """
    zero = jnp.zeros_like(theta)
    sin, cos = jnp.sin(theta), jnp.cos(theta)
    across, along = jnp.sin(phi), jnp.cos(phi)
    return jnp.stack(
        [
            jnp.stack([cos * along, -across, sin * along]),
            jnp.stack([cos * across, along, sin * across]),
            jnp.stack([-sin, zero, cos]),
        ]
    )


def gradient_along(eta: Array, turned: Array) -> Array:
    """The field gradient V / Vzz (3, 3), without trace, written along these axes."""
    one = jnp.ones_like(eta)
    principal = jnp.stack([0.5 * (eta - 1.0), -0.5 * (eta + 1.0), one])
    return turned.T @ (principal[:, None] * turned)


def split(
    of: NuclearState, slope: Array, field: Array, coupling: Array, gradient: Array
) -> Split:
    """The levels of one state; slope: energy for each m and tesla, mm/s/T.

    H = slope B I_z + Q' / (2 I (2 I − 1)) Σ V_ij I_i I_j with Q' its moment over the one
    that eQVzz means; the same as Q' eQVzz / (4 I (2 I − 1)) [3 I_z² − I (I + 1)
    + η (I_x² − I_y²)] in the principal axes.
    """
    zeeman = slope * of.m
    if len(of.m) == 2:  # spin ½ feels no gradient
        whole, none = jnp.eye(2), jnp.zeros_like(zeeman)
        return Split(field * zeeman, whole.astype(complex), whole, zeeman, none)
    products = of.quadrupole * of.products
    unit = jnp.einsum("ij,ijab->ab", gradient.astype(products.dtype), products)
    matrix = jnp.diag(field * zeeman).astype(unit.dtype)
    energy, state = levels(matrix + coupling.astype(unit.dtype) * unit)
    share = jnp.real(state) ** 2 + jnp.imag(state) ** 2
    by_gradient = jnp.real(jnp.sum(jnp.conj(state) * (unit @ state), axis=0))
    return Split(energy, state, share, zeeman @ share, by_gradient)


def powder_areas(nucleus: Nucleus, ground: Split, excited: Split) -> Array:
    """Areas (n_ground, n_excited) over all directions of the gamma ray; they sum to one.

    Multipoles of different order do not interfere in this mean.
    """
    whole = len(nucleus.excited.m)
    if len(nucleus.ground.m) == 2:  # levels are |m⟩: each q reaches another
        return jnp.asarray(nucleus.squared) @ excited.share / whole
    if whole == 2:
        return ground.share.T @ jnp.asarray(nucleus.squared) / whole
    total = jnp.zeros(nucleus.squared.shape)
    for share, coefficients in nucleus.multipoles:
        each = amplitudes(coefficients, ground, excited)
        total = total + share * jnp.sum(squared(each), axis=0)
    return total / whole


def seen_about(
    axis: Array, order: Array, nucleus: Nucleus, ground: Split, excited: Split
) -> Array:
    """The same where rays lie about an axis (3,), along the axes of the levels, in order.

    A ray along k sees 3/2 (|A|² − |k·A|²) of a dipole A.  That is quadratic in k, so that
    of all directions only ⟨k k⟩ counts, which order S about the axis z makes
    (1 − S) / 3 + S z z: (1 + S/2) |A|² − 3/2 S |z·A|², exactly.
    """
    ((_, coefficients),) = nucleus.multipoles
    across = conjugated(axis)
    between = jnp.einsum("q,qeg->eg", across, coefficients.astype(across.dtype))
    state = jnp.conj(excited.state).T @ between
    along = squared(state @ ground.state.astype(across.dtype)).T
    whole = powder_areas(nucleus, ground, excited)
    return (1.0 + 0.5 * order) * whole - 1.5 * order * along / len(nucleus.excited.m)


def conjugated(vector: Array) -> Array:
    """Conjugated spherical components q = 1, 0, −1 of a real vector, (3,)."""
    x, y, z = vector
    across = jax.lax.complex(x, -y) / math.sqrt(2.0)
    return jnp.stack([-across, z.astype(across.dtype), jnp.conj(across)])


def amplitudes(coefficients: FloatArray, ground: Split, excited: Split) -> Array:
    """Amplitude of each q between each pair of levels (n_q, n_ground, n_excited)."""
    state = jnp.conj(excited.state)
    reached = jnp.einsum("qeg,gb->qeb", coefficients.astype(state.dtype), ground.state)
    return jnp.einsum("qeb,ea->qba", reached, state)


def squared(amplitude: Array) -> Array:
    """|amplitude|²."""
    return jnp.real(amplitude) ** 2 + jnp.imag(amplitude) ** 2


def iron_slopes(scale: Array) -> tuple[Array, Array]:
    """Slopes of the ground and the excited levels of 57Fe, mm/s/T, from those of lines.

    The moments of the two states have opposite sign.
    """
    scale = jnp.asarray(scale)
    return -(scale[1] + scale[2]), 0.5 * (scale[0] - scale[2])


def both(
    nucleus: Nucleus,
    slopes: tuple[Array, Array],
    field: Array,
    coupling: Array,
    gradient: Array,
) -> tuple[Split, Split]:
    """The ground and the excited levels."""
    low, high = slopes
    return (
        split(nucleus.ground, low, field, coupling, gradient),
        split(nucleus.excited, high, field, coupling, gradient),
    )


def between(values: Mapping[str, Array], ground: Split, excited: Split) -> Lines:
    """Lines between all pairs of levels, areas still missing (ones).

    Distributions of IS, Bint and eQVzz, independent and narrow, move a line by its
    derivative.
    """

    def difference(high: Array, low: Array) -> Array:
        return (high[None, :] - low[:, None]).ravel()

    by_field = difference(excited.by_field, ground.by_field)
    by_gradient = difference(excited.by_gradient, ground.by_gradient)
    variance = (
        values["sigma_IS"] ** 2
        + (by_field * values["sigma_Bint"]) ** 2
        + (by_gradient * values["sigma_eQVzz"]) ** 2
    )
    position = values["IS"] + difference(excited.energy, ground.energy)
    return Lines(position, jnp.ones_like(position), root(variance))


def tied(
    nucleus: Nucleus, slopes: tuple[Array, Array], values: Mapping[str, Array]
) -> tuple[Array, tuple[Split, Split]]:
    """Axes (3, 3) and levels of a nucleus whose field is tied to the field gradient."""
    turned = axes(*(jnp.deg2rad(values[name]) for name in ("theta", "phi")))
    gradient = gradient_along(values["eta"], turned)
    return turned, both(nucleus, slopes, values["Bint"], values["eQVzz"], gradient)
