"""How sure it is that each component of a set is there at all.

A set without it that explains the spectrum about as well counts against a component.
Every component of the best sets has been taken out and replaced in the search, so that
both kinds were looked at.
"""

from __future__ import annotations

import numpy as np

from specfit.identify.mixture import Mixture
from specfit.identify.ranking import Answer, Ranking
from specfit.identify.unknown import is_unknown


def presence(ranking: Ranking, answer: Answer) -> dict[str, float]:
    """For each component of an answer, by name, the probability of the sets that have it.

    A phase of the database is in a set by its name or that of one which could stand in
    its place, and by nothing else.  An unknown site has no name of its own: it is where
    something that the set has besides the phases of the answer has as many lines, each
    within half its width.
    """
    chances, found = {}, answer.best
    for index, phase in enumerate(found.phases):
        names = {phase.name, *answer.stand_ins[phase.name]}
        there = [
            _at_its_lines(found, index, other)
            if is_unknown(phase)
            else bool(names & other.names)
            for other in ranking.sets
        ]
        chances[phase.name] = float(ranking.probabilities[there].sum())
    return chances


def _at_its_lines(found: Mixture, index: int, other: Mixture) -> bool:
    if other is found:
        return True
    mine, half = _lines(found, index)
    database = {phase.name for phase in found.phases if not is_unknown(phase)}
    for number, phase in enumerate(other.phases):
        theirs, _ = _lines(other, number)
        if phase.name not in database and len(theirs) == len(mine):
            far = np.abs(np.sort(mine) - np.sort(theirs))
            if bool((far < half).all()):
                return True
    return False


def _lines(found: Mixture, index: int) -> tuple[np.ndarray, float]:
    """Where the lines of a component are, and half their width (mm/s)."""
    layout = found.layout
    where = (layout.moves @ found.theta)[layout.of_line == index]
    return where, 0.5 * float(np.exp(found.theta[layout.width[index]]))


def price(ranking: Ranking, found: Mixture) -> float | None:
    """By how much a component of a set had to lower χ² to be as probable as none.

    The mean over the components that a set without them was seen for, None without any.
    """
    by_names = {other.names: i for i, other in enumerate(ranking.sets)}
    own = ranking.scores[by_names[found.names]]
    prices = []
    for name in found.names:
        i = by_names.get(found.names - {name})
        if i is not None:
            gained = found.log_likelihood - ranking.sets[i].log_likelihood
            prices.append(2.0 * (gained - float(own - ranking.scores[i])))
    return float(np.mean(prices)) if prices else None
