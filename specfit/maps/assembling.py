"""What was found of a map, put together: the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specfit.cubes import filled
from specfit.maps import bands, intervals
from specfit.maps.feasibility import feasible, left_open
from specfit.maps.fitting import Chunked, State
from specfit.maps.found import Array, Factorisation, Factorised
from specfit.maps.rotation import Lines, Projected
from specfit.maps.turning import Turned

PARTS = 6  # of the image, along each side


@dataclass(frozen=True)
class Seen:
    """What a map looks like under fixed spectra.

    `weights` and `free` (N, L), at least zero and unbounded, the information `known`
    (N, L, L) of the latter, `left` (M,) the sum of the residuals, `chi` (N,) Pearson's
    chi-square, `parts` (3, P, M) as of `Factorised`.
    """

    weights: Array
    free: Array
    known: Array
    left: Array
    chi: Array
    parts: Array


def parted(
    data: Chunked, grid: tuple[int, int] | None
) -> tuple[NDArray[np.int32], int]:
    """To which part of the image each pixel belongs, (chunks, n), and how many there are.

    The sum of all pixels is met by free spectra whatever is missing from the model; what
    is missing here and too much there is seen in its parts alone.
    """
    if grid is None or grid[0] * grid[1] != data.n:
        grid = (1, data.n)
    side = [min(PARTS, n) for n in grid]
    if min(grid) == 1:
        side = [min(PARTS**2, n) for n in grid]
    rows, columns = (np.arange(n) * k // n for n, k in zip(grid, side, strict=True))
    place = (rows[:, None] * side[1] + columns[None]).ravel()
    padded = np.zeros(data.x.shape[:2], np.int32)
    padded.reshape(-1)[: data.n] = place
    return padded, side[0] * side[1]


def _reduced(chi: Array, weights: Array, channels: int) -> Array:
    """Pearson's chi-square (N,) a channel; NaN of a pixel that has no count."""
    free = max(1, channels - weights.shape[1])
    return np.where(weights.sum(axis=1) > 0, chi / free, np.nan)


def _open(lines: Lines, maps: Array, loose: Array, turned: Turned) -> float:
    """What the data alone leave open of more than two; of next to nothing all is."""
    if maps.shape[1] <= 2:
        return 0.0
    return left_open(lines, loose[filled(maps)], turned.best)


def assembled(
    seen: Seen,
    spectra: Array,
    state: State,
    turned: Turned,
    found: Projected,
    request: Factorisation,
    lines: Lines,
) -> Factorised:
    """The answer of an engine with its bands; spectra (L, M), components first."""
    k, m = request.components, spectra.shape[1]
    maps, loose = seen.weights[:, :k], seen.free[:, :k]
    of = bands.fractions(loose, seen.known, maps, turned, request.level)
    low, high = bands.spectra(turned, found, request.level)
    return Factorised(
        spectra=spectra[:k],
        spectra_low=low,
        spectra_high=high,
        maps=maps,
        fraction=intervals.share(maps),
        counting_sd=of.counting,
        spectral_sd=of.spectral,
        fraction_low=of.low,
        fraction_high=of.high,
        background=seen.weights[:, k:],
        relevance=maps.mean(axis=0),
        strength=turned.strength / np.maximum(maps.sum(axis=0), 1e-300),
        shift=np.zeros(k),
        drift=None,
        objective=np.array(state.objective),
        converged=state.converged,
        feasible=feasible(found, lines, of.centre, turned.best) if k == 2 else None,
        average=bands.average(loose, of, maps, turned, request.level),
        parts=seen.parts,
        open_by=max(of.open_by, _open(lines, maps, loose, turned)),
        residual_sum=seen.left,
        residual_chi=_reduced(seen.chi, seen.weights, m),
    )
