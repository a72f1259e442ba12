"""Where reflections lie: plane spacings, Bragg's law, and a misplaced sample.

Written for any array module; lengths in Å, angles in degrees, energies in eV.  A cell
with a length that is not positive has a negative spacing, so that the one condition
2 d > λ leaves out such cells too (`reflections` puts it into the support of the prior);
outside it angles stay at 180° and gradients finite.
"""

from __future__ import annotations

import math
from typing import Any

HC = 12398.419843320026
"""Planck constant times velocity of light, eV Å; exact in the SI of 2019."""
_HIGHEST = 1.0 - 1e-12
"""Of a sine: the slope of the arc sine is finite there."""
_TINY = 1e-12

SPACINGS = ("d_cubic", "d_tetragonal", "d_hexagonal", "d_orthorhombic")
DIFFRACTION = (*SPACINGS, "two_theta")


def d_cubic(xp: Any, h: Any, k: Any, l: Any, a: Any) -> Any:
    """Spacing of the planes (h k l) of a cubic cell."""
    return _spacing(xp, (h * h + k * k + l * l) * _inverse(xp, a), a)


def d_tetragonal(xp: Any, h: Any, k: Any, l: Any, a: Any, c: Any) -> Any:
    """Spacing in a tetragonal cell."""
    over = (h * h + k * k) * _inverse(xp, a) + l * l * _inverse(xp, c)
    return _spacing(xp, over, xp.minimum(a, c))


def d_hexagonal(xp: Any, h: Any, k: Any, l: Any, a: Any, c: Any) -> Any:
    """Spacing in a hexagonal cell, or a rhombohedral one with hexagonal axes."""
    plane = 4.0 / 3.0 * (h * h + h * k + k * k)
    over = plane * _inverse(xp, a) + l * l * _inverse(xp, c)
    return _spacing(xp, over, xp.minimum(a, c))


def d_orthorhombic(
    xp: Any,
    h: Any,
    k: Any,
    l: Any,
    a: Any,
    b: Any,
    c: Any,
) -> Any:
    """Spacing in an orthorhombic cell."""
    over = h * h * _inverse(xp, a) + k * k * _inverse(xp, b) + l * l * _inverse(xp, c)
    return _spacing(xp, over, xp.minimum(xp.minimum(a, b), c))


def _inverse(xp: Any, length: Any) -> Any:
    return 1.0 / xp.maximum(length * length, _TINY)


def _spacing(xp: Any, over: Any, least: Any) -> Any:
    spacing = 1.0 / xp.sqrt(xp.maximum(over, _TINY))
    return xp.where(least > 0.0, spacing, -spacing)


def two_theta(
    xp: Any,
    spacing: Any,
    wavelength: Any,
    zero: Any = 0.0,
    displacement: Any = 0.0,
    radius: Any = 1.0,
) -> Any:
    """Where a reflection is seen: 2θ + zero − 2 s cos θ / R, with λ = 2 d sin θ.

    The last term is that of a sample whose surface lies s behind the axis of a
    Bragg–Brentano goniometer of radius R (s < 0: before it).
    Source: H. P. Klug, L. E. Alexander, X-Ray Diffraction Procedures, 2nd ed. (Wiley,
    1974), section 5-2.
    """
    sine = wavelength / (2.0 * xp.maximum(spacing, _TINY))
    theta = xp.arcsin(xp.clip(sine, -_HIGHEST, _HIGHEST))
    shift = 2.0 * displacement * xp.cos(theta) / radius
    return xp.rad2deg(2.0 * theta - shift) + zero


def momentum_transfer(xp: Any, spacing: Any) -> Any:
    """Q = 2π / d."""
    return 2.0 * math.pi / spacing


def wavelength_of(xp: Any, energy: Any) -> Any:
    """λ = h c / E."""
    return HC / energy
