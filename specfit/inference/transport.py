"""A map learned from weighted draws that makes a posterior more nearly spherical.

Coordinate after coordinate, softest first, u_i = m_i + s_i · sinh(δ_i (asinh v_i + ε_i)):
place m_i and the logarithm of the scale s_i are polynomials of the v before, ε leans and
δ stretches (C. Jones, A. Pewsey, Biometrika 96, 761 (2009), doi:10.1093/biomet/asp053).
Each row is the regression of largest likelihood of weighted draws, so that the map brings
a normal nearest to the posterior in the sense of Kullback and Leibler; draws made through
it have better weights, from which a better one is learned (O. Cappé et al., Stat. Comput.
18, 447 (2008), doi:10.1007/s11222-008-9059-x; triangular maps: T. El Moselhy, Y. Marzouk,
J. Comput. Phys. 231, 7815 (2012), doi:10.1016/j.jcp.2012.07.022).
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from specfit.contracts import Array, FloatArray

FAR = 4.0
"""Standard deviations beyond which a coordinate moves the others no further."""
BENDING = {2: 6, 3: 3}
"""Of how many of the softest coordinates there are terms of this degree."""
MOST = 1.5
"""By how much the coordinates before may change the logarithm of a scale."""
RIDGE = 20.0
"""Draws' worth of belief that nothing needs to be moved."""
HEAVIEST = 0.5
"""Share of one draw that counts at most, over the inverse root of their number (truncated
weights: E. L. Ionides, J. Comput. Graph. Stat. 17, 295 (2008))."""
LIGHTEST = 12.0
"""Nats below the heaviest at which a draw teaches nothing."""


