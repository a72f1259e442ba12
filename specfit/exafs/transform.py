"""χ(k) over distances: the Fourier transform that EXAFS is looked at in."""

from __future__ import annotations

import numpy as np

from specfit.scattering import FloatArray

EDGE = 1.0
"""1/Å over which the window of the transform rises and falls."""


def over_distance(
    k: FloatArray, chi: FloatArray, R: FloatArray, power: float
) -> FloatArray:
    """The transform of k^power χ(k) at R (m,) Å, complex (…, m), 1/Å^(power + 1).

    π^−½ ∫ w(k) k^power χ(k) e^{2ikR} dk with a Hann window w, by the trapezoid rule,
    for χ (…, n) on any grid k (n,): the convention of IFEFFIT and xraylarch.

    Source: D. E. Sayers, E. A. Stern, F. W. Lytle, Phys. Rev. Lett. 27, 1204 (1971),
    doi:10.1103/PhysRevLett.27.1204.
    """
    width = min(EDGE, 0.5 * float(np.ptp(k)))
    inside = np.minimum(k - k[0], k[-1] - k) / width
    window = np.sin(0.5 * np.pi * np.clip(inside, 0.0, 1.0)) ** 2
    spacing = np.gradient(k)
    spacing[[0, -1]] *= 0.5
    kernel = np.exp(2j * np.outer(k, R)) * (window * spacing * k**power)[:, None]
    transformed: FloatArray = chi @ kernel / np.sqrt(np.pi)
    return transformed
