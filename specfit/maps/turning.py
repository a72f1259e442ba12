"""How the spectra that were found are turned into pure ones, and how far they may be.

Spectrum k moves along its lines to all others, S_k + sum_j t_kj (S_j - S_k). Of two
components each has one line and is settled at once. Of more a curve speaks of the whole
spectrum, not of each line by itself: lines are settled in turn with the others where
they are, and drawn so by Gibbs' sampler (Geman & Geman, IEEE Trans. Pattern Anal. 6, 721,
1984). So they are where an overlap of the maps is expected, which all lines change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from specfit.maps.found import Array, Factorisation
from specfit.maps.offsetting import shifted
from specfit.maps.overlapping import Overlapping, overlapping
from specfit.maps.rotation import Lines, Projected
from specfit.maps.settling import Settled, settled, single

DRAWS = 64
WIDEST = 1.0  # eV; within that of the first guess the offset is looked for
GRID = 300  # places along each of two lines
CLOSEST = 0.05  # overlap of more than two maps: what is expected more closely
SWEEPS = 4  # over all lines, until none moves but by chance
Curves = list[Array | None]
Worth = Mapping[tuple[int, int], float]


@dataclass(frozen=True)
class Turned:
    """How found spectra are turned into pure ones: best (K, K) and draws (D, K, K).

    `worth` is that of the channels along each line (`settled`), to have one for all
    offsets of a curve. `open` (lines of 4) are lines k → j on which no library speaks,
    and the two places between which the data leave them open. `offset_sd` (eV) is the
    standard deviation of the offset of the axis.
    """

    best: Array
    draws: Array
    strength: Array
    evidence: float
    worth: Worth = field(default_factory=dict)
    open: tuple[tuple[int, int, float, float], ...] = ()
    offset_sd: float = 0.0

    @property
    def extremes(self) -> list[tuple[Array, Array]]:
        """Best (K, K) and draws (D, K, K) with open lines at one or other of their ends.

        Between those ends the density is level and says nothing of where a pure spectrum
        lies; quantiles of draws from it would leave a tenth of the possible out. Up to
        four open lines are taken in every combination, more of them one at a time.
        """
        few = len(self.open) <= 4
        groups = [self.open] if few else [(one,) for one in self.open]
        found = []
        for group in groups if self.open else []:
            for places in product(*(one[2:] for one in group)):
                best, draws = self.best.copy(), self.draws.copy()
                for (k, j, *_), place in zip(group, places, strict=True):
                    for turns in (best, draws):
                        _move(turns, k, j, place)
                found.append((best, draws))
        return found


def _move(turns: Array, k: int, j: int, place: float | Array) -> None:
    """Turns (…, K, K) with spectrum k at a place (…) on its line to j."""
    turns[..., k, k] += turns[..., k, j] - place
    turns[..., k, j] = place


def turn(
    found: Projected, lines: Lines, given: Curves, worth: Worth | None = None
) -> Turned:
    """Every pure spectrum along the lines to the others, and the draws of all lines."""
    k = len(given)
    best, draws = np.eye(k), np.repeat(np.eye(k)[None], DRAWS, axis=0)
    strength, evidence = np.full(k, np.nan), 0.0
    generator, told = np.random.default_rng(0), {**(worth or {})}
    for sweep in range(SWEEPS if k > 2 else 1):
        evidence = 0.0
        for (i, j), level in lines.items():
            moved = _moved(found, best, i, j)
            one = settled(moved, level, given[i], DRAWS, told.get((i, j)))
            if worth is None and sweep == 0:
                told[i, j] = one.worth
            _move(best, i, j, one.best)
            evidence += one.evidence / (k - 1)
            strength[i] = one.strength
            if sweep == 0:
                _move(draws, i, j, generator.permutation(one.draws))
    if k == 1 and given[0] is not None:
        strength[0], evidence = single(found.spectra[0], given[0])
    left = tuple((i, j, *of.ends) for (i, j), of in lines.items() if given[i] is None)
    return Turned(best, draws, strength, evidence, told, left)


def _moved(found: Projected, turns: Array, i: int, j: int) -> Projected:
    """With spectrum i where its other lines have it, and j as far from it as before."""
    k = len(turns)
    if k == 2:
        return found
    own = turns.copy()
    _move(own, i, j, 0.0)
    by = own[i] @ found.spectra[:k] - found.spectra[i]
    spectra = found.spectra.copy()
    spectra[[i, j]] += by
    return replace(found, spectra=spectra)


def both(lines: Lines, found: Projected, given: Curves, of: Overlapping) -> Array:
    """Draws (D, 2, 2) of the two lines of two components with an expected overlap.

    On the grid of both at once: closely expected, they lie on a narrow ridge of it, which
    steps along one line and the other would not follow.
    """
    one, two = (
        settled(found, lines[pair], given[pair[0]], 1) for pair in ((0, 1), (1, 0))
    )
    first, second = (_finer(each) for each in (one, two))
    turns = np.repeat(np.eye(2)[None, None], first[0].size, axis=0)
    turns = np.repeat(turns, second[0].size, axis=1)
    _move(turns, 0, 1, first[0][:, None])
    _move(turns, 1, 0, second[0][None])
    height = first[1][:, None] + second[1][None] + of.log(turns)
    total = np.cumsum(np.exp(height - height.max()).ravel())
    at = np.searchsorted(total, (np.arange(DRAWS) + 0.5) / DRAWS * total[-1])
    return np.asarray(turns.reshape(-1, 2, 2)[at.clip(0, total.size - 1)])


def _finer(line: Settled) -> tuple[Array, Array]:
    """Middles of even steps along a line, and the logarithm of what lies in each."""
    edges = np.linspace(line.places[0], line.places[-1], GRID + 1)
    weight = np.exp(line.weights - line.weights.max())
    held = np.concatenate([[0.0], np.cumsum(weight)])
    within = np.diff(np.interp(edges, line.places, held))
    return 0.5 * (edges[1:] + edges[:-1]), np.log(np.maximum(within, 1e-300))


def sampled(
    found: Projected, lines: Lines, given: Curves, start: Turned, of: Overlapping | None
) -> Array:
    """Draws (D, K, K) of all lines together, with what is expected of the maps."""
    generator, now, draws = np.random.default_rng(1), start.best.copy(), []
    for _ in range(SWEEPS + DRAWS):
        for (i, j), level in lines.items():
            moved = _moved(found, now, i, j)
            one = settled(moved, level, given[i], 1, start.worth.get((i, j)))
            left, right = one.places[:-1], one.places[1:]
            height = one.weights + generator.gumbel(size=left.size)
            if of is not None:
                tried = np.repeat(now[None], left.size, axis=0)
                _move(tried, i, j, 0.5 * (left + right))
                height = height + of.log(tried)
            at = int(np.argmax(height))
            _move(now, i, j, generator.uniform(left[at], right[at]))
        draws.append(now.copy())
    return np.stack(draws[SWEEPS:])


def offset_turn(
    found: Projected,
    lines: Lines,
    given: Curves,
    energy: Array,
    request: Factorisation,
) -> tuple[Turned, float]:
    """The turn and the offset (eV) of the map's axis of greatest evidence.

    One offset moves all curves: it belongs to the axis. Chemistry moves edges too, and
    an offset of each curve's own would take up what tells the components apart. The
    draws are of all offsets, as many of each as its evidence is worth; those of more
    than two components, or of an expected overlap, of the best.
    """
    k, expected = len(given), request.apart if len(given) > 1 else None
    made, offset = _offset(found, lines, given, energy, request)
    if k < 3 and expected is None:
        return made, offset
    if expected is not None and k > 2:
        expected = expected[0], max(expected[1], CLOSEST)
    of = overlapping(found, k, expected) if expected is not None else None
    at = [None if c is None else shifted(c, energy, offset) for c in given]
    if k == 2 and of is not None:
        draws = both(lines, found, at, of)
    else:
        draws = sampled(found, lines, at, made, of)
    if of is None:
        return replace(made, draws=draws), offset
    # the mean of draws that lie on a bent ridge is beside it: the draw nearest to it
    away = np.sum((draws - draws.mean(axis=0)) ** 2, axis=(1, 2))
    best = draws[int(np.argmin(away))]
    # what is expected of the maps speaks along every line: it leaves none open
    return replace(made, best=best, draws=draws, open=()), offset


def _offset(
    found: Projected,
    lines: Lines,
    given: Curves,
    energy: Array,
    request: Factorisation,
) -> tuple[Turned, float]:
    if request.shift_sd <= 0 or all(curve is None for curve in given):
        return turn(found, lines, given), 0.0
    sd, place = request.shift_sd, request.offset
    wide = 0.5 * min(sd, WIDEST)
    tried: dict[float, tuple[float, Turned]] = {}
    worth: Worth | None = None
    for step in (wide, wide, wide / 4.0, wide / 16.0):
        for shift in place + step * np.arange(-5, 6):
            if float(shift) in tried:
                continue
            moved = [None if c is None else shifted(c, energy, shift) for c in given]
            one = turn(found, lines, moved, worth)
            tried[float(shift)] = (one.evidence - 0.5 * (shift / sd) ** 2, one)
        place = max(tried, key=lambda shift: tried[shift][0])
        if worth is None:
            # evidences compare where channels are worth the same at every offset
            worth, tried = tried[place][1].worth, {}
    return _mixed(tried, tried[place][1]), place


def _mixed(tried: Mapping[float, tuple[float, Turned]], best: Turned) -> Turned:
    """The best with draws of all offsets, by their evidence and their part of the axis."""
    offsets = np.array(sorted(tried))
    height = np.array([tried[float(one)][0] for one in offsets])
    weight = np.exp(height - height.max()) * np.gradient(offsets)
    mean = np.average(offsets, weights=weight)
    # between two offsets that were looked at any may be the best
    within = float(np.diff(offsets).min()) ** 2 / 12.0
    square = np.average((offsets - mean) ** 2, weights=weight)
    spread = float(np.sqrt(square + within))
    places = (np.arange(DRAWS) + 0.5) / DRAWS * weight.sum()
    chosen = np.searchsorted(np.cumsum(weight), places).clip(0, offsets.size - 1)
    draws = [tried[float(offsets[at])][1].draws[i] for i, at in enumerate(chosen)]
    return replace(best, draws=np.stack(draws), offset_sd=spread)
