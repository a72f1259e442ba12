"""Unequal lines of a doublet: crystals that lie in an order, or that are held unevenly.

Seen at the angle ϑ from the axis of an axial field gradient the line of ±3/2 has
3 (1 + cos²ϑ) / 8 of the area, so that of all directions only ⟨cos²ϑ⟩ is seen, or the
order S = (3 ⟨cos²ϑ⟩ − 1) / 2 of the axes about the gamma ray: the line has (1 + S/2) / 2.
Two causes weigh the directions.  Texture: axes lie about the ray as exp(κ cos²ϑ)
(Dimroth's and Watson's law).  Anisotropy of the recoil-free fraction (the effect of
Goldanskii and Karyagin): nuclei at ϑ recoil-free as exp(−ε cos²ϑ), ε = k² (⟨z²⟩ − ⟨x²⟩).
Together they weigh as exp((κ − ε) cos²ϑ): one doublet shows their difference alone.

Source: V. I. Goldanskii, E. F. Makarov, in V. I. Goldanskii, R. H. Herber (editors),
Chemical Applications of Mössbauer Spectroscopy, Academic Press (1968), chapter 1; for the
law of axes K. V. Mardia, P. E. Jupp, Directional Statistics, Wiley (2000), section 9.4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Array, ParameterSignature
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

LARGEST = 20.0
"""S is 0.93 here, or −0.46: hardly less ordered than a crystal, and held as unevenly as
no solid is: k² is 53 Å⁻², a mean square displacement some 0.01 Å²."""

_COSINE, _WEIGHT = (half[32:] for half in np.polynomial.legendre.leggauss(64))
_SQUARE = _COSINE**2
_LEGENDRE = 1.5 * _SQUARE - 0.5


def order(strength: Array) -> Array:
    """S of directions that lie as exp(strength · cos²ϑ); a scalar.

    Gauss's nodes on one half; to 1e-13 up to the strengths allowed.
    """
    height = jnp.exp(strength * _SQUARE - jnp.maximum(strength, 0.0)) * _WEIGHT
    return jnp.sum(height * _LEGENDRE) / jnp.sum(height)


TEXTURE = ParameterSignature(
    symbol="texture",
    dimension="number",
    unit="",
    meaning="how the axes of the field gradient lie about the gamma ray, κ of "
    "exp(κ cos²ϑ): along it above 0, across it below",
    low=-LARGEST,
    high=LARGEST,
    default="= 0",
)
FRACTION_ANISOTROPY = ParameterSignature(
    symbol="f_anisotropy",
    dimension="number",
    unit="",
    meaning="anisotropy of the recoil-free fraction, k² (⟨z²⟩ − ⟨x²⟩) with z along the "
    "axis of the field gradient (Goldanskii–Karyagin)",
    low=-LARGEST,
    high=LARGEST,
    default="= 0",
)
SIGN = ParameterSignature(
    symbol="sign_eQVzz",
    dimension="number",
    unit="",
    meaning="sign of eQVzz, 1 or −1: whether the line of ±3/2 is that at the higher "
    "velocity",
    low=-1.0,
    high=1.0,
    default="= 1",
)
"""Only lines of unequal area show it, and only where what makes them so is known."""

ASYMMETRIES = (TEXTURE, FRACTION_ANISOTROPY, SIGN)
