"""What a kind of peak is, and the parameters that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specfit.constants import SIGMA_FWHM
from specfit.contracts import Array, ParameterSignature, Signature
from specfit.lazy import LazyModule
from specfit.shapes import SHAPES

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

GAUSS_HEIGHT = 0.9394372786996513
"""2 √(log 2 / π): the height of a Gaussian of unit area and unit full width."""
LORENTZ_HEIGHT = 0.6366197723675814
"""2 / π: the same of a Lorentzian."""


@dataclass(frozen=True)
class PeakKind:
    """A kind of peak: parameters → curve.

    `profile(values, x)`: the curve at x (n,) for the value 1 of `amount`, which the curve
    is proportional to.  `instead`: symbols that may be stated in place of another, with
    what that other then is: {"height": ("A", "= …")}.
    """

    signature: Signature
    profile: Callable[[Mapping[str, Array], Array], Array]
    amount: str = "A"
    instead: Mapping[str, tuple[str, str]] | None = None


CENTRE = ParameterSignature("xc", "axis", "", "centre of the peak")
AREA = ParameterSignature(
    "A",
    "area",
    "",
    "area of the peak",
    low=0.0,
    default="~ lognormal(log((max({y}) - min({y})) * (max({x}) - min({x})) "
    "/ 20 / 1 {ua}), 2) {ua}",
)


def full_width(symbol: str, of: str) -> ParameterSignature:
    """A full width at half maximum; half normal, so that it may vanish."""
    return ParameterSignature(
        symbol,
        "axis",
        "",
        f"full width at half maximum{of}",
        low=0.0,
        default="~ halfnormal((max({x}) - min({x})) / 20)",
    )


GAUSS_WIDTH = full_width("wG", " of the Gaussian part")
LORENTZ_WIDTH = full_width("wL", " of the Lorentzian part")


def height(formula: str) -> ParameterSignature:
    """The height of a peak above its baseline, from its area."""
    meaning = "height of the peak above the baseline"
    return ParameterSignature(
        "height", "signal", "", meaning, default=f"= {formula}", computed=True
    )


def width(formula: str) -> ParameterSignature:
    """The full width of the whole peak, from those of its parts."""
    meaning = "full width at half maximum of the peak"
    return ParameterSignature(
        "FWHM", "axis", "", meaning, default=f"= {formula}", computed=True
    )


SHARE = ParameterSignature(
    "eta",
    "number",
    "",
    "share of the Lorentzian in the area",
    low=0.0,
    high=1.0,
    default="~ free in [0, 1]",
)
MIXED_HEIGHT = f"((1 - eta) * {GAUSS_HEIGHT} + eta * {LORENTZ_HEIGHT})"
"""Of a pseudo-Voigt profile of unit area and unit full width."""


def mixed(distance: Array, fwhm: Array, share: Array) -> Array:
    """A pseudo-Voigt profile of unit area."""
    gauss = SHAPES["gaussian"].profile(distance, fwhm, fwhm / SIGMA_FWHM)
    lorentz = SHAPES["lorentzian"].profile(distance, fwhm, fwhm)
    return (1.0 - share) * gauss + share * lorentz


def offset(values: Mapping[str, Array], x: Array) -> Array:
    """The distance of x from the centre."""
    return x - values["xc"]


def safe(width: Array) -> Array:
    """A width kept from zero, where a shape has none."""
    return jnp.maximum(width, 1e-12)
