"""Sets ranked by evidence, and gathered to answers: sets that a spectrum cannot tell apart.

Two sets belong to one answer where one becomes the other by exchanging single phases, and
each such exchange alone costs no more than `ALIKE` nats: the spectrum cannot tell the
phases apart, and which of them is named first is chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import lgamma

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum
from specfit.identify.layout import BASE, LEVEL
from specfit.identify.mixture import Mixture
from specfit.identify.patterns import PhasePattern

FAR = 12.0
"""Nats behind the best at which a set is no longer listed."""
TURNS = 8
"""Newton's steps to the mode of a baseline, which is almost linear in its unknowns."""
LACKING = 3.0
"""Nats against a set for each element that is said to be in one of its phases and is in
none: whoever says so is wrong once in twenty times."""
ALIKE = 3.0
"""Nats that an exchange may cost: odds of 20 to 1."""


@dataclass(frozen=True)
class Ranking:
    """Sets of phases, the most probable first, and their probabilities."""

    sets: tuple[Mixture, ...]
    scores: FloatArray

    @property
    def probabilities(self) -> FloatArray:
        """Among the sets that were looked at."""
        shares: FloatArray = np.exp(self.scores - logsumexp(self.scores))
        return shares

    def answers(self) -> tuple[Answer, ...]:
        """The sets gathered to answers, the most probable first."""
        left = list(range(len(self.sets)))
        found = []
        while left:
            best = left[0]
            stand_ins = self._stand_ins(best)
            own = [i for i in left if self._same(best, i, stand_ins)]
            left = [i for i in left if i not in own]
            sum_ = float(self.probabilities[own].sum())
            found.append(Answer(self.sets[best], sum_, stand_ins))
        return tuple(sorted(found, key=lambda answer: -answer.probability))

    def _stand_ins(self, best: int) -> dict[str, tuple[str, ...]]:
        """For each phase of a set those that could stand in its place, likeliest first."""
        names = self.sets[best].names
        found: dict[str, list[str]] = {name: [] for name in names}
        for other, score_ in zip(self.sets, self.scores, strict=True):
            gone, new = names - other.names, other.names - names
            if len(gone) == len(new) == 1 and score_ > self.scores[best] - ALIKE:
                found[next(iter(gone))].append(next(iter(new)))
        return {name: tuple(others) for name, others in found.items()}

    def _same(
        self, best: int, other: int, stand_ins: Mapping[str, tuple[str, ...]]
    ) -> bool:
        mine, others = self.sets[best].names, self.sets[other].names
        gone, new = sorted(mine - others), sorted(others - mine)
        if len(gone) != len(new):
            return False
        return any(
            all(b in stand_ins[a] for a, b in zip(gone, order, strict=True))
            for order in permutations(new)
        )


@dataclass(frozen=True)
class Answer:
    """Sets that the spectrum cannot tell apart: the best, and what could replace what.

    probability: of all of them together.  stand_ins: by phase, likeliest first.
    """

    best: Mixture
    probability: float
    stand_ins: Mapping[str, tuple[str, ...]]


def evidence_of_nothing(spectrum: Spectrum) -> float:
    """Laplace's log-evidence of a spectrum without any dip.

    It has the level, slope and curvature that a mixture has, under the same priors.
    """
    spread = np.array([LEVEL, BASE, BASE])
    counts, theta = spectrum.counts, np.zeros(3)
    for _ in range(TURNS):
        shape = 1.0 + theta[1:] @ spectrum.powers
        expected = spectrum.level * np.exp(theta[0]) * shape
        slopes = np.vstack(
            [np.ones(counts.size), spectrum.powers / shape]
        )  # of the log
        gradient = slopes @ (counts - expected) - theta / spread**2
        hessian = (slopes * expected) @ slopes.T + np.diag(spread**-2)
        value = _deviance(counts, expected) - 0.5 * float(np.sum((theta / spread) ** 2))
        theta = theta + np.linalg.solve(hessian, gradient)
    bent = float(np.linalg.slogdet(hessian)[1])
    return value - float(np.sum(np.log(spread))) - 0.5 * bent


def _deviance(counts: FloatArray, expected: FloatArray) -> float:
    """Log-likelihood up to what the counts alone decide."""
    ratio = expected / np.maximum(counts, 1.0)
    return float(np.sum(counts * np.log(ratio) - (expected - counts)))


def lacking(phases: Sequence[PhasePattern], held: frozenset[str]) -> float:
    """What the elements that a set should hold and does not count against it (nats).

    A phase of no known formula may hold anything.
    """
    own = [phase.elements for phase in phases]
    return LACKING * len(held.difference(*own)) if all(own) else 0.0


def score(found: Mixture, n_known: int, held: frozenset[str] = frozenset()) -> float:
    """Log-evidence and log prior of a set: each number of phases, then each set, alike.

    held: elements that are said to be in one of its phases.
    """
    n = len(found.phases)
    ways = lgamma(n_known + 1) - lgamma(n + 1) - lgamma(n_known - n + 1)
    weights = sum(one.log_weight for one in found.phases)
    return found.log_evidence - ways + weights - lacking(found.phases, held)


def ranked(
    found: Iterable[Mixture], n_known: int, held: frozenset[str] = frozenset()
) -> Ranking:
    """The sets within `FAR` of the best."""
    order = sorted(found, key=lambda one: -score(one, n_known, held))
    if not order:
        return Ranking((), np.zeros(0))
    scores = np.array([score(one, n_known, held) for one in order])
    near = scores > scores[0] - FAR
    return Ranking(
        tuple(one for one, kept in zip(order, near, strict=True) if kept), scores[near]
    )
