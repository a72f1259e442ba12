"""Where a factorisation starts: a rule without chance, and its numbered variations."""

from __future__ import annotations

import numpy as np

from specfit.maps.found import Array


def pooled(counts: Array, groups: int) -> Array:
    """Sums of runs of neighbouring pixels, (groups or fewer, n_channels).

    Sums of Poisson counts are Poisson counts, and of mixtures of spectra mixtures of
    the same spectra: nothing is approximated, only contrast within a run is lost.
    """
    size = max(1, -(-counts.shape[0] // groups))
    edges = np.arange(0, counts.shape[0], size)
    return np.add.reduceat(counts, edges, axis=0, dtype=np.float64)


def mean_spectrum(counts: Array) -> Array:
    """The mean spectrum with unit area, (n_channels,), nowhere quite zero."""
    total = counts.sum(axis=0, dtype=np.float64)
    total = total + 1e-6 * total.mean()
    return np.asarray(total / total.sum())


def purest(counts: Array, components: int, restart: int = 0) -> Array:
    """Spectra of the K most different places of a map, (K, n_channels), unit area.

    Successive projections (Araújo et al., Chemom. Intell. Lab. Syst. 57, 65, 2001) on
    the K leading directions of the pooled spectra, each scaled to its noise (Keenan &
    Kotula, Surf. Interface Anal. 36, 203, 2004). Restart r skips the r purest places.
    """
    rows = pooled(counts, 512)
    area = rows.sum(axis=1)
    rows = rows[area > 0.2 * np.median(area[area > 0])]
    rows = rows / rows.sum(axis=1, keepdims=True)
    scale = np.sqrt(mean_spectrum(counts))
    left, size, right = np.linalg.svd(rows / scale, full_matrices=False)
    rank = min(components, size.size)
    rest = left[:, :rank] * size[:rank]
    smooth = rest @ right[:rank]
    found: list[Array] = []
    for k in range(components):
        order = np.argsort(-np.sum(rest**2, axis=1), kind="stable")
        skip = restart if k == 0 else restart // 2
        best = order[min(skip, order.size - 1)]
        near = np.argsort(np.sum((smooth - smooth[best]) ** 2, axis=1), kind="stable")
        found.append(rows[near[: max(1, rows.shape[0] // 100)]].mean(axis=0))
        along = rest[best] / max(float(np.linalg.norm(rest[best])), 1e-300)
        rest = rest - np.outer(rest @ along, along)
    spectra = np.stack(found) + 0.02 * mean_spectrum(counts)[None]
    return np.asarray(spectra / spectra.sum(axis=1, keepdims=True))
