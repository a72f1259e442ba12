"""Which phases are there: sets grown phase by phase, each fitted, ranked by evidence.

A few sets of each size go on side by side.  Then the best are taken apart: each phase,
and each pair of them, is taken out and the place it leaves is offered to every other,
until none of the best sets has changed.  So an early mistake is mended, and the order in
which phases were found does not matter.

That is done for the spectrum as if it had been measured for a hundredth of the time, then
a tenth, then as it is.  With all its counts a phase of many sites, bent to what several
others absorb, explains so much more than any of these alone that they are never tried;
with few counts what the records say of each weighs as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify import residue
from specfit.identify.appearance import Spectrum
from specfit.identify.elsewhere import elsewhere, traded
from specfit.identify.layout import layout_of
from specfit.identify.mixture import Mixture, fitted
from specfit.identify.patterns import PhasePattern
from specfit.identify.ranking import (
    Ranking,
    evidence_of_nothing,
    lacking,
    ranked,
    score,
)
from specfit.identify.screen import Bank, Guess, bank, promising
from specfit.identify.unknown import premature

TRIED, WITHIN = 6, 12.0
"""Phases fitted in each place, and nats below the most promising at which none is."""
BEAMS, MOST = 3, 8
"""Sets of each size that go on, and phases in a set at most."""
TOP, MENDED = 3, 12
"""Sets that are taken apart, and how many times at most."""
AGAIN, GAINED = 4, 0.1
"""How often the modes of a phase are searched as long as that gains so many nats."""
STANDS_IN, FOLLOWED = 3, 3
"""Sites with which a phase may stand in for two others, and how many of those that take
its place are then given a second."""
STEP, FAINTEST, TAKEN_OVER = 10.0, 500.0, 12
"""Each rung has so many times the counts of the one before; the first has at least so
many nats to explain; and so many sets go on from rung to rung."""


@dataclass
class Search:
    """A search under way: what is known, and the best fit of every set seen so far."""

    spectrum: Spectrum
    known: Bank
    held: frozenset[str] = frozenset()
    seen: dict[frozenset[str], Mixture] = field(default_factory=dict)
    done: set[tuple[int, ...]] = field(default_factory=set)

    def score(self, found: Mixture) -> float:
        """Log-evidence and log prior of a set."""
        return score(found, len(self.known.phases), self.held)

    def best(self, sets: Iterable[Mixture], count: int) -> list[Mixture]:
        """The best of some sets."""
        return sorted(sets, key=lambda one: -self.score(one))[:count]

    def different(self, count: int) -> list[Mixture]:
        """The best sets that are not the same but for twins."""
        chosen: dict[tuple[int, ...], Mixture] = {}
        for found in self.best(self.seen.values(), len(self.seen)):
            chosen.setdefault(self.known.family(found.names), found)
            if len(chosen) == count:
                break
        return list(chosen.values())

    def keep(self, found: Mixture | None) -> Mixture | None:
        """Remember a set by its best fit; that fit."""
        if found is None:
            return None
        other = self.seen.get(found.names)
        if other is None or found.log_evidence > other.log_evidence:
            self.seen[found.names] = found
        return self.seen[found.names]

    def take_over(self, last: Search) -> None:
        """Fit the best sets of another search of the same spectrum, thinned, again."""
        for found in last.different(TAKEN_OVER):
            start = found.theta.copy()
            start[0] += np.log(self.spectrum.level / last.spectrum.level)
            self.keep(fitted(self.spectrum, found.phases, start))

    def grown(self, found: Mixture | None) -> list[Mixture]:
        """The set with each of the most promising phases added."""
        if found is None:
            return self._with(None, (), residue.of_nothing(self.spectrum))
        return self._with(found, (), residue.without(self.spectrum, found))

    def replaced(self, found: Mixture, members: Sequence[int]) -> list[Mixture]:
        """The set with the most promising phases in the place of some of its own."""
        left = residue.without(self.spectrum, found, members)
        return self._with(found, members, left)

    def simplified(self, found: Mixture, index: int) -> list[Mixture]:
        """The set with the best of the phases of fewer sites in the place of one."""
        left = residue.without(self.spectrum, found, (index,))
        rest = [i for i in range(len(found.phases)) if i != index]
        taken = {found.phases[i].name for i in rest}
        sites = len(found.phases[index].sites)
        guesses = promising(self.known, left, taken | premature(taken))
        simpler = [guess for guess in guesses if len(guess.phase.sites) < sites]
        made = [self.keep(self._joined(found, rest, g)) for g in simpler[:FOLLOWED]]
        return [one for one in made if one is not None]

    def _with(
        self, found: Mixture | None, members: Sequence[int], left: residue.Residue
    ) -> list[Mixture]:
        n = len(found.phases) if found else 0
        rest = [i for i in range(n) if i not in members]
        taken = {found.phases[i].name for i in rest} if found else set()
        guesses = promising(self.known, left, taken | premature(taken))
        there = [found.phases[i] for i in rest] if found else []
        worth = {g: g.worth - lacking([*there, g.phase], self.held) for g in guesses}
        guesses.sort(key=lambda guess: -worth[guess])
        made = []
        for guess in guesses[:TRIED]:
            if worth[guess] > worth[guesses[0]] - WITHIN:
                made.append(self.keep(self._joined(found, rest, guess)))
        return [one for one in made if one is not None]

    def _joined(
        self, found: Mixture | None, rest: Sequence[int], guess: Guess | None
    ) -> Mixture | None:
        """Some phases of a set where they are, and another, fitted together."""
        phases = [found.phases[i] for i in rest] if found else []
        pieces = [found.theta[found.layout.own(i)] for i in rest] if found else []
        if guess is not None:
            phases.append(guess.phase)
            pieces.append(guess.theta)
        if not phases:
            return None
        start = layout_of(self.spectrum, phases).start(self.spectrum)
        if found is not None:
            first = found.layout.first
            start[:first] = found.theta[:first]
        start[len(start) - sum(map(len, pieces)) :] = np.concatenate(pieces)
        return fitted(self.spectrum, phases, start)

    def relocated(self, found: Mixture) -> Mixture:
        """The set with its phases of several sites at other modes, where that is better."""
        best = self._better(found, traded(self.spectrum, found))
        for phase in found.phases:
            for seed in range(AGAIN if len(phase.sites) > 1 else 0):
                before = best
                best = self._moved(best, best.phases.index(phase), seed)
                if best is before:
                    break
        return best

    def _moved(self, found: Mixture, index: int, seed: int) -> Mixture:
        """The set with one phase at the best of the other places it may stand."""
        left = residue.without(self.spectrum, found, (index,))
        starts = []
        for theta in elsewhere(self.known, left, found, index, seed):
            starts.append(found.theta.copy())
            starts[-1][found.layout.own(index)] = theta
        return self._better(found, starts)

    def _better(self, found: Mixture, starts: Iterable[FloatArray]) -> Mixture:
        """The set fitted from other starts, where one of them leads to a better mode."""
        best = found
        for start in starts:
            other = fitted(self.spectrum, found.phases, start)
            if other is not None and other.log_evidence > best.log_evidence + GAINED:
                best = other
        if best is not found:
            self.keep(best)
        return best

    def apart(self, found: Mixture) -> None:
        """Every phase taken out and replaced, every pair replaced by one."""
        found = self.relocated(found)
        n = len(found.phases)
        everyone = range(n)
        for index in everyone:
            self.keep(self._joined(found, [i for i in everyone if i != index], None))
            self.replaced(found, (index,))
            if len(found.phases[index].sites) >= STANDS_IN:
                for other in self.simplified(found, index):
                    self.grown(other)
        for pair in combinations(everyone, 2):
            self.replaced(found, pair)
        self.grown(found)


def identify(
    spectrum: Spectrum,
    phases: Sequence[PhasePattern],
    progress: Callable[[float, str], None] = lambda done, words: None,
    held: frozenset[str] = frozenset(),
) -> Ranking:
    """The sets of phases that explain a spectrum best.

    held: elements that are said to be in one of the phases that are there.
    """
    known = bank(spectrum, phases)
    rungs = _rungs(spectrum)
    search: Search | None = None
    for number, share in enumerate(rungs):
        last, search = search, Search(_thinned(spectrum, share), known, held)

        def tell(done: float, words: str, number: int = number) -> None:
            progress((number + done) / len(rungs), words)

        if last is None:
            _grow(search, tell)
        else:
            search.take_over(last)
        _mend(search, tell)
    assert search is not None
    nothing = evidence_of_nothing(spectrum) - lacking((), held)
    found = [m for m in search.seen.values() if search.score(m) > nothing]
    return ranked(found, len(phases), held)


def _rungs(spectrum: Spectrum) -> list[float]:
    """Shares of the counts with which a spectrum is looked at, the last one 1."""
    dip = spectrum.counts - spectrum.level
    nats = 0.5 * float(dip @ dip) / spectrum.level
    count = int(np.clip(np.log(nats / FAINTEST) / np.log(STEP), 0.0, 4.0))
    return [STEP**-k for k in range(count, -1, -1)]


def _thinned(spectrum: Spectrum, share: float) -> Spectrum:
    """The same spectrum as if it had been measured for a shorter time."""
    return (
        replace(spectrum, counts=share * spectrum.counts) if share < 1.0 else spectrum
    )


def _grow(search: Search, progress: Callable[[float, str], None]) -> None:
    beams: list[Mixture | None] = [None]
    best = -np.inf
    for size in range(1, MOST + 1):
        level = {m.names: m for one in beams for m in search.grown(one)}
        kept = search.best(level.values(), BEAMS)
        if not kept:
            return
        beams = list(kept)
        top = search.score(kept[0])
        progress(0.5 * size / MOST, ", ".join(sorted(kept[0].names)))
        if top < best:
            return
        best = top


def _mend(search: Search, progress: Callable[[float, str], None]) -> None:
    """Take the best sets apart until none of them has changed."""
    for turn in range(MENDED):
        order = search.different(TOP)
        fresh = [m for m in order if search.known.family(m.names) not in search.done]
        if not fresh:
            return
        progress(0.5 + 0.5 * turn / MENDED, ", ".join(sorted(order[0].names)))
        search.done.add(search.known.family(fresh[0].names))
        search.apart(fresh[0])
