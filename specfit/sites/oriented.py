"""Sites seen along one direction: a powder in an applied field, and a single crystal.

The gamma ray is not polarised.  A line of dipole amplitude A (a vector) has, seen along
the unit vector k, the intensity |A|² − |k·A|².  The sum of |k·A|² over all lines is the
same for every k, because both multiplets are complete: so the areas of all lines sum to
one in every direction and `I` means what it means in a powder.  Anisotropy of the
recoilless fraction is left out.

Source: P. Gütlich, E. Bill, A. X. Trautwein, Mössbauer Spectroscopy and Transition Metal
Chemistry, Springer (2011), chapter 4, doi:10.1007/978-3-540-88428-6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import (
    Array,
    FloatArray,
    Lines,
    ParameterSignature,
    Signature,
    SiteKind,
)
from specfit.lazy import LazyModule
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_ISOMER_SHIFT,
    TEXTBOOK,
)
from specfit.sites.hamiltonian import (
    ASYMMETRY,
    AZIMUTH,
    COUPLING,
    POLAR,
    SIGMA_COUPLING,
    SPLITTING,
)
from specfit.sites.magnetic import HYPERFINE_FIELD, SIGMA_FIELD
from specfit.sites.nucleus import Nucleus
from specfit.sites.transitions import (
    Split,
    amplitudes,
    axes,
    between,
    both,
    conjugated,
    gradient_along,
    iron,
    iron_slopes,
    squared,
    tied,
)

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
else:
    jax = LazyModule("jax")
    jnp = LazyModule("jax.numpy")


# -------------------------------------------------------------- single crystal


def crystal_lines(
    nucleus: Nucleus, slopes: tuple[Array, Array], values: Mapping[str, Array]
) -> Lines:
    """The lines of a crystal seen along one direction, field tied to the gradient."""
    turned, pair = tied(nucleus, slopes, values)
    ray = axes(*(jnp.deg2rad(values[name]) for name in ("beam_theta", "beam_phi")))
    beam = ray[:, 2] @ turned  # along the axes of the levels
    area = seen_along(beam, nucleus, *pair)
    return between(values, *pair)._replace(area=area.ravel())


def seen_along(beam: Array, nucleus: Nucleus, ground: Split, excited: Split) -> Array:
    """Areas (n_ground, n_excited) for a unit vector `beam` (3,); dipole radiation."""
    ((_, coefficients),) = nucleus.multipoles
    each = amplitudes(coefficients, ground, excited)
    along = jnp.einsum("q,qba->ba", conjugated(beam), each)
    seen = jnp.sum(squared(each), axis=0) - squared(along)
    return 1.5 * seen / len(nucleus.excited.m)


def _iron_crystal(values: Mapping[str, Array], scale: Array) -> Lines:
    return crystal_lines(iron(), iron_slopes(scale), values)


_BEAM_POLAR = ParameterSignature(
    symbol="beam_theta",
    dimension="angle",
    unit="deg",
    meaning="angle between the gamma ray and the main axis of the field gradient",
    low=0.0,
    high=180.0,
)
_BEAM_AZIMUTH = ParameterSignature(
    symbol="beam_phi",
    dimension="angle",
    unit="deg",
    meaning="azimuth of the gamma ray from the x axis of the field gradient",
    low=0.0,
    high=180.0,
)
"""The sense of the ray does not matter, so half a turn is all; without a default, as
nobody but the user knows how the crystal stood."""

CRYSTAL_PARAMETERS = (
    ISOMER_SHIFT,
    COUPLING,
    ASYMMETRY,
    SPLITTING,
    HYPERFINE_FIELD,
    POLAR,
    AZIMUTH,
    _BEAM_POLAR,
    _BEAM_AZIMUTH,
    LINEWIDTH,
    AREA_FRACTION,
    SIGMA_ISOMER_SHIFT,
    SIGMA_FIELD,
    SIGMA_COUPLING,
)

CRYSTAL = SiteKind(
    signature=Signature(
        name="hamiltonian_crystal",
        title="field and field gradient, single crystal",
        parameters=CRYSTAL_PARAMETERS,
        source=TEXTBOOK,
    ),
    n_lines=8,
    lines=_iron_crystal,
)


# ----------------------------------------------------- powder in an applied field

AZIMUTHS = (2, 2, 3, 4, 4, 5, 5, 5)
"""Steps in φ on each circle of θ, from the pole to the equator: thirty directions.

