"""Other places where an unknown site would explain a spectrum almost as well.

What: the site is taken out of its set, every appearance that was drawn of it is laid on
what is left, the best are placed there side by side, and the whole set is fitted with
each place that is not the same as another.  Why: a weak site may stand at several places;
who is told of one alone takes its small errors for knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum, block, tuple_of
from specfit.identify.mixture import Mixture, fitted
from specfit.identify.placing import placed
from specfit.identify.residue import without
from specfit.identify.screen import Bank, bank, explained

DRAWS, STARTS, STEPS = 6000, 48, 24
"""Appearances that are looked at, those that are placed, and steps of placing."""
FITTED = 4
"""Places that are worth a fit of the whole set, at most."""
SLIGHT = np.log(10.0)
"""Nats by which another place may be worse and is still named: odds of 10 to 1."""


@dataclass(frozen=True)
class Place:
    """IS, QS, Bint of an unknown site elsewhere; odds: against the place that it has."""

    values: FloatArray
    odds: float


def other_places(spectrum: Spectrum, found: Mixture, index: int) -> list[Place]:
    """Where an unknown site of a set might stand as well, the likeliest first."""
    phase, own = found.phases[index], found.layout.own(index)
    (site,) = phase.sites
    known = bank(spectrum, (replace(phase, sites=(replace(site, draws=DRAWS),)),))
    left = without(spectrum, found, (index,))
    lines = block(phase, tuple_of(spectrum.slopes)).moves
    starts = _starts(known, explained(known, left), found.theta[own], lines)
    side = known.batches[0].chosen(np.zeros(len(starts), dtype=int))
    many = np.pad(starts, ((0, 0), (0, side.middle.shape[1] - starts.shape[1])))
    thetas, worth = placed(left, side, many, STEPS)
    seen, places = [found], []
    for one in np.argsort(-np.where(np.isfinite(worth), worth, -np.inf)).tolist():
        theta = found.theta.copy()
        theta[own] = thetas[one, : starts.shape[1]]
        if len(seen) > FITTED or worth[one] < worth.max() - 2.0 * SLIGHT:
            break
        if any(_same(theta, other, index) for other in seen):
            continue
        other = fitted(spectrum, found.phases, theta)
        if other is None or any(_same(other.theta, o, index) for o in seen):
            continue
        seen.append(other)
        odds = float(np.exp(other.log_evidence - found.log_evidence))
        places.append(Place(other.theta[other.layout.sites_of(index)[0]], odds))
    likely = [place for place in places if place.odds > np.exp(-SLIGHT)]
    return sorted(likely, key=lambda place: -place.odds)


def _starts(
    known: Bank,
    worth: tuple[FloatArray, FloatArray],
    here: FloatArray,
    moves: FloatArray,
) -> FloatArray:
    """Unknowns of the site as in the draws that explain most, no two alike."""
    inner, size = worth
    gain = np.where(inner > 0.0, inner**2 / size, 0.0)
    drawn = np.tile(here, (len(gain), 1))
    drawn[:, 0] = np.log(np.maximum(inner / size, 1e-4))
    drawn[:, 3:] = np.stack(known.values)
    lines = np.sort(drawn @ moves.T, axis=1)
    near = 0.5 * float(np.exp(here[1]))
    chosen: list[int] = []
    while len(chosen) < STARTS and gain.max() > 0.0:
        chosen.append(int(np.argmax(gain)))
        gain[(np.abs(lines - lines[chosen[-1]]) < near).all(axis=1)] = 0.0
    return drawn[chosen]


def _same(theta: FloatArray, other: Mixture, index: int) -> bool:
    """Whether the lines of a site stand where they stand in another fit."""
    layout = other.layout
    moves = layout.moves[layout.of_line == index]
    far = np.sort(moves @ theta) - np.sort(moves @ other.theta)
    near = 0.5 * np.exp(other.theta[layout.width[index]])
    return bool((np.abs(far) < near).all())
