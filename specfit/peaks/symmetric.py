"""Symmetric peaks: Gaussian, Lorentzian, Voigt, pseudo-Voigt, the Kα doublet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from specfit.constants import SIGMA_FWHM
from specfit.contracts import Array, ParameterSignature, Signature
from specfit.lazy import LazyModule
from specfit.peaks.kind import (
    AREA,
    CENTRE,
    GAUSS_HEIGHT,
    GAUSS_WIDTH,
    LORENTZ_HEIGHT,
    LORENTZ_WIDTH,
    MIXED_HEIGHT,
    SHARE,
    PeakKind,
    full_width,
    height,
    mixed,
    offset,
    safe,
    width,
)
from specfit.shapes import SHAPES

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

_WHOLE_GAUSS = replace(GAUSS_WIDTH, meaning="full width at half maximum")
_WHOLE_LORENTZ = replace(LORENTZ_WIDTH, meaning="full width at half maximum")
_SIGMA = ParameterSignature(
    "sigma",
    "axis",
    "",
    "standard deviation of the Gaussian part",
    default="= sigma_of(wG)",
    computed=True,
)
_BY_SIGMA = ("wG", "= sigma(sigma)")


def _gaussian(values: Mapping[str, Array], x: Array) -> Array:
    sigma = safe(values["wG"]) / SIGMA_FWHM
    return SHAPES["gaussian"].profile(offset(values, x), sigma, sigma)


def _lorentzian(values: Mapping[str, Array], x: Array) -> Array:
    fwhm = safe(values["wL"])
    return SHAPES["lorentzian"].profile(offset(values, x), fwhm, fwhm)


def _voigt(values: Mapping[str, Array], x: Array) -> Array:
    sigma = values["wG"] / SIGMA_FWHM
    return SHAPES["voigt"].profile(offset(values, x), safe(values["wL"]), sigma)


def _pseudo_voigt(values: Mapping[str, Array], x: Array) -> Array:
    fwhm, share = safe(values["FWHM"]), values["eta"]
    return mixed(offset(values, x), fwhm, share)


def _doublet(values: Mapping[str, Array], x: Array) -> Array:
    """Two Voigts of equal widths: both reflections of one set of planes.

    sin θ₂ / sin θ₁ = λ₂ / λ₁ by Bragg's law.
    """
    share = 1.0 / (1.0 + values["ratio"])
    half = jnp.deg2rad(0.5 * values["xc"])
    sine = jnp.sin(half) * values["lambda_2"] / values["lambda_1"]
    second = 2.0 * jnp.rad2deg(jnp.arcsin(jnp.clip(sine, -1.0 + 1e-12, 1.0 - 1e-12)))
    first = _voigt(values, x)
    other = _voigt({**values, "xc": second}, x)
    return share * first + (1.0 - share) * other


GAUSSIAN = PeakKind(
    Signature(
        "gaussian",
        "Gaussian peak",
        (
            CENTRE,
            AREA,
            _WHOLE_GAUSS,
            width("wG"),
            _SIGMA,
            height(f"A * {GAUSS_HEIGHT} / wG"),
        ),
        "NIST Digital Library of Mathematical Functions, section 7.1",
    ),
    _gaussian,
    instead={
        "height": ("A", f"= height * wG / {GAUSS_HEIGHT}"),
        "FWHM": ("wG", "= FWHM"),
        "sigma": _BY_SIGMA,
    },
)
LORENTZIAN = PeakKind(
    Signature(
        "lorentzian",
        "Lorentzian peak",
        (
            CENTRE,
            AREA,
            _WHOLE_LORENTZ,
            width("wL"),
            height(f"A * {LORENTZ_HEIGHT} / wL"),
        ),
        "G. Breit, E. Wigner, Phys. Rev. 49, 519 (1936), doi:10.1103/PhysRev.49.519",
    ),
    _lorentzian,
    instead={
        "height": ("A", f"= height * wL / {LORENTZ_HEIGHT}"),
        "FWHM": ("wL", "= FWHM"),
    },
)
_VOIGT_PARTS = (
    CENTRE,
    AREA,
    GAUSS_WIDTH,
    LORENTZ_WIDTH,
    width("voigt_fwhm(wG, wL)"),
    _SIGMA,
    height("A * voigt_height(wG, wL)"),
)
VOIGT = PeakKind(
    Signature(
        "voigt",
        "Voigt peak: a Lorentzian broadened by a Gaussian",
        _VOIGT_PARTS,
        "B. H. Armstrong, J. Quant. Spectrosc. Radiat. Transfer 7, 61 (1967), "
        "doi:10.1016/0022-4073(67)90057-X",
    ),
    _voigt,
    instead={
        "height": ("A", "= height / voigt_height(wG, wL)"),
        "sigma": _BY_SIGMA,
    },
)
PSEUDO_VOIGT = PeakKind(
    Signature(
        "pseudo_voigt",
        "pseudo-Voigt peak: the sum of a Gaussian and a Lorentzian of one width",
        (
            CENTRE,
            AREA,
            full_width("FWHM", ""),
            SHARE,
            height(f"A * {MIXED_HEIGHT} / FWHM"),
        ),
        "G. K. Wertheim et al., Rev. Sci. Instrum. 45, 1369 (1974), "
        "doi:10.1063/1.1686503",
    ),
    _pseudo_voigt,
    instead={"height": ("A", f"= height * FWHM / {MIXED_HEIGHT}")},
)
DOUBLET_KA = PeakKind(
    Signature(
        "doublet_ka",
        "Voigt peaks of Kα1 and Kα2; `xc` is that of Kα1",
        (
            *_VOIGT_PARTS[:-1],
            ParameterSignature(
                "ratio",
                "number",
                "",
                "intensity of Kα2 to that of Kα1",
                low=0.0,
                high=1.0,
                default="= 0.5",
            ),
            ParameterSignature(
                "lambda_1",
                "length",
                "Å",
                "wavelength of Kα1 (Cu)",
                low=0.0,
                default="= 1.540593 Å",
            ),
            ParameterSignature(
                "lambda_2",
                "length",
                "Å",
                "wavelength of Kα2 (Cu)",
                low=0.0,
                default="= 1.544427 Å",
            ),
        ),
        "wavelengths: M. H. Mendenhall et al., J. Phys. B 50, 115004 (2017), "
        "doi:10.1088/1361-6455/aa6c4a",
    ),
    _doublet,
    instead={"sigma": _BY_SIGMA},
)