Against 1600 directions, lines of 0.25 mm/s and |eQVzz| up to 6 mm/s, the spectrum errs
by at most 0.0005 of its deepest point up to 5 T at the nucleus and by 0.006 at 8 T; the
error falls steeply with broader lines.  More directions cost as much more time.
"""


def orientations(azimuths: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Directions of the field in the field gradient (n, 2), radians, and weights (n,).

    An eighth of the sphere is enough: the spectrum has the symmetry of a tensor.
    Gauss's nodes in cos θ, equal steps in φ, fewer where the circles are small.
    """
    n = len(azimuths)
    cosine, weight = (half[n:][::-1] for half in np.polynomial.legendre.leggauss(2 * n))
    places, shares = [], []
    for theta, share, m in zip(np.arccos(cosine), weight, azimuths, strict=True):
        places += [(theta, (k + 0.5) * np.pi / 2.0 / m) for k in range(m)]
        shares += [share / m] * m
    return np.array(places), np.array(shares) / np.sum(shares)


_DIRECTIONS, _WEIGHTS = orientations(AZIMUTHS)


def applied_lines(
    nucleus: Nucleus,
    slopes: tuple[Array, Array],
    values: Mapping[str, Array],
    directions: FloatArray = _DIRECTIONS,
    weights: FloatArray = _WEIGHTS,
) -> Lines:
    """The lines of crystals at all angles in a field that is fixed in the laboratory.

    The field at the nucleus is B_applied + B_induced, along the applied one.  Turning a
    crystal about the field moves no line, so that intensities are averaged over that
    angle: (1 + cos²ϑ) / 2 for q = ±1 and sin²ϑ for q = 0, with ϑ between ray and field.

    Valid for: an induced field that is isotropic; a ground state of spin ½.
    """
    field = values["B_applied"] + values["B_induced"]
    cos = jnp.cos(jnp.deg2rad(values["beam_angle"]))
    seen = jnp.stack([0.5 * (1.0 + cos**2), 1.0 - cos**2, 0.5 * (1.0 + cos**2)])
    ((_, coefficients),) = nucleus.multipoles
    by_state = jnp.einsum("q,qeg->ge", seen, coefficients**2)
    spread = {**values, "sigma_Bint": jnp.zeros_like(field)}

    def one(direction: Array) -> Lines:
        gradient = gradient_along(values["eta"], axes(direction[0], direction[1]))
        pair = both(nucleus, slopes, field, values["eQVzz"], gradient)
        area = 1.5 * by_state @ pair[1].share / len(nucleus.excited.m)
        return between(spread, *pair)._replace(area=area.ravel())

    each = jax.vmap(one)(jnp.asarray(directions))
    area = each.area * weights[:, None]
    return Lines(each.position.ravel(), area.ravel(), each.gauss_sigma.ravel())


def _iron_applied(values: Mapping[str, Array], scale: Array) -> Lines:
    return applied_lines(iron(), iron_slopes(scale), values)


_APPLIED_FIELD = ParameterSignature(
    symbol="B_applied",
    dimension="field",
    unit="T",
    meaning="applied field",
    low=0.0,
)
_INDUCED_FIELD = ParameterSignature(
    symbol="B_induced",
    dimension="field",
    unit="T",
    meaning="field at the nucleus that the applied field induces, along it; negative "
    "where it is opposed",
    default="= 0 T",
)
"""A diamagnet has none, as most compounds at room temperature."""

_BEAM_ANGLE = ParameterSignature(
    symbol="beam_angle",
    dimension="angle",
    unit="deg",
    meaning="angle between the gamma ray and the applied field",
    low=0.0,
    high=90.0,
)

APPLIED_PARAMETERS = (
    ISOMER_SHIFT,
    COUPLING,
    ASYMMETRY,
    SPLITTING,
    _APPLIED_FIELD,
    _INDUCED_FIELD,
    _BEAM_ANGLE,
    LINEWIDTH,
    AREA_FRACTION,
    SIGMA_ISOMER_SHIFT,
    SIGMA_COUPLING,
)

N_DIRECTIONS = len(_WEIGHTS)

APPLIED = SiteKind(
    signature=Signature(
        name="hamiltonian_applied",
        title="field gradient in an applied field, powder",
        parameters=APPLIED_PARAMETERS,
        source=TEXTBOOK,
    ),
    n_lines=8 * N_DIRECTIONS,
    lines=_iron_applied,
)
