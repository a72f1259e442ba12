"""The Lorentzian: the natural shape of a nuclear resonance."""

from __future__ import annotations

import math

from specfit.contracts import Array, ParameterSignature, Shape, Signature

_HALF_OVER_PI = 0.5 / math.pi


def profile(offset: Array, fwhm: Array, sigma: Array) -> Array:
    """The Lorentzian of unit area, (fwhm / 2π) / (offset² + fwhm² / 4).

    One division an element and nothing else, because this is evaluated for every site,
    line and channel at every step of a sampler.  `sigma` is not used.

    Valid for: fwhm > 0.
    """
    del sigma
    return _HALF_OVER_PI * fwhm / (offset * offset + 0.25 * (fwhm * fwhm))


SHAPE = Shape(
    signature=Signature(
        name="lorentzian",
        title="Lorentzian",
        parameters=(
            ParameterSignature(
                symbol="fwhm",
                dimension="axis",
                unit="",
                meaning="full width at half maximum",
                low=0.0,
            ),
        ),
        source="G. Breit, E. Wigner, Phys. Rev. 49, 519 (1936), "
        "doi:10.1103/PhysRev.49.519",
    ),
    profile=profile,
)
