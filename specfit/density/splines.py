"""Curves through measured points: natural cubic splines, smooth in the shift too.

A spline through every point states that the points are exact: noise of a basis is not
modelled, and what it leaves is in the noise of the fitted spectrum.  Its second
derivative is continuous, so the density is smooth in the shift; beyond its ends it goes
on as a straight line, so that no shift that a prior allows is without value or gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.contracts import Array, FloatArray


def natural(x: FloatArray, y: FloatArray) -> dict[str, FloatArray]:
    """The natural cubic spline: `knots` (n,), and `coefficients` (4, n − 1).

    In each interval c0 + c1 t + c2 t² + c3 t³, t from its left end.
    """
    h = np.diff(x)
    slope = np.diff(y) / h
    curvature = _tridiagonal(h, 6.0 * np.diff(slope))
    left, right = curvature[:-1], curvature[1:]
    first = slope - h * (2.0 * left + right) / 6.0
    third = (right - left) / (6.0 * h)
    return {
        "knots": np.asarray(x, float),
        "coefficients": np.stack([y[:-1], first, 0.5 * left, third]),
    }


def _tridiagonal(h: FloatArray, right: FloatArray) -> FloatArray:
    """Second derivatives at the knots, zero at both ends (Thomas's algorithm)."""
    n = right.size
    above, value = np.zeros(n), np.zeros(n)
    for i in range(n):
        below = h[i] if i else 0.0
        pivot = 2.0 * (h[i] + h[i + 1]) - below * (above[i - 1] if i else 0.0)
        above[i] = h[i + 1] / pivot
        value[i] = (right[i] - below * (value[i - 1] if i else 0.0)) / pivot
    found = np.zeros(n + 2)
    for i in reversed(range(n)):
        found[i + 1] = value[i] - above[i] * found[i + 2]
    return found


@dataclass(frozen=True)
class Shifted:
    """A spline, to be read at the axis of one spectrum."""

    spline: Mapping[str, Any]
    axis: Array

    def at(self, xp: Any, by: Array) -> Array:
        """Its values where it is moved to higher values of the axis by `by`."""
        knots, c = self.spline["knots"], self.spline["coefficients"]
        wanted = self.axis - by
        inside = xp.clip(wanted, knots[0], knots[-1])
        place = xp.clip(xp.searchsorted(knots, inside) - 1, 0, c.shape[1] - 1)
        t = inside - knots[place]
        c0, c1, c2, c3 = (c[k][place] for k in range(4))
        value = c0 + t * (c1 + t * (c2 + t * c3))
        slope = c1 + t * (2.0 * c2 + 3.0 * t * c3)
        found: Array = value + slope * (wanted - inside)
        return found
