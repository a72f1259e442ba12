"""A full fit that is not good enough, taken apart and put together differently.

A greedy search can leave two patterns covered by two components of which each took one
half of both: every line is explained but those in the middle, and no single step leads
out.  So one component, or two that overlap, are taken out and placed again, once freely
and once away from where they were.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from specfit.contracts import Problem
from specfit.inference import projection
from specfit.inference.beam import Beam, Stock, grow, seen

KEPT = 4
"""Beams kept while a fit is put together again."""
PAIRS = 8
"""Overlapping pairs that are taken apart."""
GAIN = 1.0
"""Improvement (nats) that makes a new fit worth going on from."""


def mend(stock: Stock, found: list[Beam]) -> list[Beam]:
    """The beams, with better ones in front where taking the best apart finds them.

    Nothing is done where the misfit of the best is what noise explains.
    """
    while found and not adequate(found[0]):
        better = _better(stock, found[0])
        if better is None:
            break
        found = [better, *found]
    return found


def _better(stock: Stock, beam: Beam) -> Beam | None:
    """The first fit that is better than `beam`, or None."""
    for part, missing in _apart(stock.problem, beam):
        whole = grow(stock, [part], missing, KEPT)
        if whole and whole[0].value > beam.value + GAIN:
            return whole[0]
    return None


def adequate(beam: Beam) -> bool:
    """Weighted squares no more than four standard deviations above their number."""
    count = beam.fitted.size
    return beam.chi2 < count + 4.0 * float(np.sqrt(2.0 * count))


def _apart(problem: Problem, beam: Beam) -> list[tuple[Beam, int]]:
    """The beam without each component and each overlapping pair; how many are out."""
    n_components = len(beam.placed)
    columns = projection.residual(problem, beam.position, beam.placed).columns
    curves = -columns[-n_components:]
    unit = curves / np.linalg.norm(curves, axis=1, keepdims=True)
    overlap = unit @ unit.T
    pairs = sorted(
        itertools.combinations(range(n_components), 2), key=lambda two: -overlap[two]
    )
    apart = []
    for out in [*((k,) for k in range(n_components)), *pairs[:PAIRS]]:
        placed = beam.placed.copy()
        placed[list(out)] = 0.0
        part = seen(problem, beam.position, placed)
        apart += [(part, len(out)), (replace(part, avoided=unit[list(out)]), len(out))]
    return apart
