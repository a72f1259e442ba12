"""The transmission integral: what a thick absorber takes out of a source line.

    D(v) = ∫ L(E − v; Γ_s) [1 − exp(−τ(E))] dE

with the optical depth τ of the absorber on a grid of energies, in mm/s, and the source
line L of unit area.  The integrand is known at evenly spaced energies, where the sum of
an analytic function converges exponentially; the convolution with a Lorentzian is a
product with exp(−|k| Γ_s / 2) of its Fourier transform.  What the periodic transform
adds from its images is taken off in closed form, about the centre of what is absorbed.

Valid for: Γ ≥ 0.097 mm/s of source and absorber.  D is then right to 5e-6 for total
thicknesses up to 30 (against adaptive quadrature).

Source: S. Margulies, J. R. Ehrman, Nucl. Instrum. Methods 12, 131 (1961),
doi:10.1016/0029-554X(61)90122-5; the Fourier way: T. E. Cranshaw, J. Phys. E 7, 122 (1974).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.fft import next_fast_len

from specfit.contracts import Array, FloatArray

STEP = 0.02
"""Distance of the energies, mm/s: a fifth of the narrowest line."""
LEAST = 32.0
"""Length of the grid at least, mm/s: every line of iron has its place on it."""
FINER = 2
"""How much finer the smoothed curve is known, before it is read off between its points."""
NODES = 8
"""Points of the polynomial by which it is read off; the error is 1e-6 of the depth."""


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


def energies(limit: float, step: float = STEP) -> Energies:
    """The grid for velocities up to `limit`, mm/s; its number of points is even."""
    length = max(2.4 * limit + 8.0, LEAST)
    return Energies(2 * next_fast_len(math.ceil(0.5 * length / step), real=True), step)


def smeared(taken: Array, grid: Energies, fwhm: Array, at: Array) -> Array:
    """∫ L(E − v; fwhm) taken(E) dE at velocities `at` (n_velocities,).

    taken: (n,) on the grid; fwhm: of the source, mm/s.
    """
    wave = 2.0 * np.pi * np.fft.rfftfreq(grid.n, grid.step)
    spectrum = jnp.fft.rfft(taken) * jnp.exp(-0.5 * wave * fwhm)
    finer = Energies(FINER * grid.n, grid.step / FINER)
    curve = jnp.fft.irfft(FINER * spectrum, finer.n)
    taken = grid.step * taken
    return read_off(curve, finer, at) - images(
        moments(taken, grid.values), fwhm, grid, at
    )


class Moments(NamedTuple):
    """Sum of weights, their centre, and their variance about it."""

    total: Array
    centre: Array
    variance: Array


def moments(weight: Array, place: Array | FloatArray) -> Moments:
    """The moments of weights at places, all (n,)."""
    total = jnp.sum(weight)
    share = weight / jnp.where(total > 0.0, total, 1.0)
    centre = jnp.sum(share * place)
    return Moments(total, centre, jnp.sum(share * (place - centre) ** 2))


def images(of: Moments, fwhm: Array, grid: Energies, at: Array) -> Array:
    """What the repetitions of an absorption add: Σ_{m≠0} A Γ / 2π (x + m L)².

    x is taken from the centre, and half the variance times the second derivative added.
    """
    unit = math.pi / grid.length
    angle = unit * (at - of.centre)
    small = jnp.abs(angle) < 0.1
    safe = jnp.where(small, 1.0, angle)
    sine = 1.0 / jnp.sin(safe) ** 2
    near, far = angle**2, 1.0 / safe**2
    series = 1.0 / 3.0 + near / 15.0 + near**2 * (2.0 / 189.0)
    value = jnp.where(small, series, sine - far)
    series = 2.0 / 15.0 + near * (24.0 / 189.0) + near**2 * (2.0 / 45.0)
    closed = 6.0 * (sine - far) * (sine + far) - 4.0 * sine
    second = jnp.where(small, series, closed)
    spread = 0.5 * of.variance * unit**2
    return of.total * fwhm * (0.5 * unit / grid.length) * (value + spread * second)


def read_off(curve: Array, grid: Energies, at: Array) -> Array:
    """A curve on a grid, by a polynomial through the nearest points."""
    index, weights = neighbours(grid, at)
    return jnp.sum(curve[index % len(curve)] * weights, axis=1)


def neighbours(grid: Energies, at: Array) -> tuple[Array, Array]:
    """The points of the grid about each place, and their weights: (n, NODES)."""
    place = (at - grid.values[0]) / grid.step
    first = jax.lax.stop_gradient(jnp.floor(place)) - (NODES // 2 - 1)
    distance = (place - first)[:, None] - np.arange(NODES)
    weights = []
    for node in range(NODES):
        others = [k for k in range(NODES) if k != node]
        scale = math.prod(node - k for k in others)
        weights.append(jnp.prod(distance[:, np.array(others)], axis=1) / scale)
    return first.astype(int)[:, None] + np.arange(NODES), jnp.stack(weights, axis=1)


def absorbed(depth: Array) -> Array:
    """(1 − exp(−τ)) / τ: of what an infinitely thin absorber would take, the share taken."""
    thin = depth < 1e-6
    safe = jnp.where(thin, 1.0, depth)
    return jnp.where(thin, 1.0 - 0.5 * depth, -jnp.expm1(-safe) / safe)
