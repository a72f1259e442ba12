"""A full fit, taken apart and put together differently for as long as it gets better.

A greedy search can leave two patterns covered by two components of which each took one
half of both: every line is explained but those in the middle, and no single step leads
out.  So one component, or two that overlap, are taken out and placed again, once freely
and once away from where they were.  A misfit that noise would explain is no reason to
stop: of six overlapping sextets in few counts, a wrong sharing of the lines passes for
noise 50 nats below the right one.  A linewidth that all share is moved as well: four
wide patterns that cover six hold each other.

A fit that stands may have rivals: the same lines, shared out differently among
two components, fit as well.  They are looked for in the same way.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.beam import (
    FIRST_STEPS,
    FULL_STEPS,
    Beam,
    Stock,
    alike,
    best,
    extended,
    grow,
    refined,
    seen,
)
from specfit.inference.seating import Seat, seated

KEPT = 2
"""Beams kept while a fit is put together again."""
OVERLAPPING = 6
"""Pairs that are placed again one component after the other, those that overlap most."""
PAIRS = 15
"""Pairs of which both components are placed again at once: all of six components, or those that
overlap most."""
FAR = 12.0
"""Nats below the best fit at which a rival no longer counts: a weight of 1e-5."""
MOST_RIVALS = 16
UNLIKE = 0.9
"""Correlation with its old curve above which a component has not moved."""
FIRSTS, SECONDS = 32, 3
"""Places tried for the first and, for each of them, the second of two components."""
ENOUGH, NEARLY = 0.5, 0.8
"""Share of the χ² explained that two atoms must explain as they stand, and refined."""
REFINED = 10
"""Pairs of atoms that are refined, best first."""
ENDS = (0.1, 0.9)
"""Quantiles of the prior at which what components share is tried."""
GAIN = 1.0
"""Improvement (nats) that makes a new fit worth going on from."""


def settled(stock: Stock, found: list[Beam]) -> list[Beam]:
    """The beams and their rivals, mended until neither way finds anything better."""
    while found:
        found = mend(stock, found)
        others = rivals(stock, found)
        leader = max(others, key=lambda beam: beam.value, default=found[0])
        if leader.value <= found[0].value + GAIN:
            return best(found + others, MOST_RIVALS)
        found = [leader, *found, *others]
    return found


def mend(stock: Stock, found: list[Beam]) -> list[Beam]:
    """The beams, with better ones in front where taking the best apart finds them."""
    better = found[0] if found else None
    while better is not None:
        better = _better(stock, found[0])
        found = [better, *found] if better is not None else found
    return found


def _better(stock: Stock, beam: Beam) -> Beam | None:
    """The first fit that is better than `beam`, or None."""
    for part, missing in _apart(stock, beam):
        whole = grow(stock, [part], missing, KEPT)
        if whole and whole[0].value > beam.value + GAIN:
            return whole[0]
    return None


def rivals(stock: Stock, found: list[Beam]) -> list[Beam]:
    """Other full fits nearly as good as the first beam, every two components differently.

    Of what is found, what is new and within `FAR` of the best is kept.
    """
    known, new = found[:1], found[:1]
    while new and len(known) < MOST_RIVALS:
        base, new = new[0], new[1:]
        for part in _pairs_apart(stock, base):
            for whole in _shared_anew(stock, part, part.chi2 - base.chi2):
                near = whole.value > known[0].value - FAR
                if near and not any(alike(whole, other) for other in known):
                    known, new = [*known, whole], [*new, whole]
    return known[1:]


def _shared_anew(stock: Stock, part: Beam, lost: float) -> list[Beam]:
    """Full fits with both missing components placed at once.

    One placed alone and refined would settle between lines that two are to share.
    lost: χ² that the two explained; atoms as they stand must explain a good part of it.
    """
    firsts = [
        first
        for first in refined(stock, extended(stock, [part], FIRSTS), 0)
        if part.chi2 - first.chi2 > 0.5 * ENOUGH * lost
    ]
    judged = refined(stock, extended(stock, firsts, SECONDS), 0)
    able = [both for both in judged if part.chi2 - both.chi2 > ENOUGH * lost]
    able.sort(key=lambda both: both.chi2)
    rough = refined(stock, able[:REFINED], FIRST_STEPS)
    going = [b for b in best(rough, REFINED) if part.chi2 - b.chi2 > NEARLY * lost]
    return best(refined(stock, going, FULL_STEPS), MOST_RIVALS)


def _pairs_apart(stock: Stock, beam: Beam) -> list[Beam]:
    """The beam without each pair of components, which are not to come back as they were."""
    curves = -_unit(beam.curves)
    pairs = _overlapping(curves)[:PAIRS]
    return [
        replace(part, avoided=curves[list(pair)], likeness=UNLIKE)
        for part, pair in zip(_without(stock, beam, pairs), pairs, strict=True)
    ]


def _without(stock: Stock, beam: Beam, outs: Sequence[tuple[int, ...]]) -> list[Beam]:
    """The beam without each of some sets of components, as it stands."""
    placed = np.tile(beam.placed, (len(outs), 1))
    for row, out in zip(placed, outs, strict=True):
        row[list(out)] = 0.0
    return seen(stock, beam.position, placed)


def _unit(curves: FloatArray) -> FloatArray:
    """Curves of unit norm; zero where a component takes nothing away."""
    size = np.linalg.norm(curves, axis=1, keepdims=True)
    return curves / np.where(size == 0.0, 1.0, size)


def _overlapping(unit: FloatArray) -> list[tuple[int, int]]:
    """All pairs of unit curves, those that overlap most first."""
    overlap = unit @ unit.T
    pairs = itertools.combinations(range(len(unit)), 2)
    return sorted(pairs, key=lambda two: -overlap[two])


def adequate(beam: Beam) -> bool:
    """Weighted squares no more than four standard deviations above their number."""
    count = beam.residual.size
    return beam.chi2 < count + 4.0 * float(np.sqrt(2.0 * count))


def _apart(stock: Stock, beam: Beam) -> list[tuple[Beam, int]]:
    """The beam without some of its components, and how many are out.

    Without each, without each overlapping pair, and without the weakest while what all
    share is elsewhere.
    """
    n_components = len(beam.placed)
    unit = -_unit(beam.curves)
    singles = ((k,) for k in range(n_components))
    outs = [*singles, *_overlapping(unit)[:OVERLAPPING]]
    apart = []
    for part, out in zip(_without(stock, beam, outs), outs, strict=True):
        apart += [(part, len(out)), (replace(part, avoided=unit[list(out)]), len(out))]
    weakest = np.argsort(np.linalg.norm(beam.curves, axis=1), kind="stable")
    for other in _shared_elsewhere(stock, beam):
        outs = [(int(weakest[0]),), (int(weakest[0]), int(weakest[1]))]
        parts = _without(stock, other, outs[: n_components - 1])
        apart += [(part, number) for number, part in enumerate(parts, 1)]
    return apart


def _shared_elsewhere(stock: Stock, beam: Beam) -> list[Beam]:
    """The beam with the unknowns that several components share at the ends of their prior.

    A linewidth that all share has grown where one pattern covers two: each alone must stay
    where the others hold it.
    """
    times = Counter(name for own in stock.own for name in set(own))
    shared = {name for name in stock.values if times[name] > 1}
    if not shared:
        return []
    kept = frozenset(times) & stock.values.keys() - shared
    seats = [
        Seat(
            beam.position,
            frozenset(kept),
            {name: np.quantile(stock.values[name], end) for name in shared},
        )
        for end in ENDS
    ]
    found = seated(stock.problem, stock.bases, seats)
    return [replace(beam, position=z) for z in found if z is not None]
