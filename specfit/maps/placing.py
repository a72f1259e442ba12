"""Where on the axis spectra of a map that drifts stand, which no pixel alone can tell.

All pixels moved one way and all spectra the other are the same counts; only that drifts
are zero on average says where a spectrum stands. So its place is known to the spread of
the drifts over the root of the pixels that show it, and so is that much of every drift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specfit.maps.found import Array, Factorised
from specfit.maps.intervals import normal


def places(fraction: Array, sd: float) -> Array:
    """Covariance (K, K), eV², of the places of spectra, of fractions (N, K) of pixels."""
    own = fraction[np.isfinite(fraction).all(axis=1)]
    return np.asarray(sd**2 * np.linalg.pinv(own.T @ own, hermitian=True))


def widened(
    made: Factorised, slopes: Array, sd: float, step: float, level: float, part: float
) -> Factorised:
    """With what places add to the bands of spectra and to the errors of drifts.

    slopes: (K, M) of the spectra along the axis, 1/eV. sd: of the drifts, and `step`
    between those that are looked at, eV. part: of the pixels that spectra are learned of.
    """
    assert made.drift_sd is not None  # of every map that drifts
    covariance = places(made.fraction, sd) / part
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))[:, None] * np.abs(slopes)
    own = np.nan_to_num(made.fraction)
    moved = np.einsum("nk,kl,nl->n", own, covariance, own) + step**2 / 12.0
    down, up = made.spectra - made.spectra_low, made.spectra_high - made.spectra
    wide = normal(level) * spread
    return replace(
        made,
        spectra_low=np.maximum(made.spectra - np.hypot(down, wide), 0.0),
        spectra_high=made.spectra + np.hypot(up, wide),
        drift_sd=np.sqrt(made.drift_sd**2 + moved),
    )
