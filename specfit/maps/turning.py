"""How the spectra that were found are turned into pure ones, and how far they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from specfit.maps.found import Array, Factorisation
from specfit.maps.rotation import Lines, Projected
from specfit.maps.settling import Settled, settled

DRAWS = 64


@dataclass(frozen=True)
class Turned:
    """How found spectra are turned into pure ones: best (K, K) and draws (D, K, K).

    `open` (lines of 4) are lines k → j on which no library speaks, and the two places
    between which the data leave them open.
    """

    best: Array
    draws: Array
    strength: Array
    evidence: float
    open: tuple[tuple[int, int, float, float], ...] = ()

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
                        turns[..., k, k] += turns[..., k, j] - place
                        turns[..., k, j] = place
                found.append((best, draws))
        return found


def turn(found: Projected, lines: Lines, given: list[Array | None]) -> Turned:
    """Every pure spectrum along the lines to the others, and the draws of all lines.

    For two components this is exact. For more every line starts from the spectra that
    were found, whatever was settled along the others, and their moves are added up.
    """
    k = len(given)
    best, draws = np.eye(k), np.repeat(np.eye(k)[None], DRAWS, axis=0)
    strength, evidence = np.full(k, np.nan), 0.0
    generator, left = np.random.default_rng(0), []
    for (i, j), level in lines.items():
        one: Settled = settled(found, level, given[i], DRAWS)
        places = generator.permutation(one.draws)
        best[i, i], best[i, j] = best[i, i] - one.best, one.best
        draws[:, i, i] -= places
        draws[:, i, j] = places
        evidence += one.evidence
        if given[i] is not None:
            strength[i] = one.strength
        else:
            left.append((i, j, *level.ends))
    return Turned(best, draws, strength, evidence, tuple(left))


def offset_turn(
    found: Projected,
    lines: Lines,
    given: list[Array | None],
    energy: Array,
    request: Factorisation,
) -> tuple[Turned, float]:
    """The turn and the offset (eV) of the map's axis of greatest evidence.

    One offset moves all curves: it belongs to the axis. Chemistry moves edges too, and
    an offset of each curve's own would take up what tells the components apart. The
    draws are of all offsets, as many of each as its evidence is worth.
    """
    if request.shift_sd <= 0 or all(curve is None for curve in given):
        return turn(found, lines, given), 0.0
    sd, place = request.shift_sd, 0.0
    tried: dict[float, tuple[float, Turned]] = {}
    for step in (0.5 * sd, 0.125 * sd, 0.03125 * sd):
        for shift in place + step * np.arange(-5, 6):
            if float(shift) in tried:
                continue
            moved = [None if c is None else shifted(c, energy, shift) for c in given]
            one = turn(found, lines, moved)
            tried[float(shift)] = (one.evidence - 0.5 * (shift / sd) ** 2, one)
        place = max(tried, key=lambda shift: tried[shift][0])
    return replace(tried[place][1], draws=_mixed(tried)), place


def _mixed(tried: Mapping[float, tuple[float, Turned]]) -> Array:
    """Draws (D, K, K) of all offsets, by their evidence and their part of the axis."""
    offsets = np.array(sorted(tried))
    height = np.array([tried[float(one)][0] for one in offsets])
    weight = np.exp(height - height.max()) * np.gradient(offsets)
    places = (np.arange(DRAWS) + 0.5) / DRAWS * weight.sum()
    chosen = np.searchsorted(np.cumsum(weight), places).clip(0, offsets.size - 1)
    return np.stack(
        [tried[float(offsets[at])][1].draws[i] for i, at in enumerate(chosen)]
    )


def shifted(curve: Array, energy: Array, shift: float) -> Array:
    """A curve moved up the axis by `shift` eV, of unit area, level beyond its ends."""
    moved = np.interp(energy - shift, energy, curve)
    return np.asarray(moved / moved.sum())
