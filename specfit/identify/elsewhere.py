"""Other places where a phase of several sites may stand: its other modes.

What: one phase of a set is placed again from many starts: any draw of its values, its
present values with two sites moved, and its present values exchanged between sites.  Why:
sites with like values have modes of their own, a few tenths of a line width apart, and a
set that is judged by a poor one loses to a set with a phase more.  Instead of: fits of
the whole set from every start; the places are found side by side, while what else is
there responds linearly, and only what seems better is fitted.  Two phases may also have
shared their sites wrongly between them: an exchange changes nothing of the curve, so that
the prior alone says which are worth a fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, permutations

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray
from specfit.identify.appearance import Block, Spectrum
from specfit.identify.mixture import Mixture, log_prior
from specfit.identify.patterns import PhasePattern
from specfit.identify.placing import Batch, placed
from specfit.identify.residue import Residue
from specfit.identify.screen import Bank

STARTS, MOST = 24, 72
"""Starts for each site beyond the first, and at most; a third of them anywhere."""
MOVED = 2
"""Sites moved in the others."""
FEW, ORDERS = 4, 24
"""Sites of one phase whose orders are all tried, and orders at most."""
EARLY, HOPEFUL, LATE = 6, 20, 16
"""Steps of all starts, how many of the best go on, and their further steps."""
BETTER, FITTED = 0.3, 2
"""Nats by which another place must seem better than the present, and how many of them
are worth a fit of the whole set."""

COST, TRADED = 10.0, 4
"""Nats that an exchange of sites between two phases may cost before the fit, and how
many of the cheapest are fitted."""


def elsewhere(
    known: Bank, left: Residue, found: Mixture, index: int, seed: int
) -> list[FloatArray]:
    """Unknowns of one phase of a set, away from where it is and seemingly better."""
    phase, own = found.phases[index], found.layout.blocks[index]
    room, row = known.rooms[known.phases.index(phase)]
    side = known.batches[room]
    here = found.theta[found.layout.own(index)]
    starts = [
        *_moved(phase, own, here, seed),
        *islice(_exchanged(phase, own, here), ORDERS),
    ]
    early, worth = _placed(side, row, left, starts, EARLY)
    hopeful = [early[one] for one in np.argsort(-worth)[:HOPEFUL]]
    places, worth = _placed(side, row, left, [here, *hopeful], LATE)
    chosen: list[int] = []
    for one in np.argsort(-worth).tolist():
        if worth[one] < worth[0] + BETTER or len(chosen) == FITTED:
            break
        if all(abs(worth[one] - worth[other]) > BETTER for other in chosen):
            chosen.append(one)
    return [places[one] for one in chosen]


def _placed(
    side: Batch, row: int, left: Residue, starts: Sequence[FloatArray], steps: int
) -> tuple[list[FloatArray], FloatArray]:
    """One phase placed from each of some starts, and what it is worth there."""
    size = len(starts[0])
    many = np.zeros((len(starts), side.middle.shape[1]))
    many[:, :size] = starts
    theta, worth = placed(left, side.chosen(np.full(len(many), row)), many, steps)
    return list(theta[:, :size]), np.where(np.isfinite(worth), worth, -np.inf)


def _moved(
    phase: PhasePattern, own: Block, here: FloatArray, seed: int
) -> list[FloatArray]:
    """The unknowns of a phase with the values of some sites, or of all, drawn anew."""
    generator = np.random.default_rng(seed)
    count = min(STARTS * (len(phase.sites) - 1), MOST)
    starts = np.tile(here, (count, 1))
    starts[:, own.share] = 0.0
    move = np.ones((count, len(phase.sites)), dtype=bool)
    for one in range(count // 3, count):
        move[one] = False
        move[one, generator.permutation(len(phase.sites))[:MOVED]] = True
    for j, (site, places) in enumerate(zip(phase.sites, own.values, strict=True)):
        drawn = np.stack([d.draw(generator, count) for d in site.priors], axis=1)
        starts[:, places] = np.where(move[:, j, None], drawn, here[places])
    return list(starts)


def _exchanged(
    phase: PhasePattern, own: Block, here: FloatArray
) -> Iterator[FloatArray]:
    """The unknowns of a phase with the values of its sites in other orders."""
    for order in _orders([site.kind for site in phase.sites]):
        theta = here.copy()
        for places, source in zip(own.values, order, strict=True):
            theta[places] = here[own.values[source]]
        yield theta


def traded(spectrum: Spectrum, found: Mixture) -> list[FloatArray]:
    """Unknowns of a set with two sites of different phases exchanged, the likeliest."""
    layout = found.layout
    least = log_prior(layout, found.theta, spectrum)[0] - COST
    sites = [
        (index, j, site.kind)
        for index, phase in enumerate(found.phases)
        for j, site in enumerate(phase.sites)
    ]
    made = []
    for (one, i, kind), (other, j, another) in combinations(sites, 2):
        if one == other or kind != another or len(sites) == len(found.phases):
            continue
        theta = _trade(found, (one, i), (other, j))
        worth = log_prior(layout, theta, spectrum)[0]
        if worth > least:
            made.append((worth, theta))
    return [theta for _, theta in sorted(made, key=lambda pair: -pair[0])[:TRADED]]


def _trade(found: Mixture, one: tuple[int, int], other: tuple[int, int]) -> FloatArray:
    """The unknowns with the values and areas of two sites exchanged."""
    layout, theta = found.layout, found.theta.copy()
    places = [layout.sites_of(index)[site] for index, site in (one, other)]
    theta[places[0]], theta[places[1]] = found.theta[places[1]], found.theta[places[0]]
    shares = layout.shares + found.theta[layout.share]
    numbers = [int(layout.first_site[index]) + site for index, site in (one, other)]
    logs = np.empty_like(shares)
    for index in range(len(found.phases)):
        own = layout.of_site == index
        whole = found.theta[layout.area[index]] - logsumexp(shares[own])
        logs[own] = shares[own] + whole
    logs[numbers] = logs[numbers[::-1]]
    for index in (one[0], other[0]):
        own = layout.of_site == index
        off = logs[own] - layout.shares[own]
        theta[layout.share[own]] = off - off.mean()
        theta[layout.area[index]] = logsumexp(logs[own])
    return theta


def _orders(kinds: Sequence[str]) -> list[list[int]]:
    """The other orders of a few sites of one kind; of more, two of one kind exchanged."""
    usual = list(range(len(kinds)))
    if len(kinds) <= FEW and len(set(kinds)) == 1:
        return [list(order) for order in permutations(usual)][1:]
    pairs = [(a, b) for a, b in combinations(usual, 2) if kinds[a] == kinds[b]]
    return [[b if i == a else a if i == b else i for i in usual] for a, b in pairs]