class Transport(NamedTuple):
    """u = forward(v): v spherical, rows (n, dimension); see the module.

    place, scale: (dimension, n_terms), zero where a term has a coordinate not before;
    lean, stretch: (dimension,).
    """

    place: Any
    scale: Any
    lean: Any
    stretch: Any

    def forward(self, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Moved rows, and the logarithm of the determinant of what moved them."""
        x = terms(v)
        t = self.stretch * (np.arcsinh(v) + self.lean)
        log_scale = _log_scale(self.scale, x)
        u = x @ self.place.T + np.exp(log_scale) * np.sinh(t)
        return u, np.sum(log_scale + _log_slope(v, t, self.stretch), axis=1)

    def inverse(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What `forward` moves to the rows of `u`, and its determinant there."""
        v, volume = np.zeros_like(u), np.zeros(len(u))
        for i in range(u.shape[1]):
            x = terms(v[:, :i], u.shape[1])
            log_scale = _log_scale(self.scale[i], x)
            t = np.arcsinh((u[:, i] - x @ self.place[i]) * np.exp(-log_scale))
            v[:, i] = np.sinh(t / self.stretch[i] - self.lean[i])
            volume += log_scale + _log_slope(v[:, i], t, self.stretch[i])
        return v, volume

    def traced(self, v: Array) -> tuple[Array, Array]:
        """`forward` of one row (dimension,), in JAX."""
        near = jnp.append(jnp.clip(v, -FAR, FAR), 1.0)
        x = jnp.prod(near[powers(v.shape[0])], axis=1)
        t = self.stretch * (jnp.arcsinh(v) + self.lean)
        change = jnp.clip(self.scale[:, 1:] @ x[1:], -MOST, MOST)
        log_scale = self.scale[:, 0] + change
        slope = jnp.log(self.stretch * jnp.cosh(t)) - 0.5 * jnp.log1p(v**2)
        u = self.place @ x + jnp.exp(log_scale) * jnp.sinh(t)
        return u, jnp.sum(log_scale + slope)


def unmoved(dimension: int) -> Transport:
    """The map that moves nothing."""
    nothing = np.zeros((dimension, len(powers(dimension))))
    return Transport(nothing, nothing, np.zeros(dimension), np.ones(dimension))


@cache
def powers(dimension: int) -> Any:
    """Which coordinates each term is the product of (n_terms, 3); `dimension` is none."""
    rows: list[tuple[int, ...]] = [(), *((i,) for i in range(dimension))]
    for degree, softest in BENDING.items():
        among = range(min(dimension, softest))
        rows += combinations_with_replacement(among, degree)
    most = max(BENDING)
    return np.array([row + (dimension,) * (most - len(row)) for row in rows])


def terms(v: FloatArray, dimension: int = 0) -> FloatArray:
    """The terms (n, n_terms) of the rows of `v`; coordinates it lacks are zero."""
    dimension = dimension or v.shape[1]
    near = np.zeros((len(v), dimension + 1))
    near[:, : v.shape[1]] = np.clip(v, -FAR, FAR)
    near[:, dimension] = 1.0
    one, two, three = powers(dimension).T
    columns: FloatArray = near[:, one] * near[:, two] * near[:, three]
    return columns


def learned(u: FloatArray, log_weights: FloatArray) -> Transport:
    """The map that brings a normal nearest to the rows of `u` (n, d) with their weights."""
    told = np.flatnonzero(log_weights > log_weights.max() - LIGHTEST)
    u, weights = u[told], np.exp(log_weights[told] - log_weights.max())
    weights /= weights.sum()
    weights = np.minimum(weights, HEAVIEST / np.sqrt(len(log_weights)))
    weights /= weights.sum()
    ridge = RIDGE * float(np.sum(weights**2))
    dimension = u.shape[1]
    last = np.where(powers(dimension) < dimension, powers(dimension), -1).max(axis=1)
    v = np.zeros_like(u)
    place, scale = (np.zeros((dimension, len(last))) for _ in range(2))
    lean, stretch = np.zeros(dimension), np.ones(dimension)
    for i in range(dimension):
        x = terms(v[:, :i], dimension)
        known = last < i
        found = _row(u[:, i], x[:, known], weights, ridge)
        half = known.sum()
        place[i, known], scale[i, known] = found[:half], found[half:-2]
        lean[i], stretch[i] = found[-2], np.exp(found[-1])
        log_scale = _log_scale(scale[i], x)
        t = np.arcsinh((u[:, i] - x @ place[i]) * np.exp(-log_scale))
        v[:, i] = np.sinh(t / stretch[i] - lean[i])
    return Transport(place, scale, lean, stretch)


def _row(y: FloatArray, x: FloatArray, weights: FloatArray, ridge: float) -> FloatArray:
    """The regression of y (n,) on the terms x (n, n_terms), in one vector.

    Coefficients of place and of scale, lean, and the logarithm of the stretch.
    """
    n_terms = x.shape[1]
    free = np.ones(2 * n_terms + 2)
    free[[0, n_terms]] = 0.0  # where all stand and how wide: known without belief

    def loss(p: FloatArray) -> tuple[float, FloatArray]:
        scale, stretch = p[n_terms:-2], np.exp(p[-1])
        log_scale = _log_scale(scale, x)
        felt = np.abs(x[:, 1:] @ scale[1:]) < MOST
        shrink = np.exp(-log_scale)
        g = (y - x @ p[:n_terms]) * shrink
        t = np.arcsinh(g)
        v = np.sinh(t / stretch - p[-2])
        rise = np.sqrt(1.0 + v**2)
        height = np.log(rise) - 0.5 * (v**2 + np.log1p(g**2)) - log_scale - p[-1]
        by_a = v / rise - v * rise
        by_g = by_a / (stretch * np.sqrt(1.0 + g**2)) - g / (1.0 + g**2)
        by_scale = -weights * (by_g * g + 1.0)
        uphill = np.concatenate(
            [
                (-weights * by_g * shrink) @ x,
                [by_scale.sum()],
                (felt * by_scale) @ x[:, 1:],
                [-weights @ by_a, -weights @ (by_a * t / stretch + 1.0)],
            ]
        )
        value = 0.5 * ridge * np.sum(free * p**2) - weights @ height
        if not np.isfinite(value):  # a step too far of the line search
            return 1e10, np.zeros_like(p)
        return float(value), ridge * free * p - uphill

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        best = minimize(loss, np.zeros(len(free)), jac=True, method="L-BFGS-B").x
    found: FloatArray = best
    return found


def _log_scale(scale: FloatArray, x: FloatArray) -> FloatArray:
    """Logarithms of the scales at the terms x (n, n_terms): (n,), or (n, rows)."""
    change = np.clip(x[:, 1:] @ scale[..., 1:].T, -MOST, MOST)
    found: FloatArray = scale[..., 0] + change
    return found


def _log_slope(v: FloatArray, t: FloatArray, stretch: FloatArray) -> FloatArray:
    """Log of d sinh(t) / dv with t = stretch · (asinh v + lean)."""
    slope: FloatArray = np.log(stretch * np.cosh(t)) - 0.5 * np.log1p(v**2)
    return slope
