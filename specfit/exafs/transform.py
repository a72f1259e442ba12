"""χ(k) over distances: the Fourier transform that EXAFS is looked at in."""

from __future__ import annotations

import numpy as np

from specfit.scattering import FloatArray

EDGE = 1.0
"""1/Å over which the window of the transform rises and falls."""
FAR = (15.0, 25.0)
"""Å; distances at which there is only noise."""


def over_distance(
    k: FloatArray, chi: FloatArray, R: FloatArray, power: float
) -> FloatArray:
    """The transform of k^power χ(k) at R (m,) Å, complex (…, m), 1/Å^(power + 1).

    π^−½ ∫ w(k) k^power χ(k) e^{2ikR} dk with a Hann window w, by the trapezoid rule,
    for χ (…, n) on any grid k (n,): the convention of IFEFFIT and xraylarch.

    Source: D. E. Sayers, E. A. Stern, F. W. Lytle, Phys. Rev. Lett. 27, 1204 (1971),
    doi:10.1103/PhysRevLett.27.1204.
    """
    kernel = np.exp(2j * np.outer(k, R)) * (_window(k) * k**power)[:, None]
    transformed: FloatArray = chi @ kernel / np.sqrt(np.pi)
    return transformed


def far_noise(k: FloatArray, chi: FloatArray) -> float:
    """The standard deviation of white noise in χ, as far distances show it.

    Source: M. Newville, B. I. Boyanov, D. E. Sayers, J. Synchrotron Rad. 6, 264 (1999),
    doi:10.1107/S0909049598018329: nothing scatters back from beyond 15 Å.
    """
    end = 0.5 * np.pi / float(np.max(np.diff(k)))
    R = np.linspace(min(FAR[0], 0.6 * end), min(FAR[1], 0.95 * end), 50)
    power = np.mean(np.abs(over_distance(k, chi, R, 0.0)) ** 2)
    return float(np.sqrt(np.pi * power / np.sum(_window(k) ** 2)))


def _window(k: FloatArray) -> FloatArray:
    """The Hann window over k, with the spacing of its points."""
    width = min(EDGE, 0.5 * float(np.ptp(k)))
    inside = np.minimum(k - k[0], k[-1] - k) / width
    spacing = np.gradient(k)
    spacing[[0, -1]] *= 0.5
    window: FloatArray = np.sin(0.5 * np.pi * np.clip(inside, 0.0, 1.0)) ** 2 * spacing
    return window
