"""χ(k) between two distances, as numbers that are independent of one another.

What: χ is multiplied by the power of k in which its noise is white, and projected on the
functions of k on the measured points that hold at least `WHOLE` of their square between
the two distances (the discrete prolate spheroidal sequences of that band).  They are
orthonormal, so that white noise stays white; there are close to, and never more than,
2 Δk ΔR / π of them, the number of independent points of a filtered spectrum; and what
lies outside the band, the rest of the background below it and further shells above it,
hardly enters.  Each is turned so that it has a distance of its own.

Why: a Fourier transform on a fine grid, or filtered χ on all points of k, are the same few
numbers many times over: a likelihood that takes them for independent has intervals too
narrow by the root of that factor.  Instead of: χ² rescaled by a number of independent
points afterwards, which leaves residuals that are no test.

Sources: D. Slepian, Bell Syst. Tech. J. 57, 1371 (1978),
doi:10.1002/j.1538-7305.1978.tb02104.x; E. A. Stern, Phys. Rev. B 48, 9825 (1993),
doi:10.1103/PhysRevB.48.9825; H. J. Krappe and H. H. Rossner, Phys. Rev. B 61, 6596 (2000),
doi:10.1103/PhysRevB.61.6596.
"""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray

WHOLE = 0.9
"""The share of its square that a function must have inside the band."""
_NODES = 48
"""Of Gauss and Legendre's rule over the band, and one more for each radian it turns by."""


def white(k: FloatArray, power: float) -> FloatArray:
    """The weight k^power, of mean square 1."""
    powers = k**power
    weight: FloatArray = powers / np.sqrt(np.mean(powers**2))
    return weight


def independent(
    k: FloatArray, low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """Rows (n_values, n) on points k (n,) for R in [low, high] Å, and their distances.

    The distances (n_values,) Å rise.
    """
    step = float(np.ptp(k)) / (len(k) - 1)
    waves, shares = _rule(low, high, float(np.ptp(k)))
    turned = np.outer(k - k[len(k) // 2], waves)
    both = np.concatenate([np.cos(turned), np.sin(turned)], axis=1)
    both *= np.sqrt(np.tile(shares, 2) * step / np.pi)
    held, functions = np.linalg.eigh(both @ both.T)
    inside = functions[:, held >= WHOLE]
    part = inside.T @ both
    square = part @ (np.tile(waves, 2) ** 2 * part).T
    _, turn = np.linalg.eigh(square)
    rows = (inside @ turn).T
    content = (rows @ both) ** 2
    distances = 0.5 * np.sqrt(content @ np.tile(waves, 2) ** 2 / content.sum(axis=1))
    order = np.argsort(distances)
    rows = rows[order]
    largest = rows[np.arange(len(rows)), np.argmax(np.abs(rows), axis=1)]
    return rows * np.sign(largest)[:, None], distances[order]


def count(span: float, low: float, high: float) -> float:
    """The number of independent points, 2 Δk ΔR / π."""
    return 2.0 * span * (high - low) / np.pi


def _rule(low: float, high: float, span: float) -> tuple[FloatArray, FloatArray]:
    """Angular frequencies 2R over the band and their shares of it."""
    x, share = np.polynomial.legendre.leggauss(_NODES + int((high - low) * span))
    return (high + low) + (high - low) * x, (high - low) * share
