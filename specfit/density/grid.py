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

    def smoothing(self, fwhm: Array, sigma: Array | float = 0.0) -> Array:
        """The transform of a Voigt profile of unit area, without its repetitions.

        The transform of a lone one means itself and the same at every period, of which
        Σ_{m≠0} Γ / 2π (x + m L)², to which the Gaussian adds nothing, is taken off again.
        """
        angle = np.pi * np.fft.ifftshift(self.values) / self.length
        angle[0] = 1.0
        others = np.sin(angle) ** -2 - angle**-2
        others[0] = 1.0 / 3.0
        taken_off = np.fft.rfft(others).real * (0.5 * np.pi / (self.length * self.n))
        wave = 2.0 * np.pi * np.fft.rfftfreq(self.n, self.step)
        fall = 0.5 * wave * (fwhm + wave * sigma**2)
        return jnp.exp(-fall) - taken_off * fwhm

    def filtered(self, points: Array, factor: Array) -> Array:
        """`points` (n,) with the coefficients of their transform times a real `factor`.

        factor: (n / 2 + 1,).  The points go in pairs as complex numbers through a
        transform of half the length: XLA's transforms of reals are complex ones of the
        whole length.  With s the sine of 2π k m / n and c its cosine, F the factor at k
        and G that at n/2 − k, the coefficient Z at k of the pairs becomes
        ½ (F + G − (F − G) s) Z + i ½ (F − G) c Z* of that at n/2 − k.
        """
        half = self.n // 2
        angle = (2.0 * np.pi / self.n) * np.arange(half)
        own, other = factor[:half], factor[:0:-1]
        apart = 0.5 * (own - other)
        kept = 0.5 * (own + other) - np.sin(angle) * apart
        crossed = np.cos(angle) * apart
        pairs = points.reshape(half, 2)
        seen = jnp.fft.fft(jax.lax.complex(pairs[:, 0], pairs[:, 1]))
        real, imaginary = jnp.real(seen), jnp.imag(seen)
        found = jnp.fft.ifft(
            jax.lax.complex(
                kept * real + crossed * _mirrored(imaginary),
                kept * imaginary + crossed * _mirrored(real),
            )
        )
        return jnp.stack([jnp.real(found), jnp.imag(found)], axis=1).ravel()

    @property
    def spline(self) -> FloatArray:
        """The transform of a spline at these wave numbers."""
        cycles = np.fft.rfftfreq(self.n)
        return np.asarray(np.sinc(cycles) ** (DEGREE + 1), dtype=float)


def _mirrored(part: Array) -> Array:
    """What stands at −k, of a transform."""
    return jnp.concatenate([part[:1], part[:0:-1]])


def energies(limit: float, step: float) -> Energies:
    """The grid for velocities up to `limit`, mm/s; its number of points is even."""
    length = 2.0 * (limit + max(FURTHEST, INSIDE * limit))
    return Energies(2 * next_fast_len(math.ceil(0.5 * length / step), real=True), step)


def read_off(heights: Array, grid: Energies, at: Array) -> Array:
    """Σ of splines of these `heights` (n,), at the places `at` (n_places,)."""
    first, part = _between(grid, at)
    weights = _splines(jnp.ones_like(part), part)
    found: Array = jnp.sum(weights * _windows(heights, first), axis=1)
    return found


def laid(amount: Array, grid: Energies, at: Array) -> Array:
    """`amount` at the places `at`, both (n_places,), spread over the points (n,)."""
    first, part = _between(grid, at)
    empty = jnp.zeros(grid.n, amount.dtype)
    spread = jax.linear_transpose(lambda x: _windows(x, first), empty)
    (found,) = spread(_splines(amount, part))
    points: Array = found
    return points


def _between(grid: Energies, at: Array) -> tuple[Array, Array]:
    """The first of the points whose splines reach a place, and its part of a step."""
    place = at / grid.step + (grid.n // 2 - DEGREE // 2)
    place = place - grid.n * jnp.floor(place / grid.n)
    first = jax.lax.stop_gradient(jnp.floor(place))
    return first.astype(jnp.int32), place - first


def _windows(heights: Array, first: Array) -> Array:
    """The heights that count from each `first` on, (n_places, DEGREE + 1)."""
    around = jnp.concatenate([heights, heights[: DEGREE + 1]])
    return jax.vmap(lambda i: jax.lax.dynamic_slice(around, (i,), (DEGREE + 1,)))(first)


def _polynomials() -> FloatArray:
    """Each spline that reaches a step, there: a row of coefficients of rising powers.

    By the recursion of Cox and de Boor.
    """
    rows, none = [np.ones(1)], np.zeros(1)
    for degree in range(1, DEGREE + 1):
        pairs = zip([none, *rows], [*rows, none], strict=True)
        rows = [
            polyadd(
                polymul([degree - node, 1.0], left), polymul([node + 1.0, -1.0], right)
            )
            / degree
            for node, (left, right) in enumerate(pairs)
        ]
    return np.array(rows)


_POLYNOMIALS = _polynomials()


def _splines(amount: Array, part: Array) -> Array:
    """`amount` × the splines that reach a place, (n_places, DEGREE + 1).

    Powers first and then a product with a matrix: written out in one, XLA would compute
    all that leads to a place anew for every spline, and several times for the gradient.
    """
    powers = [amount]
    for _ in range(DEGREE):
        powers.append(powers[-1] * part)
    return jnp.stack(powers).T @ jnp.asarray(_POLYNOMIALS.T)
