"""A full fit, taken apart and put together differently for as long as it gets better.

A greedy search can leave two patterns covered by two components of which each took one
half of both: every line is explained but those in the middle, and no single step leads
out.  So one component, or two that overlap, are taken out and placed again, once freely
and once away from where they were.  A misfit that noise would explain is no reason to
stop: of six overlapping sextets in few counts, a wrong sharing of the lines passes for
noise 50 nats below the right one.  A linewidth that all share is moved as well: four
wide patterns that cover six hold each other.

A fit that stands may have rivals: the same lines, shared out differently among two
components, fit as well.  Every two of its components are placed anew at once, then every
two of its rivals and of fits unlike all of these, in the end every three of the best.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.beam import (
    FIRST_STEPS,
    FULL_STEPS,
    Beam,
    alike,
    best,
    grow,
    refined,
    seen,
)
from specfit.inference.seating import Seat, seated
from specfit.inference.stock import Stock
from specfit.inference.together import together

KEPT = 2
"""Beams kept while a fit is put together again."""
OVERLAPPING = 6
"""Pairs that are placed again one component after the other, those that overlap most."""
SETS = {2: 28, 3: 20}
"""Pairs and threes of components placed again at once: all pairs of eight, or those that
overlap most."""
PATIENCE = 4
"""Fits taken apart in a row, without anything better, after which it is enough."""
CONVERGED = 60
"""Steps at most of a fit that is then taken apart: one that still rises by itself would
pass for better whenever a component is placed anew."""
RESEMBLING = 0.8
"""Correlation of two components above which they cover the same lines."""
FARTHER = 30.0
"""Nats below the best fit at which a fit is no longer worth taking apart."""
ENOUGH = 0.1
"""Improvement (nats) of a rival that is one: as far as a partial fit is refined."""
FAR = 12.0
"""Nats below the best fit at which a rival no longer counts: a weight of 1e-5."""
MOST_RIVALS = 48
"""Full fits that are kept in all."""
WAYS = {2: 24, 3: 64}
"""Sets of atoms refined for every pair, and every three, of components placed again."""
NEARLY = 0.8
"""Share of the χ² explained before that they must explain once refined."""
REFINED = {2: 10, 3: 20}
"""Of these, those refined fully, best first."""
ENDS = (0.1, 0.9)
"""Quantiles of the prior at which what components share is tried."""
Round = Callable[..., list[Beam]]
"""Calls its first argument with the others: at once, or kept when it is done."""
GAIN = 1.0
"""Improvement (nats) that makes a new fit worth going on from."""


def settled(stock: Stock, found: list[Beam], a_round: Round) -> list[Beam]:
    """The beams and their rivals, mended until no way finds anything better."""
    while found:
        found = a_round(mend, stock, found)
        before = found[0].value
        found = a_round(rivals, stock, found)
        if found[0].value <= before + GAIN:
            found = a_round(threes, stock, found)
        if found[0].value <= before + GAIN:
            return found
    return found


def mend(stock: Stock, found: list[Beam]) -> list[Beam]:
    """The beams, with better ones in front where taking the best apart finds them."""
    better = found[0] if found else None
    while better is not None:
        found = [*refined(stock, found[:1], CONVERGED), *found[1:]]
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
    """The first beam and other full fits nearly as good, every two components differently.

    What is taken apart next is the best that has not been, and once that has led to
    nothing better, the best that is unlike all that have been, `PATIENCE` times in a row:
    from the best fit there may be no way, and from one 20 nats below a short one.
    """
    known, done, idle = found[:1], list[Beam](), 0
    while idle < PATIENCE:
        base = _next(known, done, only_unlike=idle > 0)
        if base is None:
            break
        done.append(base)
        leader = max(beam.value for beam in known)
        for whole in _near(stock, base, 2):
            near = whole.value > leader - FARTHER
            if near and not alike(whole, known):
                known = [*known, whole]
        better = max(beam.value for beam in known) > leader + ENOUGH
        idle = 0 if better else idle + 1
    return best(known + found, MOST_RIVALS)


def _next(known: list[Beam], done: list[Beam], only_unlike: bool) -> Beam | None:
    """The best of `known` that is none of `done`, or unlike all of them."""
    for beam in sorted(known, key=lambda one: -one.value):
        new = all(beam is not other for other in done)
        if new and not (only_unlike and any(_resemble(beam, o) for o in done)):
            return beam
    return None


def _resemble(one: Beam, other: Beam) -> bool:
    """Whether each component of one fit has a like in the other."""
    likeness = _unit(one.curves) @ _unit(other.curves).T
    return bool((likeness.max(axis=1) > RESEMBLING).all())


def threes(stock: Stock, found: list[Beam]) -> list[Beam]:
    """The beams and those in which three components of the first are placed anew."""
    return best(found + _near(stock, found[0], 3), MOST_RIVALS)


def _near(stock: Stock, beam: Beam, size: int) -> list[Beam]:
    """Full fits in which some `size` components of a fit are placed anew, all at once.

    Of the sets that overlap most.  Each lot must explain a good part
    of the χ² that those taken out explained.
    """
    curves = -_unit(beam.curves)
    outs = _overlapping(curves, size)[: SETS[size]]
    found: list[Beam] = []
    for part, out in zip(_without(stock, beam, outs), outs, strict=True):
        unlike = replace(part, avoided=curves[list(out)])
        enough = part.chi2 - NEARLY * (part.chi2 - beam.chi2)
        rough = refined(stock, together(stock, unlike, WAYS[size]), FIRST_STEPS)
        going = best([b for b in rough if b.chi2 < enough], REFINED[size])
        found += best(refined(stock, going, FULL_STEPS), REFINED[size])
    return found


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


def _overlapping(unit: FloatArray, size: int) -> list[tuple[int, ...]]:
    """All sets of `size` unit curves, those that overlap most first."""
    overlap = unit @ unit.T
    sets = itertools.combinations(range(len(unit)), size)
    return sorted(sets, key=lambda some: -overlap[np.ix_(some, some)].sum())


def undisputed(found: Sequence[Beam]) -> bool:
    """Whether no other fit comes within `FAR` of the first."""
    return all(beam.value < found[0].value - FAR for beam in found[1:])


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
    outs = [*singles, *_overlapping(unit, 2)[:OVERLAPPING]]
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
