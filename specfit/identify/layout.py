"""Where the unknowns of a set of phases stand in one vector, and their densities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import TEXTURE, Block, Spectrum, block, tuple_of
from specfit.identify.densities import Densities
from specfit.identify.patterns import PhasePattern

LEVEL = 0.1
"""Spread of log N0 about the largest counts."""
SATURATION = (0.5, 0.7)
"""κ before the spectrum is seen: 1 / recoil-free fraction of the source for a sharp one."""
BASE = 0.01
"""Spread of a and b: slope and curvature by geometry."""
GLOBALS = 5
"""Unknowns that belong to no phase, besides the nuisances."""
HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


class Layout:
    """Where the unknowns of some phases stand in one vector, and their densities."""

    def __init__(
        self,
        phases: Sequence[PhasePattern],
        nuisances: int,
        slopes: tuple[float, float, float],
    ) -> None:
        blocks = [block(phase, slopes) for phase in phases]
        self.blocks, self.nuisances = blocks, nuisances
        self.texture = 1 + nuisances
        self.saturation = self.texture + 1
        self.base = slice(self.saturation + 1, self.saturation + 3)
        self.first = GLOBALS + nuisances
        sizes = [one.size for one in blocks]
        self.begin = np.concatenate([[0], np.cumsum(sizes)]) + self.first
        self.size = int(self.begin[-1])
        self.area = self.begin[:-1].astype(int)
        self.width = self.area + 1
        self.share = self._gathered([one.share for one in blocks])
        self.values = self._gathered([p for one in blocks for p in one.values], blocks)
        self.shares = np.concatenate([one.shares for one in blocks])
        self.ratio = np.concatenate([one.ratio for one in blocks])
        self.moves = np.zeros((len(self.ratio), self.size))
        lines = [len(one.site) for one in blocks]
        at = 0
        for one, begin, n in zip(blocks, self.area, lines, strict=True):
            self.moves[at : at + n, begin : begin + one.size] = one.moves
            at += n
        sites = [len(one.share) for one in blocks]
        self.of_line = np.repeat(np.arange(len(blocks)), lines)
        self.of_site = np.repeat(np.arange(len(blocks)), sites)
        offsets = np.cumsum([0, *sites[:-1]])
        self.site = np.concatenate(
            [one.site + o for one, o in zip(blocks, offsets, strict=True)]
        )
        self.first_line = np.searchsorted(self.site, np.arange(sum(sites)))
        self.first_site = offsets
        self.densities = Densities.joined([_densities(one) for one in phases])
        self._normals()

    def _gathered(
        self, places: Sequence[np.ndarray], blocks: Sequence[Block] | None = None
    ) -> np.ndarray:
        begins = self.area
        if blocks is not None:
            begins = np.repeat(begins, [len(one.values) for one in blocks])
        moved = [p + begin for p, begin in zip(places, begins, strict=True)]
        return np.concatenate(moved).astype(int)

    def _normals(self) -> None:
        """Places, means and spreads of all unknowns with normal densities."""
        own = [one.normal + at for one, at in zip(self.blocks, self.area, strict=True)]
        n = self.nuisances
        self.normal = np.concatenate([np.arange(self.first), *own]).astype(int)
        first = [0.0, *[0.0] * n, TEXTURE[0], SATURATION[0], 0.0, 0.0]
        self.mean = np.concatenate([first, *(one.mean for one in self.blocks)])
        first = [LEVEL, *[1.0] * n, TEXTURE[1], SATURATION[1], BASE, BASE]
        self.spread = np.concatenate([first, *(one.spread for one in self.blocks)])
        self.norm = float(np.sum(np.log(self.spread) + HALF_LOG_2PI))

    def own(self, index: int) -> slice:
        """The unknowns of one of the phases."""
        return slice(int(self.begin[index]), int(self.begin[index + 1]))

    def sites_of(self, index: int) -> list[slice]:
        """IS, QS, Bint of each site of one of the phases."""
        begin = int(self.begin[index])
        values = self.blocks[index].values
        return [slice(begin + int(p[0]), begin + int(p[-1]) + 1) for p in values]

    def start(self, spectrum: Spectrum) -> FloatArray:
        """Every phase as its records say, all of one area."""
        first = np.zeros(self.first)
        first[[0, self.texture]] = np.log(spectrum.level), TEXTURE[0]
        first[self.saturation] = SATURATION[0]
        return np.concatenate([first, *(one.middle for one in self.blocks)])


@lru_cache(maxsize=4096)
def _densities(phase: PhasePattern) -> Densities:
    return Densities.of([density for site in phase.sites for density in site.priors])


@lru_cache(maxsize=4096)
def _layout(
    phases: tuple[PhasePattern, ...], nuisances: int, slopes: tuple[float, float, float]
) -> Layout:
    return Layout(phases, nuisances, slopes)


def layout_of(spectrum: Spectrum, phases: Sequence[PhasePattern]) -> Layout:
    """Where the unknowns of some phases stand."""
    nuisances = spectrum.jacobian.shape[1]
    return _layout(tuple(phases), nuisances, tuple_of(spectrum.slopes))
