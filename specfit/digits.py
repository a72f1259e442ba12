"""How many digits a number deserves beside its uncertainty.

An uncertainty keeps two digits when its leading three are at most 354 and one
otherwise; the value is rounded to the same place: 44.40 ± 0.05, 0.670 ± 0.010.

Source: Particle Data Group, Review of Particle Physics, "Rounding".
"""

from __future__ import annotations

from math import floor, isfinite, log10


def decimals(sd: float) -> int:
    """Digits after the point that an uncertainty deserves; negative above ten."""
    if not isfinite(sd) or sd <= 0:
        return 3
    exponent = floor(log10(sd))
    leading = sd / 10.0 ** (exponent - 2)
    digits = 2 if round(leading) <= 354 else 1
    return digits - 1 - exponent


def fixed(value: float, places: int) -> str:
    """`value` with so many decimals, and no negative zero."""
    if not isfinite(value):
        return "–"
    if abs(value) >= 1e15 or places > 12:
        return f"{value:.6g}"
    rounded = round(value, places) + 0.0
    return f"{rounded:.{max(0, places)}f}"


def percent(share: float, least: float) -> str:
    """A share of one in percent, no finer than `least`."""
    if share < least:
        return f"less than {100 * least:.2g} %"
    if share > 1 - least:
        return f"more than {100 * (1 - least):.4g} %"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.4g} %"
