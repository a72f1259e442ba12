"""A periodic grid of energies, and what stands between its points: splines.

A curve known by its Fourier coefficients is read off anywhere as a sum of B-splines, one
at each point, whose heights are the curve with each coefficient divided by `spline`, the
transform of one.  What stands anywhere is laid on the grid by the same weights.  What the
splines add at the grid's other frequencies is small where the coefficients have fallen off
before the highest.

Source: M. Unser, IEEE Signal Process. Mag. 16, 22 (1999), doi:10.1109/79.799930.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial.polynomial import polyadd, polymul
from scipy.fft import next_fast_len

from specfit.contracts import Array, FloatArray

FURTHEST = 8.5
"""How far from zero (mm/s) what absorbs may stand: the outer lines in 50 T.  What stands
further out is seen 1e-5 of its height wrong, at the other end of the spectrum."""
INSIDE = 0.85
"""The same in parts of the highest velocity, where that is more."""
DEGREE = 5
"""Of the splines, which reach over one point more."""


class Energies(NamedTuple):
    """A grid of energies: `n` of them, `step` apart (mm/s), about zero."""

    n: int
    step: float

    @property
    def length(self) -> float:
        """The period of the transform, mm/s."""
        return self.n * self.step

    @property
    def values(self) -> FloatArray:
        """The energies (n,), mm/s."""
        return np.asarray((np.arange(self.n) - self.n // 2) * self.step, dtype=float)

    def smoothing(self, fwhm: Array) -> Array:
        """The transform of a Lorentzian of unit area, without its repetitions.

        The transform of a lone one means itself and the same at every period, of which
        Σ_{m≠0} Γ / 2π (x + m L)² is taken off again.
        """
        angle = np.pi * np.fft.ifftshift(self.values) / self.length
        angle[0] = 1.0
        others = np.sin(angle) ** -2 - angle**-2
        others[0] = 1.0 / 3.0
        taken_off = np.fft.rfft(others).real * (0.5 * np.pi / (self.length * self.n))
        wave = 2.0 * np.pi * np.fft.rfftfreq(self.n, self.step)
        return jnp.exp(-0.5 * wave * fwhm) - taken_off * fwhm

    @property
    def spline(self) -> FloatArray:
        """The transform of a spline at these wave numbers."""
        cycles = np.fft.rfftfreq(self.n)
        return np.asarray(np.sinc(cycles) ** (DEGREE + 1), dtype=float)


def energies(limit: float, step: float) -> Energies:
    """The grid for velocities up to `limit`, mm/s; its number of points is even."""
    length = 2.0 * (limit + max(FURTHEST, INSIDE * limit))
    return Energies(2 * next_fast_len(math.ceil(0.5 * length / step), real=True), step)


def read_off(heights: Array, grid: Energies, at: Array) -> Array:
    """Σ of splines of these `heights` (n,), at the places `at` (n_places,)."""
    first, part = _between(grid, at)
    found: Array = jnp.sum(_splines(part) * _windows(heights, first), axis=1)
    return found


def laid(amount: Array, grid: Energies, at: Array) -> Array:
    """`amount` at the places `at`, both (n_places,), spread over the points (n,)."""
    first, part = _between(grid, at)
    empty = jax.ShapeDtypeStruct((grid.n,), amount.dtype)
    spread = jax.linear_transpose(lambda x: _windows(x, first), empty)
    (found,) = spread(amount[:, None] * _splines(part))
    points: Array = found
    return points


def _between(grid: Energies, at: Array) -> tuple[Array, Array]:
    """The first of the points whose splines reach each place; the part of a step beyond.

    The part is that beyond the middle ones of the points.
    """
    at = jax.lax.optimization_barrier(at)
    place = at / grid.step + (grid.n // 2 - DEGREE // 2)
    place = place - grid.n * jnp.floor(place / grid.n)
    first = jax.lax.stop_gradient(jnp.floor(place))
    return first.astype(jnp.int32), place - first


def _windows(heights: Array, first: Array) -> Array:
    """The heights that count from each `first` on, (n_places, DEGREE + 1)."""
    around = jnp.concatenate([heights, heights[: DEGREE + 1]])
    return jax.vmap(lambda i: jax.lax.dynamic_slice(around, (i,), (DEGREE + 1,)))(first)


def _powers() -> FloatArray:
    """Each spline, where it passes a step, as a polynomial: a row, rising powers.

    Cox and de Boor's recursion.
    """
    rows = [np.array([1.0])]
    for degree in range(1, DEGREE + 1):
        pairs = zip([np.zeros(1), *rows], [*rows, np.zeros(1)], strict=True)
        rows = [
            polyadd(
                polymul([degree - node, 1.0], left), polymul([node + 1.0, -1.0], right)
            )
            / degree
            for node, (left, right) in enumerate(pairs)
        ]
    return np.array(rows)


_POWERS = _powers()


@jax.custom_jvp
def _splines(part: Array) -> Array:
    """The splines at a part of a step beyond the middle points, (n_places, DEGREE + 1)."""
    return _polynomials(_POWERS, part)


@_splines.defjvp
def _slopes(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (part,), (change,) = primals, tangents
    slopes = _polynomials(_POWERS[:, 1:] * np.arange(1, DEGREE + 1), part)
    return _splines(part), slopes * change[:, None]


def _polynomials(rows: FloatArray, part: Array) -> Array:
    total = jnp.zeros((len(rows), len(part)))
    for power in rows.T[::-1]:
        total = total * part + power[:, None]
    return jax.lax.optimization_barrier(total.T)
