"""The Gaussian: a line spread by an instrument or by disorder alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from specfit.contracts import Array, ParameterSignature, Shape, Signature
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

_PEAK = 1.0 / math.sqrt(2.0 * math.pi)


def profile(offset: Array, fwhm: Array, sigma: Array) -> Array:
    """The Gaussian of unit area and standard deviation `sigma`.

    `fwhm`, the Lorentzian width, is not used.

    Valid for: sigma > 0.
    """
    del fwhm
    scaled = offset / sigma
    return _PEAK / sigma * jnp.exp(-0.5 * (scaled * scaled))


SHAPE = Shape(
    signature=Signature(
        name="gaussian",
        title="Gaussian",
        parameters=(
            ParameterSignature(
                symbol="sigma",
                dimension="axis",
                unit="",
                meaning="standard deviation",
                low=0.0,
            ),
        ),
        source="NIST Digital Library of Mathematical Functions, section 7.1",
    ),
    profile=profile,
)
