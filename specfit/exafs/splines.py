"""Cubic splines through tables, continued beyond their ends, in any array module."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfit.scattering import FloatArray

FEWEST = 4
"""Points that a spline without free ends needs."""


def spline(x: FloatArray, y: FloatArray) -> FloatArray:
    """Coefficients (4, n) of the cubic spline through n points, lowest power first.

    Its third derivative does not jump at the second and the last but one point ("not a
    knot"): the interpolating spline of FITPACK, which xraylarch uses.  Column i holds
    from x_i on, the last one beyond the end.

    Source: C. de Boor, A Practical Guide to Splines (1978), ch. IV.
    """
    step = np.diff(x)
    slope = np.diff(y) / step
    n = len(x)
    system, right = np.zeros((n, n)), np.zeros(n)
    inner = np.arange(1, n - 1)
    system[inner, inner - 1] = step[:-1]
    system[inner, inner] = 2.0 * (step[:-1] + step[1:])
    system[inner, inner + 1] = step[1:]
    right[1:-1] = 6.0 * np.diff(slope)
    system[0, :3] = step[1], -(step[0] + step[1]), step[0]
    system[-1, -3:] = step[-1], -(step[-2] + step[-1]), step[-2]
    second = np.linalg.solve(system, right)
    cubic = np.diff(second) / (6.0 * step)
    linear = slope - step * (2.0 * second[:-1] + second[1:]) / 6.0
    inside = np.stack([y[:-1], linear, 0.5 * second[:-1], cubic])
    return np.concatenate([inside, _continued(inside[:, -1], step[-1])], axis=1)


def _continued(last: FloatArray, step: float) -> FloatArray:
    """The last cubic about the end of its interval, (4, 1)."""
    a, b, c, d = last
    value = a + step * (b + step * (c + step * d))
    slope = b + step * (2.0 * c + 3.0 * step * d)
    return np.array([[value], [slope], [c + 3.0 * step * d], [d]])


def evaluated(xp: Any, knots: Any, coefficients: Any, at: Any) -> Any:
    """Splines on common knots (n,) at `at` (m,): (n_splines, m).

    coefficients: (n_splines, 4, n).
    """
    place = xp.clip(xp.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 1)
    t = at - knots[place]
    a, b, c, d = (coefficients[:, power, place] for power in range(4))
    return a + t * (b + t * (c + t * d))
