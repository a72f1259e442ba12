"""What was found of a map, put together: the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specfit.cubes import filled
from specfit.maps import bands, intervals
from specfit.maps.bands import Fractions
from specfit.maps.feasibility import feasible, left_open
from specfit.maps.fitting import Chunked, State
from specfit.maps.found import Array, Average, Factorisation, Factorised
from specfit.maps.rotation import Lines, Projected
from specfit.maps.turning import Turned

NOTHING = 1e-3  # of all weights, below which a component is none
PARTS = 6  # of the image, along each side


@dataclass(frozen=True)
class Seen:
    """What a map looks like under fixed spectra.

    `weights` and `free` (N, L), at least zero and unbounded, the information `known`
    (N, L, L) of the latter, `left` (M,) the sum of the residuals, `chi` (N,) Pearson's
    chi-square, `parts` (3, P, M) as of `Factorised`, `told` (N,) channels that tell
    something (None: all), `least` weight of a pixel that holds something, `rough` how
    much neighbours differ where they are held together.
    """

    weights: Array
    free: Array
    known: Array
    left: Array
    chi: Array
    parts: Array
    told: Array | None = None
    least: float = 0.0
    rough: float | None = None


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


def _reduced(seen: Seen) -> Array:
    """Pearson's chi-square (N,) a channel; NaN of a pixel that has no count."""
    channels = seen.left.size if seen.told is None else seen.told
    free = np.maximum(1.0, channels - seen.weights.shape[1])
    return np.where(seen.weights.sum(axis=1) > 0, seen.chi / free, np.nan)


def _open(lines: Lines, loose: Array, turned: Turned) -> float:
    """What the data alone leave open of more than two; of next to nothing all is."""
    return left_open(lines, loose, turned.best) if loose.shape[1] > 2 else 0.0


def _banded(
    seen: Seen, held: bands.Filled, turned: Turned, lines: Lines, level: float
) -> tuple[Fractions, Average]:
    """Bands of fractions and of their mean.

    From 0 to 1 of components between which the data bound nothing.
    """
    k = len(turned.best)
    free = seen.free[:, :k]
    of = bands.fractions(free, seen.known, seen.weights[:, :k], turned, held, level)
    sure = bands.surely(free, seen.known)
    mean = bands.average(free, of, turned, held, sure, level)
    total = seen.weights[:, :k].sum(axis=0)
    some = total > NOTHING * max(total.sum(), 1e-300)
    unclosed = [pair for pair, level in lines.items() if not level.closed]
    loose = sorted({k for pair in unclosed if some[list(pair)].all() for k in pair})
    if not loose:
        return of, mean
    low, high = of.low.copy(), of.high.copy()
    low[:, loose] = np.where(np.isnan(low[:, loose]), np.nan, 0.0)
    high[:, loose] = np.where(np.isnan(high[:, loose]), np.nan, 1.0)
    least, most = mean.low.copy(), mean.high.copy()
    least[loose], most[loose] = 0.0, 1.0
    return replace(of, low=low, high=high), replace(mean, low=least, high=most)


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
    k = request.components
    maps = seen.weights[:, :k]
    held = filled(maps) & (maps.sum(axis=1) > seen.least)
    of, mean = _banded(seen, held, turned, lines, request.level)
    low, high = bands.spectra(turned, found, request.level)
    return Factorised(
        spectra=spectra[:k], spectra_low=low, spectra_high=high,
        maps=maps, fraction=intervals.share(maps),
        counting_sd=of.counting, spectral_sd=of.spectral,
        fraction_low=of.low, fraction_high=of.high,
        background=seen.weights[:, k:],
        relevance=maps.mean(axis=0),
        strength=turned.strength / np.maximum(maps.sum(axis=0), 1e-300),
        shift=np.zeros(k),
        shift_sd=turned.offset_sd,
        drift=None,
        objective=np.array(state.objective),
        converged=state.converged,
        feasible=feasible(found, lines, of.centre, turned.best) if k == 2 else None,
        average=mean,
        parts=seen.parts,
        open_by=max(of.open_by, _open(lines, seen.free[held, :k], turned)),
        residual_sum=seen.left,
        residual_chi=_reduced(seen),
        laws=spectra[k:],
        filled=held,
        roughness=seen.rough,
    )  # fmt: skip
