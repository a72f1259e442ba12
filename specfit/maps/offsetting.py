"""By how much the axis of a map is off, roughly: where its sums look like the curves.

Curves and spectra of a map are each a good guess of the other once they stand at the same
energies; an electron volt apart the edge of one phase is that of another. So the offset
is looked for before anything else, all over its prior, in sums of pixels.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from specfit.maps import starts
from specfit.maps.found import Array

GROUPS = 24  # sums of pixels
APART = 0.25
"""Standard deviations of the prior, or channels if these are wider, between offsets."""
FAR = 3.0


def shifted(curve: Array, energy: Array, shift: float) -> Array:
    """A curve moved up the axis by `shift` eV, of unit area, level beyond its ends."""
    moved = np.interp(energy - shift, energy, curve)
    return np.asarray(moved / moved.sum())


def first_offset(
    counts: Array, given: list[Array | None], laws: Array, energy: Array, sd: float
) -> float:
    """The offset (eV) at which curves and background explain sums of pixels best.

    `sd` is of its prior, about zero. What is left over is taken for the noise.
    """
    curves = [curve for curve in given if curve is not None]
    if sd <= 0 or not curves:
        return 0.0
    rows = starts.pooled(counts, GROUPS)
    scale = 1.0 / np.sqrt(np.maximum(starts.mean_spectrum(counts), 1e-300))
    rows = rows[rows.sum(axis=1) > 0] * scale
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    step = max(APART * min(sd, 1.0), float(np.median(np.diff(energy))))
    reach = np.arange(0.0, FAR * sd + step, step)
    places = np.concatenate([-reach[:0:-1], reach])
    left = np.array([_left(rows, curves, laws, energy, p, scale) for p in places])
    noise = max(float(left.min()), 1e-300) / max(1, energy.size)
    return float(places[np.argmin(0.5 * left / noise + 0.5 * (places / sd) ** 2)])


def _left(
    rows: Array,
    curves: list[Array],
    laws: Array,
    energy: Array,
    place: float,
    scale: Array,
) -> float:
    """Squares that are left of scaled rows by curves at an offset and the laws."""
    moved = np.array([shifted(curve, energy, place) for curve in curves])
    basis = (np.concatenate([moved, laws]) * scale).T
    return float(sum(nnls(basis, row)[1] ** 2 for row in rows))
