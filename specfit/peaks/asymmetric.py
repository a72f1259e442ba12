"""Asymmetric peaks: two half widths, and the lines of metals in photoemission."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from specfit.contracts import Array, ParameterSignature, Signature
from specfit.lazy import LazyModule
from specfit.peaks.kind import (
    AREA,
    CENTRE,
    MIXED_HEIGHT,
    SHARE,
    PeakKind,
    full_width,
    height,
    mixed,
    offset,
    safe,
)

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")


def _split(values: Mapping[str, Array], x: Array) -> Array:
    """Halves of two pseudo-Voigts that meet at the top, together of unit area.

    Halves of equal height h have areas h w / (2 c), c the height of unit area and width.
    """
    left, right, share = safe(values["w_low"]), safe(values["w_high"]), values["eta"]
    d = offset(values, x)
    fwhm = jnp.where(d < 0.0, left, right)
    return 2.0 * fwhm / (left + right) * mixed(d, fwhm, share)


def _doniach(values: Mapping[str, Array], x: Array) -> Array:
    """The Doniach–Šunjić line, of height 1 at `xc`.

    cos(πα/2 + (1 − α) atan(d/γ)) / (d² + γ²)^((1 − α)/2) with d = xc − x, so that the
    tail is at higher binding energy, γ half of wL; its area has no bound, and its top is
    at xc − γ cot(π / (2 − α)).
    """
    alpha, gamma = values["alpha"], 0.5 * safe(values["wL"])
    d = -offset(values, x) / gamma
    angle = 0.5 * math.pi * alpha + (1.0 - alpha) * jnp.arctan(d)
    top = jnp.cos(0.5 * math.pi * alpha)
    return jnp.cos(angle) / top * (1.0 + d * d) ** (-0.5 * (1.0 - alpha))


SPLIT = PeakKind(
    Signature(
        "split_pseudo_voigt",
        "pseudo-Voigt peak with a width of its own on either side",
        (
            CENTRE,
            AREA,
            full_width("w_low", " of the side below the centre"),
            full_width("w_high", " of the side above the centre"),
            SHARE,
            height(f"A * {MIXED_HEIGHT} * 2 / (w_low + w_high)"),
        ),
        "H. Toraya, J. Appl. Cryst. 23, 485 (1990), doi:10.1107/S0021889890008704",
    ),
    _split,
    instead={"height": ("A", f"= height * (w_low + w_high) / 2 / {MIXED_HEIGHT}")},
)
DONIACH_SUNJIC = PeakKind(
    Signature(
        "doniach_sunjic",
        "line of a metal in photoemission, with a tail of electron–hole pairs",
        (
            CENTRE,
            ParameterSignature(
                "height",
                "signal",
                "",
                "height at `xc` above the baseline",
                low=0.0,
                default="~ lognormal(log((max({y}) - min({y})) / 2 / 1 {uy}), 1.5) {uy}",
            ),
            full_width("wL", " of the line without its tail"),
            ParameterSignature(
                "alpha",
                "number",
                "",
                "asymmetry, 0 for a Lorentzian; the tail lies above `xc`",
                low=0.0,
                high=0.5,
                default="~ free in [0, 0.4]",
            ),
        ),
        "S. Doniach, M. Šunjić, J. Phys. C 3, 285 (1970), "
        "doi:10.1088/0022-3719/3/2/010",
    ),
    _doniach,
    amount="height",
)
