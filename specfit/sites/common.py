"""The parameters that every site kind has, and the width of a line by distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specfit.constants import MINIMUM_FWHM
from specfit.contracts import Array, ParameterSignature
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

TEXTBOOK = (
    "P. Gütlich, E. Bill, A. X. Trautwein, Mössbauer Spectroscopy and Transition "
    "Metal Chemistry, Springer (2011), chapter 4, doi:10.1007/978-3-540-88428-6"
)

ISOMER_SHIFT = ParameterSignature(
    symbol="IS",
    dimension="velocity",
    unit="mm/s",
    meaning="isomer shift against α-Fe at room temperature, second-order Doppler "
    "shift included",
    default="~ free in [-1.0, 1.6] mm/s",
)
"""Flat over all that iron does: Fe(VI) lies near −0.9, Fe2+ at 4.2 K near 1.45 mm/s."""

LINEWIDTH = ParameterSignature(
    symbol="width",
    dimension="velocity",
    unit="mm/s",
    meaning="Lorentzian full width at half maximum",
    low=0.0,
    default=f"~ 0.28 ± 0.06 mm/s in [{MINIMUM_FWHM}, 1.0] mm/s",
)
"""Laboratory lines of thin absorbers are 0.22-0.35 mm/s wide; below two natural widths
(source and absorber) no line can be."""

AREA_FRACTION = ParameterSignature(
    symbol="I",
    dimension="fraction",
    unit="",
    meaning="fraction of the total resonant area",
    low=0.0,
    high=1.0,
)
"""Without a default: the fractions of a model have one prior, on the simplex."""

SIGMA_ISOMER_SHIFT = ParameterSignature(
    symbol="sigma_IS",
    dimension="velocity",
    unit="mm/s",
    meaning="standard deviation of a Gaussian distribution of isomer shifts",
    low=0.0,
    default="= 0 mm/s",
)
SIGMA_QUADRUPOLE_SPLITTING = ParameterSignature(
    symbol="sigma_QS",
    dimension="velocity",
    unit="mm/s",
    meaning="standard deviation of a Gaussian distribution of quadrupole splittings",
    low=0.0,
    default="= 0 mm/s",
)


def root(variance: Array) -> Array:
    """The square root, with derivative 0 where the variance is 0.

    A line without any distribution is the usual case; the plain root would turn its
    gradient into a NaN.
    """
    positive = variance > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)
