"""Draws as the numbers that people read: mean ± sd, with as many digits as it deserves.

As `specfit.digits` says: 44.40(5), 0.670(10).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from specfit.contracts import FloatArray
from specfit.digits import decimals as decimals
from specfit.digits import fixed as fixed

ROUNDING = 1e-12
"""Relative spread of draws that comes from arithmetic and not from the data."""


@dataclass(frozen=True)
class Summary:
    """The figures of one quantity over its draws; sd is 0 for what is known."""

    mean: float
    sd: float
    median: float
    q05: float
    q95: float
    low: float  # 2.5 % quantile
    high: float  # 97.5 % quantile

    @property
    def fixed(self) -> bool:
        """Whether it is known rather than inferred."""
        return self.sd == 0


def summarise(draws: FloatArray) -> Summary:
    """The summary of draws of any shape."""
    flat = np.ravel(np.asarray(draws, dtype=float))
    points = np.quantile(flat, [0.5, 0.05, 0.95, 0.025, 0.975])
    mean = float(flat.mean())
    varies = flat.size > 1 and np.ptp(flat) > ROUNDING * abs(mean)
    sd = float(flat.std(ddof=1)) if varies else 0.0
    return Summary(mean, sd, *(float(point) for point in points))


def concise(summary: Summary) -> str:
    """`44.40(5)`; what is known is only its value."""
    if summary.fixed:
        return f"{summary.mean:.6g}"
    places = decimals(summary.sd)
    last = summary.sd * 10.0**places if places > 0 else summary.sd
    inside = fixed(last, 0) if places > 0 else fixed(summary.sd, places)
    return f"{fixed(summary.mean, places)}({inside})"


def plus_minus(summary: Summary, places: int | None = None) -> str:
    """`44.40 ± 0.05`, or with so many decimals; what is known is only its value."""
    if summary.fixed:
        return f"{summary.mean:.6g}"
    places = decimals(summary.sd) if places is None else places
    return f"{fixed(summary.mean, places)} ± {fixed(summary.sd, places)}"


def interval(summary: Summary) -> str:
    """`[44.31, 44.49]`: 95 % of the posterior, equal tails."""
    if summary.fixed:
        return ""
    places = decimals(summary.sd)
    return f"[{fixed(summary.low, places)}, {fixed(summary.high, places)}]"


def short(value: float | None, digits: int = 4) -> str:
    """A diagnostic figure in few digits, `–` where there is none."""
    if value is None or not isfinite(value):
        return "–"
    return f"{value:.{digits}g}"


def finite(value: float | None) -> float | None:
    """`value`, None where it is not a number that JSON has."""
    return float(value) if value is not None and isfinite(value) else None
