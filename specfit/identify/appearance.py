"""Counts by velocity, and the lines of a phase as arrays that depend on its unknowns.

The unknowns of a phase, in this order: log area, log line width, then for each site the
deviation of its share and IS, QS, Bint as far as it has them.  Positions are linear in
them, so that the lines of any number of phases are one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.identify.patterns import WIDTHS, Density, PhasePattern

SIGNS = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
OUTER = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0])
AREA = (np.log(0.15), 1.5)
"""log of a phase's area in mm/s, and its spread: any thin absorber."""
TEXTURE = (2.0, 0.25)
"""Ratio of the second to the third line: 2 for a powder, and its spread."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The counts of a measurement and where they were counted."""

    counts: FloatArray
    velocity: FloatArray
    half_offset: float
    jacobian: FloatArray  # (n_channels, n_nuisances)
    slopes: FloatArray  # (3,) mm/s/T

    @classmethod
    def of(cls, measured: Measurement) -> Spectrum:
        """The spectrum of a measurement."""
        size = measured.axis.size
        jacobian = measured.axis_jacobian
        if not measured.nuisance_names:
            jacobian = np.zeros((size, 0))
        return cls(
            measured.values, measured.axis, measured.half_offset, jacobian,
            np.array(measured.field_slopes),
        )  # fmt: skip

    @cached_property
    def level(self) -> float:
        """Counts off resonance, as far as the highest tenth says."""
        return float(np.quantile(self.counts, 0.9))

    @cached_property
    def powers(self) -> FloatArray:
        """U and u² (2, n_channels), u from −1 to 1: what a baseline is made of."""
        u = self.velocity / float(np.abs(self.velocity).max())
        return np.stack([u, u**2])


@dataclass(frozen=True, eq=False)
class Block:
    """The lines of one phase: n lines of some sites, in `size` unknowns.

    moves: (n, size) d position / d unknown.  ratio: (n, 4) a, b, c, d of a line's part
    of its site, (a + b x) / (c + d x).  site: (n,) number of the site.  share, values:
    places of the sites' shares, of all IS, QS, Bint.  mean, spread: (2 + n_sites,) of
    the normal densities of area, width and shares.
    """

    size: int
    moves: FloatArray
    ratio: FloatArray
    site: np.ndarray
    share: np.ndarray
    values: tuple[np.ndarray, ...]
    shares: FloatArray
    mean: FloatArray
    spread: FloatArray
    middle: FloatArray

    @property
    def normal(self) -> np.ndarray:
        """The places of the unknowns with normal densities."""
        return np.concatenate([[0, 1], self.share])

    def priors(self, phase: PhasePattern) -> Iterator[tuple[int, Density]]:
        """The places of all IS, QS, Bint with their densities."""
        for site, places in zip(phase.sites, self.values, strict=True):
            yield from zip(places.tolist(), site.priors, strict=True)


@lru_cache(maxsize=8192)
def block(phase: PhasePattern, slopes: tuple[float, float, float]) -> Block:
    """The lines of a phase with these slopes of the lines in the field (mm/s/T)."""
    share, values, rows, ratio, site = [], [], [], [], []
    size = 2 + sum(1 + len(s.priors) for s in phase.sites)
    middle = np.zeros(size)
    middle[:2] = AREA[0] - 1.0, np.log(phase.width)
    at = 2
    for j, own in enumerate(phase.sites):
        places = np.arange(at + 1, at + 1 + len(own.priors))
        share.append(at)
        values.append(places)
        at += 1 + len(own.priors)
        move, parts = _lines(own.kind, np.array(slopes))
        wide = np.zeros((len(move), size))
        wide[:, places] = move
        rows.append(wide)
        ratio.append(parts)
        site += [j] * len(move)
        middle[places] = own.middle[: len(places)]
    mean = np.concatenate([[AREA[0], np.log(phase.width)], np.zeros(len(share))])
    spread = np.concatenate([[AREA[1], WIDTHS], phase.spreads])
    return Block(
        size, np.concatenate(rows), np.concatenate(ratio), np.array(site),
        np.array(share), tuple(values), phase.shares, mean, spread, middle,
    )  # fmt: skip


def _lines(kind: str, slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """D position / d (IS, QS, Bint) of the lines, and a, b, c, d of their parts."""
    if kind == "sextet":
        field = SIGNS * slopes[[0, 1, 2, 2, 1, 0]]
        move = np.stack([np.ones(6), 0.5 * OUTER, field], axis=1)
        a = np.array([3.0, 0.0, 1.0, 1.0, 0.0, 3.0])
        b = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
        return move, np.stack([a, b, np.full(6, 8.0), np.full(6, 2.0)], axis=1)
    if kind == "doublet":
        move = np.array([[1.0, -0.5], [1.0, 0.5]])
        return move, np.array([[0.5, 0.0, 1.0, 0.0]] * 2)
    return np.ones((1, 1)), np.array([[1.0, 0.0, 1.0, 0.0]])


def parts(ratio: FloatArray, texture: float) -> tuple[FloatArray, FloatArray]:
    """The lines' parts of their sites, and the derivatives of their logarithms by x."""
    a, b, c, d = np.moveaxis(ratio, -1, 0)
    whole = c + d * texture
    found = (a + b * texture) / whole
    turn = np.divide(
        b / whole - found * d / whole, found, out=np.zeros_like(found), where=found != 0
    )
    return found, turn


def tuple_of(slopes: FloatArray) -> tuple[float, float, float]:
    """The slopes as something that can be looked up."""
    k16, k25, k34 = (float(k) for k in slopes)
    return k16, k25, k34
