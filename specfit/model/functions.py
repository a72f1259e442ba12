"""Every operator and function of the language, written once for any array module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specfit import waves
from specfit.model import laws

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
    "sod": Function(2, 2, laws.sod),
    "debye_f": Function(2, 2, laws.debye_f),
    "brillouin": Function(3, 3, laws.brillouin),
    "reduced_field": Function(4, 4, laws.reduced_field),
    "ingalls": Function(2, 3, laws.ingalls),
    "magnetite_vacancies": Function(2, 2, laws.magnetite_vacancies),
    "ferrous_share": Function(1, 1, laws.ferrous_share),
    "saturated_ratio": Function(3, 3, laws.saturated_ratio),
    "histogram_mean": Function(3 + waves.WAVES, 3 + waves.WAVES, waves.mean),
    "histogram_sd": Function(3 + waves.WAVES, 3 + waves.WAVES, waves.sd),
}
"""Every function of the language.  Angles are in degrees, the canonical unit.  Equality
has a relative tolerance of 1e-9, because both sides are computed."""

LAWS = ("sod", "debye_f", "brillouin", "reduced_field", "ingalls")
"""Laws of temperature: what costs more to compile than all the rest."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "within")
CONNECTIVES = ("and", "or", "not")
STATISTICS = ("mean", "max", "min", "median", "quantile", "sum")
