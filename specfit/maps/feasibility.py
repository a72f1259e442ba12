"""All that two components could be, by the data alone."""

from __future__ import annotations

import numpy as np

from specfit.maps import intervals
from specfit.maps.found import Array, Feasible
from specfit.maps.rotation import Lines, Projected


def unit(spectra: Array) -> Array:
    """Spectra cut at zero, of unit area."""
    cut = np.maximum(spectra, 0.0)
    return np.asarray(cut / cut.sum(axis=-1, keepdims=True))


def feasible(found: Projected, lines: Lines, centre: Array, best: Array) -> Feasible:
    """The range of both pure spectra that the data allow, without any library.

    Source: Lawton & Sylvestre, Technometrics 13, 617 (1971), with noise: a place is
    allowed while its log-likelihood is within 2 of the best along its line. `centre`
    (n, 2) are fractions for the spectra `best @ found.spectra`.
    """
    ends = np.array([lines[0, 1].ends, lines[1, 0].ends])
    corners = [(a, b) for a in ends[0] for b in ends[1]]
    turns = np.array([[[1 - a, a], [b, 1 - b]] for a, b in corners])
    spectra = np.stack([unit(t @ found.spectra[:2]) for t in turns])
    back = np.linalg.inv(turns @ np.linalg.inv(best))
    pair = np.stack([centre[:, 0], 1.0 - centre[:, 0]], axis=1)
    fractions = np.clip(intervals.share(pair @ back)[..., 0], 0.0, 1.0)
    low, high = fractions.min(axis=0), fractions.max(axis=0)
    open_by = float(np.nanmax(high - low))
    return Feasible(
        spectra.min(axis=0),
        spectra.max(axis=0),
        low,
        high,
        ends,
        open_by,
        open_by < 0.05,
    )


def left_open(lines: Lines, loose: Array, best: Array) -> float:
    """By how much any fraction moves along any line, of more than two components.

    `loose` (n, K) weights without a bound, of the spectra `best @ found.spectra`. One line
    at a time, from one end of what the data allow to the other, all else at its best:
    no library is asked. Together they may leave more open than this.
    """
    widest = 0.0
    for (k, j), level in lines.items():
        ends = []
        for place in level.ends:
            turn = best.copy()
            turn[k, k] += turn[k, j] - place
            turn[k, j] = place
            back = np.linalg.inv(turn @ np.linalg.inv(best))
            ends.append(np.clip(intervals.share(loose @ back), 0.0, 1.0))
        apart = np.abs(ends[1] - ends[0])
        widest = max(widest, float(np.nanmax(apart, initial=0.0)))
    return widest
