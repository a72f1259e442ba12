"""Where a factorisation starts: a rule without chance, and its numbered variations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from specfit.maps.found import Array


def pooled(counts: Array, groups: int, kind: type = np.float64) -> Array:
    """Sums of runs of neighbouring pixels, (groups or fewer, n_channels).

    Sums of Poisson counts are Poisson counts, and of mixtures of spectra mixtures of
    the same spectra: nothing is approximated, only contrast within a run is lost.
    """
    size = max(1, -(-counts.shape[0] // groups))
    whole = counts.shape[0] // size
    rows = counts[: whole * size].reshape(whole, size, counts.shape[1])
    found = rows.sum(axis=1, dtype=kind)
    rest = counts[whole * size :].sum(axis=0, dtype=kind, keepdims=True)
    return found if whole * size == counts.shape[0] else np.concatenate([found, rest])


def together(total: Array, enough: float) -> NDArray[np.int64]:
    """To which sum each pixel belongs, (n,) from 0 on, −1 one without a count.

    Those with less than `enough` counts, or than a fiftieth of the usual, are taken
    together in the order of the map until they have as many; the others stay alone.
    """
    found = np.full(total.size, -1)
    filled = np.flatnonzero(total > 0)
    if not filled.size:
        return found
    least = max(enough, 0.02 * float(np.median(total[filled])))
    alone = filled[total[filled] >= least]
    found[alone] = np.arange(alone.size)
    faint = np.setdiff1d(filled, alone)
    run, held = alone.size, 0.0
    for pixel, one in zip(faint.tolist(), total[faint].tolist(), strict=True):
        found[pixel] = run
        held += one
        if held >= least:
            run, held = run + 1, 0.0
    found[found == run] = -1  # what is left has not enough
    return found


def summed(values: Array, runs: NDArray[np.int64]) -> Array:
    """Sums over pixels (n, …) that belong together."""
    made = np.zeros((int(runs.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(made, runs[runs >= 0], values[runs >= 0])
    return made


def mean_spectrum(counts: Array) -> Array:
    """The mean spectrum with unit area, (n_channels,), nowhere quite zero."""
    total = np.maximum(counts.sum(axis=0, dtype=np.float64), 0.0)
    total = total + 1e-6 * total.mean()
    return np.asarray(total / total.sum())


def behind(counts: Array, fixed: Array, alone: Array) -> Array | None:
    """The background of the sum of all pixels by the channels where it is alone.

    Of unit sum over those channels `alone` (M,), mixed of the rows `fixed` (B, M); None
    where there is none, or no channel of its own.
    """
    total = counts.sum(axis=0, dtype=np.float64)
    if not len(fixed) or not total[alone].sum() > 0:
        return None
    scale = np.sqrt(np.maximum(total[alone], 1.0))
    weights = nnls((fixed[:, alone] / scale).T, total[alone] / scale)[0]
    found = weights @ fixed
    return np.asarray(found / found[alone].sum()) if found[alone].sum() > 0 else None


def _places(counts: Array, stripped: tuple[Array, Array] | None) -> Array:
    """Pooled spectra (n, M) of unit area, without their background; faint ones out."""
    rows = pooled(counts, 512)
    if stripped is not None:
        rows = rows - rows[:, stripped[1]].sum(axis=1, keepdims=True) * stripped[0]
    area = rows.sum(axis=1)
    rows = rows[area > 0.2 * np.median(area[area > 0])]
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _picked(
    rows: Array, smooth: Array, rest: Array, components: int, restart: int
) -> list[Array]:
    """Spectra of the places farthest from those before, each with its nearest."""
    found: list[Array] = []
    for k in range(components):
        order = np.argsort(-np.sum(rest**2, axis=1), kind="stable")
        skip = restart if k == 0 else restart // 2
        best = order[min(skip, order.size - 1)]
        near = np.argsort(np.sum((smooth - smooth[best]) ** 2, axis=1), kind="stable")
        found.append(rows[near[: max(1, rows.shape[0] // 100)]].mean(axis=0))
        along = rest[best] / max(float(np.linalg.norm(rest[best])), 1e-300)
        rest = rest - np.outer(rest @ along, along)
    return found


def purest(
    counts: Array,
    components: int,
    restart: int = 0,
    known: Array | None = None,
    stripped: tuple[Array, Array] | None = None,
    even: bool = False,
) -> Array:
    """Spectra of the K most different places of a map, (K, n_channels), unit area.

    `known` (n, n_channels): what is in the map besides; the places are those that differ
    most from these, too, so that no place is found that shows one of them again.
    `even` noise is the same in all channels, else that of counts.
    `stripped`: the background (M,) and the channels (M,) where it is alone; it is taken
    off first, or the places with the most and the least of it would be the purest.

    Successive projections (Araújo et al., Chemom. Intell. Lab. Syst. 57, 65, 2001) on
    the K leading directions of the pooled spectra, each scaled to its noise (Keenan &
    Kotula, Surf. Interface Anal. 36, 203, 2004). Restart r skips the r purest places.
    """
    rows = _places(counts, stripped)
    mean = mean_spectrum(counts)
    scale = np.sqrt(np.full_like(mean, mean.mean()) if even else mean)
    left, size, right = np.linalg.svd(rows / scale, full_matrices=False)
    others = np.zeros((0, scale.size)) if known is None else known
    rank = min(components + len(others), size.size)
    rest = left[:, :rank] * size[:rank]
    smooth = rest @ right[:rank]
    axes = np.linalg.qr(((others / scale) @ right[:rank].T).T)[0]
    rest = rest - (rest @ axes) @ axes.T
    found = _picked(rows, smooth, rest, components, restart)
    spectra = np.maximum(found, 0.0) + 0.02 * mean[None]
    return np.asarray(spectra / spectra.sum(axis=1, keepdims=True))
