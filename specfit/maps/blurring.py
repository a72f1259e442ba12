"""Spectra without structure finer than a width: what is not negative, blurred.

A smooth spectrum is  S_m = sum_i h_i G_im  with h >= 0 and a normal kernel G of that full
width at half maximum, each row of unit area: what an instrument of that resolution could
have seen (the sieve of Snyder & Miller, IEEE Trans. Nucl. Sci. NS-32, 3864, 1985).
Instead of a penalty of differences, whose strength has no unit of its own and which lets
a narrow line stand if it is strong enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from specfit.maps.found import Array

PER_SD = 2.0 * np.sqrt(2.0 * np.log(2.0))  # full width at half maximum
RIDGE = 1e-7
ALIKE = 0.985
"""Cosine of normal curves a quarter of their standard deviation apart: mixtures of these
are those of all between to a few parts in ten thousand."""


@dataclass(frozen=True)
class Blur:
    """Kernels (M, M) of the components, None of one that is not smooth.

    Rows beyond the kernels, those of a background, are left as they are.
    """

    kernels: tuple[Array | None, ...] = ()

    def __bool__(self) -> bool:
        """Is any component smooth?"""
        return any(kernel is not None for kernel in self.kernels)

    def of(self, k: int) -> Array | None:
        """The kernel of component k."""
        return self.kernels[k] if k < len(self.kernels) else None

    def made(self, latent: Array) -> Array:
        """Spectra (L, M) of what is blurred (L, M)."""
        return self._each(latent, lambda row, kernel: row @ kernel)

    def back(self, growth: Array) -> Array:
        """By how much what is blurred should grow, if spectra should by so much."""
        return self._each(growth, lambda row, kernel: kernel @ row)

    def _each(self, rows: Array, by: Callable[[Array, Array], Array]) -> Array:
        if not self:
            return rows
        found = rows.copy()
        for k, kernel in enumerate(self.kernels):
            if kernel is not None:
                found[k] = by(rows[k], kernel)
        return found

    def nearest(self, spectra: Array) -> Array:
        """What blurred comes nearest to spectra (L, M), in squares over counts."""
        latent = spectra.copy()
        for k, kernel in enumerate(self.kernels):
            if kernel is not None:
                row = spectra[k]
                found = closest(row[None], row + 1e-3 * row.mean(), kernel)[0]
                # what is blurred is sought further by factors: none is quite zero
                latent[k] = np.maximum(found[0], 1e-9 * found.max())
        return latent


SHARP = Blur()


def blur(widths: Sequence[float], places: Array) -> Blur:
    """The blur of components of such full widths, 0 of one that is not smooth.

    `places` (M,) of the channels, in the unit of the widths.
    """
    made = {width: kernel(width, places) for width in set(widths) if width > 0}
    return Blur(tuple(made.get(width) for width in widths))


def kernel(width: float, places: Array) -> Array:
    """The normal kernel (M, M) of a full width at half maximum, each row of unit area."""
    away = (places[:, None] - places[None]) / (width / PER_SD)
    rows = np.exp(-0.5 * away**2)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def smoothest(moved: Array, mean: Array, by: Array) -> tuple[Array, Array]:
    """The nearest smooth spectra (T, M) to spectra (T, M), and the squares (T,) between.

    Squares in a channel are divided by its `mean` (M,).
    """
    latent, squares = closest(moved, mean, by)
    return latent @ by, squares


def closest(moved: Array, mean: Array, by: Array) -> tuple[Array, Array]:
    """What the nearest smooth spectra (T, M) are blurred from, and the squares (T,).

    Exactly, by non-negative least squares (Lawson & Hanson, 1974): of millions of counts
    the least rest would count.
    """
    rows = _apart(by)
    scale = 1.0 / np.sqrt(mean)
    axes, matrix = np.linalg.qr((by[rows] * scale).T)
    target = moved * scale
    inside = target @ axes
    size = matrix.shape[1]
    # a trace of a ridge: curves nearly the same would be exchanged without end
    held = np.vstack([matrix, RIDGE * np.linalg.norm(matrix) * np.eye(size)])
    padded = np.pad(inside, ((0, 0), (0, size)))
    latent = np.zeros((len(moved), len(by)))
    latent[:, rows] = [nnls(held, row, maxiter=100 * size)[0] for row in padded]
    left = np.sum((latent[:, rows] @ matrix.T - inside) ** 2, axis=1)
    beside = np.sum((target - inside @ axes.T) ** 2, axis=1)
    return latent, left + beside


def _apart(by: Array) -> NDArray[np.int64]:
    """Rows of a kernel that stand for the rest: each less than `ALIKE` the one before."""
    unit = by / np.linalg.norm(by, axis=1, keepdims=True)
    found = [0]
    for row in range(1, len(by)):
        if unit[row] @ unit[found[-1]] < ALIKE or row == len(by) - 1:
            found.append(row)
    return np.array(found)
