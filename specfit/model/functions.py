"""Every operator and function of the language, written once for any array module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit import waves
from specfit.model import diffraction, laws

_STEP = math.sqrt(math.pi / 12)
_NODES = (np.arange(12) + 0.5) * _STEP
_WEIGHTS = np.exp(-(_NODES**2)) * _STEP / math.sqrt(math.pi)
_POLE, _TINY = math.pi / _STEP, 1e-300
_REACH = 2.0 * math.sqrt(math.log(2.0))
"""Of a Gaussian: its full width over √2 σ."""

HORSESHOE, WEIGHTED_SUM = "regularized_horseshoe", "weighted_sum"
"""A coefficient that may be next to nothing, and the sum of all over the features."""
ERRORS = "widened"
"""The noise of a row whose features have errors: no word of the language."""

Meaning = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """An operator or function: how many arguments it takes and what it means.

    `meaning(xp, *arguments)`: `xp` is NumPy or jax.numpy; `most` is None without limit.
    """

    least: int
    most: int | None
    meaning: Meaning


def _voigt_fwhm(xp: Any, gauss: Any, lorentz: Any) -> Any:
    """Full width of a Voigt profile from those of its parts, good to 0.02 %.

    Source: J. J. Olivero, R. L. Longbothum, J. Quant. Spectrosc. Radiat. Transfer 17,
    233 (1977), equation 10.
    """
    return 0.5346 * lorentz + xp.sqrt(0.2166 * lorentz**2 + gauss**2)


def _voigt_height(xp: Any, gauss: Any, lorentz: Any) -> Any:
    """The height of a Voigt profile of unit area, from the full widths of its parts.

    Re w(iy) / (√(2π) σ) by the rule of `shapes.voigt`, finite where either width is 0.
    """
    reach, half = gauss / _REACH, 0.5 * lorentz
    total = sum(
        w * 2.0 / ((t * reach) ** 2 + half**2 + _TINY)
        for t, w in zip(_NODES, _WEIGHTS, strict=True)
    )
    near = half < _POLE * reach
    y = xp.where(near, half, 0.0) / xp.where(near, reach, 1.0)
    fall = xp.exp(-2.0 * math.pi / _STEP * y)
    pole = 2.0 * xp.exp(y * y) * fall / (1.0 + fall)
    width = xp.where(near, math.sqrt(math.pi) * reach, 1.0)
    return total * half / math.pi + xp.where(near, pole / width, 0.0)


def _horseshoe(xp: Any, unit: Any, local: Any, scale: Any, slab: Any) -> Any:
    """A coefficient of a regularised horseshoe from its standard normal.

    Its sd is τλ / √(1 + τ²λ²/s), written so that no square overflows.
    """
    wide = scale * local / xp.sqrt(slab)
    return unit * scale * local / xp.sqrt(1.0 + wide * wide)


def _weighted_sum(xp: Any, features: Any, *coefficients: Any) -> Any:
    """Σ coefficient × feature; features: (p, n)."""
    return sum(c * features[i] for i, c in enumerate(coefficients))


def _widened(xp: Any, sd: Any, errors: Any, places: Any, *coefficients: Any) -> Any:
    """√(σ² + βᵀ R Rᵀ β) of each row, β the coefficients.

    errors: the R of all blocks, (n_blocks, b, b, n); places: (n_blocks, b) of their
    members among the coefficients, filled with the number of these.
    """
    beta = xp.stack([*coefficients, 0.0 * coefficients[0]])[places]
    off = xp.sum(beta[:, :, None, None] * errors, axis=1)
    return xp.sqrt(sd**2 + xp.sum(off**2, axis=(0, 1)))


def _fold(name: str) -> Meaning:
    def meaning(xp: Any, first: Any, *rest: Any) -> Any:
        for item in rest:
            first = getattr(xp, name)(first, item)
        return first

    return meaning


def _plain(name: str) -> Meaning:
    return lambda xp, x: getattr(xp, name)(x)


def _of_degrees(name: str) -> Meaning:
    return lambda xp, x: getattr(xp, name)(xp.deg2rad(x))


FUNCTIONS: dict[str, Function] = {
    "+": Function(2, 2, lambda xp, a, b: a + b),
    "-": Function(2, 2, lambda xp, a, b: a - b),
    "*": Function(2, 2, lambda xp, a, b: a * b),
    "/": Function(2, 2, lambda xp, a, b: a / b),
    "^": Function(2, 2, lambda xp, a, b: a**b),
    "neg": Function(1, 1, lambda xp, a: -a),
    "<": Function(2, 2, lambda xp, a, b: a < b),
    "<=": Function(2, 2, lambda xp, a, b: a <= b),
    ">": Function(2, 2, lambda xp, a, b: a > b),
    ">=": Function(2, 2, lambda xp, a, b: a >= b),
    "==": Function(2, 2, lambda xp, a, b: xp.isclose(a, b, rtol=1e-9, atol=1e-12)),
    "!=": Function(2, 2, lambda xp, a, b: ~xp.isclose(a, b, rtol=1e-9, atol=1e-12)),
    "and": Function(2, None, _fold("logical_and")),
    "or": Function(2, None, _fold("logical_or")),
    "not": Function(1, 1, _plain("logical_not")),
    "within": Function(
        3, 3, lambda xp, x, low, high: xp.logical_and(low <= x, x <= high)
    ),
    "exp": Function(1, 1, _plain("exp")),
    "log": Function(1, 1, _plain("log")),
    "log10": Function(1, 1, _plain("log10")),
    "sqrt": Function(1, 1, _plain("sqrt")),
    "abs": Function(1, 1, _plain("abs")),
    "sin": Function(1, 1, _of_degrees("sin")),
    "cos": Function(1, 1, _of_degrees("cos")),
    "tan": Function(1, 1, _of_degrees("tan")),
    "min": Function(1, None, _fold("minimum")),
    "max": Function(1, None, _fold("maximum")),
    "sum": Function(1, None, _fold("add")),
    "mean": Function(1, None, lambda xp, *items: sum(items) / len(items)),
    "median": Function(1, 1, lambda xp, x: x),
    "quantile": Function(2, 2, lambda xp, x, level: x),
    "voigt_fwhm": Function(2, 2, _voigt_fwhm),
    "voigt_height": Function(2, 2, _voigt_height),
    "atan": Function(1, 1, lambda xp, x: xp.rad2deg(xp.arctan(x))),
    "sod": Function(2, 2, laws.sod),
    "debye_f": Function(2, 2, laws.debye_f),
    "brillouin": Function(3, 3, laws.brillouin),
    "reduced_field": Function(4, 4, laws.reduced_field),
    "ingalls": Function(2, 3, laws.ingalls),
    "magnetite_vacancies": Function(2, 2, laws.magnetite_vacancies),
    "ferrous_share": Function(1, 1, laws.ferrous_share),
    "saturated_ratio": Function(3, 3, laws.saturated_ratio),
    "d_cubic": Function(4, 4, diffraction.d_cubic),
    "d_tetragonal": Function(5, 5, diffraction.d_tetragonal),
    "d_hexagonal": Function(5, 5, diffraction.d_hexagonal),
    "d_orthorhombic": Function(6, 6, diffraction.d_orthorhombic),
    "two_theta": Function(2, 5, diffraction.two_theta),
    "momentum_transfer": Function(1, 1, diffraction.momentum_transfer),
    "wavelength": Function(1, 1, diffraction.wavelength_of),
    "shift": Function(2, 2, lambda xp, curve, by: curve.at(xp, by)),
    "histogram_mean": Function(3 + waves.WAVES, 3 + waves.WAVES, waves.mean),
    "histogram_sd": Function(3 + waves.WAVES, 3 + waves.WAVES, waves.sd),
    HORSESHOE: Function(4, 4, _horseshoe),
    WEIGHTED_SUM: Function(2, None, _weighted_sum),
    ERRORS: Function(4, None, _widened),
}
"""Every function of the language.  Angles are in degrees, the canonical unit.  Equality
has a relative tolerance of 1e-9, because both sides are computed."""

LAWS = ("sod", "debye_f", "brillouin", "reduced_field", "ingalls", HORSESHOE)
"""Laws of temperature, and of many features: what costs most to compile one by one."""

STACKED = (*LAWS, *diffraction.DIFFRACTION, "voigt_height", "voigt_fwhm")
"""Functions of which many levels or reflections are worked out together."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "within")
CONNECTIVES = ("and", "or", "not")
STATISTICS = ("mean", "max", "min", "median", "quantile", "sum")
