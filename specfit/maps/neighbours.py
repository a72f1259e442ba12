"""Weights of neighbouring pixels held together: a Gaussian field over the image.

Added to the log-posterior of the weights is  -sum_k stiff_k sum (C_nk - C_mk)^2 / 2  over
pairs of neighbours n, m that both hold something (an intrinsic field of first order:
Besag & Kooperberg, Biometrika 82, 733, 1995). The best weights are found by Newton's
steps, with weights at zero that would fall held there (Bertsekas, SIAM J. Control Optim.
20, 221, 1982), the marginal errors by draws of the field (Papandreou & Yuille, NIPS 2010);
both by conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from specfit.maps.found import Array

STEPS = 40
LENGTHS = (1.0, 0.5, 0.2, 0.05, 0.01)  # of a step that are tried
RISE = 1e-6  # of the log-posterior of a pixel, below which it is done
NEAR = 1e-4  # of a pixel's weights: one below that is at zero if it would fall
DRAWS = 64  # of the field: a standard deviation is known to 9 %
SOLVED, MOST = 1e-5, 1000
Look = Callable[[Array], tuple[Array, Array, Array]]


@dataclass(frozen=True)
class Field:
    """Which pixels are neighbours, `apart` (pairs, N), and how stiff (L,) each map is."""

    apart: Any
    stiff: Array

    @property
    def degree(self) -> Array:
        """Neighbours (N,) of every pixel."""
        return np.asarray(abs(self.apart).sum(axis=0)).ravel()

    def pulled(self, values: Array) -> Array:
        """What holds values (N, L, …) back."""
        flat = values.reshape(len(values), -1)
        found = self.apart.T @ (self.apart @ flat)
        stiff = self.stiff.reshape(-1, *[1] * (values.ndim - 2))
        return np.asarray(found.reshape(values.shape) * stiff)

    def cost(self, values: Array) -> float:
        """Half of the stiff squares between neighbours, of values (N, L)."""
        return 0.5 * float(np.sum((self.apart @ values) ** 2 @ self.stiff))


def field(
    filled: NDArray[np.bool_], grid: tuple[int, int] | None, stiff: Array
) -> Field:
    """The field over the pixels of a grid (rows, columns) that hold something."""
    n = filled.size
    shape = grid if grid is not None and grid[0] * grid[1] == n else (1, n)
    place = np.arange(n).reshape(shape)
    along = [(place[:, :-1], place[:, 1:]), (place[:-1], place[1:])]
    ends = np.stack([np.concatenate([p[i].ravel() for p in along]) for i in (0, 1)])
    one, other = ends[:, filled[ends].all(axis=0)]
    rows, size = np.arange(one.size), np.ones(one.size)
    at = np.concatenate([rows, rows]), np.concatenate([one, other])
    apart = csr_array((np.concatenate([size, -size]), at), shape=(one.size, n))
    return Field(apart, stiff)


def solved(of: Field, curve: Array, right: Array, free: NDArray[np.bool_]) -> Array:
    """Solutions (N, L, D) of (curve + field) u = right among weights `free` (N, L).

    `curve` (N, L, L). Conjugate gradients, each pixel by itself as a first guess of the
    inverse.
    """
    eye = np.eye(curve.shape[1])
    own = curve + eye * (of.degree[:, None] * of.stiff)[:, None]
    both = free[:, :, None] & free[:, None]
    own = np.where(both, own, eye)
    scale = np.sqrt(np.einsum("nkk->nk", own))
    even = own / (scale[:, :, None] * scale[:, None]) + 1e-10 * eye
    guess = np.linalg.inv(even) / (scale[:, :, None] * scale[:, None])
    held = free[..., None]
    left = np.where(held, right, 0.0)
    found, last = np.zeros_like(left), np.ones(left.shape[2])
    ahead, enough = np.zeros_like(left), 0.0
    for turn in range(MOST):
        near = np.einsum("nkl,nld->nkd", guess, left)
        size = np.sum(left * near, axis=(0, 1))
        enough = float(size.max()) * SOLVED**2 if turn == 0 else enough
        if size.max() <= enough:
            break
        ahead = near + size / last * ahead if turn else near
        bent = np.einsum("nkl,nld->nkd", curve, ahead) + of.pulled(ahead)
        bent = np.where(held, bent, 0.0)
        step = size / np.maximum(np.sum(ahead * bent, axis=(0, 1)), 1e-300)
        found, left, last = found + step * ahead, left - step * bent, size
        last = np.maximum(last, 1e-300)
    return found


def evened(look: Look, c: Array, of: Field, least: Array) -> tuple[Array, int]:
    """The best weights (N, L) with their neighbours, and how many pixels still rise.

    `look` gives the log-posterior (N,) of weights without the field, its slope (N, L)
    and its curvature (N, L, L). No step lowers the sum. `least` (L,) is the share of a
    weight that a step leaves of it at least.
    """
    total = NEAR * c.sum(axis=1, keepdims=True)
    height, slope, curve = look(c)
    now = float(height.sum()) - of.cost(c)
    rise = np.full(len(c), np.inf)
    for _ in range(STEPS):
        slope = slope - of.pulled(c)
        held = (c <= total) & (slope < 0.0)
        size = np.einsum("nkk->nk", curve) + of.degree[:, None] * of.stiff
        step = solved(of, curve, slope[..., None], ~held)[..., 0]
        step = np.where(held, slope / np.maximum(size, 1e-300), step)
        rise = 0.5 * np.sum(slope * np.where(held, 0.0, step), axis=1)
        if rise.sum() <= RISE * len(c):
            return c, 0
        for length in LENGTHS:
            tried = np.maximum(c + length * step, least * c)
            height, slope, curve = look(tried)
            reached = float(height.sum()) - of.cost(tried)
            if reached > now:
                c, now = tried, reached
                break
        else:
            break
    return c, int(np.count_nonzero(np.abs(rise) > RISE))


def roughness(of: Field, free: Array, known: Array) -> float:
    """How much neighbours differ by themselves, as a share of a pixel's mean weights.

    Root mean square of weights `free` (N, L) of each pixel alone, their noise taken off.
    """
    own = of.stiff > 0
    noise = np.einsum("nkk->nk", np.linalg.pinv(known, hermitian=True))[:, own]
    apart = (of.apart @ free[:, own]) ** 2 - abs(of.apart) @ noise
    mean = float(free[of.degree > 0][:, own].sum(axis=1).mean()) if len(apart) else 1.0
    return float(np.sqrt(max(apart.mean(), 0.0)) / mean) if len(apart) else 0.0


def spread(of: Field, known: Array) -> Array:
    """Marginal covariances (N, L, L) of weights whose own information is `known`."""
    generator, (n, size) = np.random.default_rng(0), known.shape[:2]
    eye = np.eye(size)
    ridge = 1e-9 * np.trace(known, axis1=1, axis2=2)[:, None, None] + 1e-300
    root = np.linalg.cholesky(known + ridge * eye)
    noise = np.einsum("nkl,nld->nkd", root, generator.normal(size=(n, size, DRAWS)))
    pairs = generator.normal(size=(of.apart.shape[0], size * DRAWS))
    both = (of.apart.T @ pairs).reshape(n, size, DRAWS)
    noise += both * np.sqrt(of.stiff)[:, None]
    drawn = solved(of, known, noise, np.ones((n, size), bool))
    return np.asarray(np.einsum("nkd,nld->nkl", drawn, drawn) / DRAWS)
