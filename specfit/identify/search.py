"""Which phases are there: sets grown phase by phase, each fitted, ranked by evidence.

What is left of the spectrum is compared with what every phase might look like (draws of
its densities), after taking out what the phases already there could do by moving; the
most promising are fitted together with them.  Sets of each size go on in parallel, and
each member of the best is taken out again and replaced, so that an early mistake can be
mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum, lines
from specfit.identify.mixture import TEXTURE, Layout, Mixture, fitted
from specfit.identify.patterns import PhasePattern

DRAWS = 48
"""Appearances of each site that the residual is compared with."""
TRIED, BEAMS, MOST = 24, 6, 6
"""Phases fitted to each set, sets kept of each size, phases in a set at most."""
ROUGH, KEPT = 5, 8
"""Steps of every trial, and how many of the best are fitted to the end."""
WORTH = 0.7
"""Nats that a phase must seem to explain, in units of what naming it costs."""
NEARLY, WITHIN = 0.5, 20.0
"""Share of what the most promising phase explains, and nats below that, at which another
is not tried."""
FAR = 12.0
"""Nats behind the best at which a set is no longer listed."""
TOP, MENDED = 4, 16
"""Sets that are taken apart, and how many times at most."""
PATIENCE = 2
"""Sizes without a better set after which no larger one is tried."""


@dataclass(frozen=True)
class Bank:
    """What every site of every phase may look like: unit area (n, n_channels).

    places: for each phase and site the rows of its appearances; values: what each row
    was made from, as many entries as the site has unknowns.
    """

    phases: tuple[PhasePattern, ...]
    curves: FloatArray
    values: tuple[FloatArray, ...]
    places: tuple[tuple[slice, ...], ...]


def bank(spectrum: Spectrum, phases: Sequence[PhasePattern]) -> Bank:
    """Draws of every site's appearance; the first is the most probable."""
    generator = np.random.default_rng(57)
    curves: list[FloatArray] = []
    values: list[FloatArray] = []
    places = []
    for phase in phases:
        own = []
        for site in phase.sites:
            drawn = np.stack(
                [
                    np.concatenate([[d.middle], d.draw(generator, DRAWS - 1)])
                    for d in site.priors
                ],
                axis=1,
            )
            own.append(slice(len(values), len(values) + DRAWS))
            values += list(drawn)
            curves += [_appearance(spectrum, site.kind, v, phase.width) for v in drawn]
        places.append(tuple(own))
    return Bank(tuple(phases), np.stack(curves), tuple(values), tuple(places))


def _appearance(
    spectrum: Spectrum, kind: str, values: FloatArray, width: float
) -> FloatArray:
    where, parts, _, _ = lines(kind, values, TEXTURE[0], spectrum.slopes)
    far = spectrum.velocity - where[:, None]
    curve: FloatArray = parts @ (0.5 * width / np.pi / (far**2 + 0.25 * width**2))
    return curve


@dataclass(frozen=True)
class Guess:
    """A phase that may explain what is left: its number, and where its sites may be.

    gain: nats that sites of any area would explain; area: mm/s of all of them.
    """

    number: int
    values: FloatArray
    area: float
    gain: float


def promising(
    spectrum: Spectrum, known: Bank, found: Mixture | None, count: int
) -> list[Guess]:
    """The phases that would explain most of what `found` leaves."""
    expected = np.full_like(spectrum.counts, spectrum.level)
    basis = np.ones((spectrum.counts.size, 1)) / np.sqrt(spectrum.counts.size)
    taken: frozenset[str] = frozenset()
    if found is not None:
        expected, taken = found.curve, found.names
        basis, _ = np.linalg.qr(found.design)
    left = (spectrum.counts - expected) / np.sqrt(expected)
    left = left - basis @ (basis.T @ left)
    atoms = -known.curves * (spectrum.level / np.sqrt(expected))
    whole = np.sum(atoms**2, axis=1)
    atoms = atoms - (atoms @ basis) @ basis.T
    size = np.maximum(np.sum(atoms**2, axis=1), 1e-6 * whole)
    guesses = [
        _guess(number, known, atoms, size, left)
        for number, phase in enumerate(known.phases)
        if phase.name not in taken
    ]
    least = WORTH * np.log(len(known.phases))
    able = sorted((g for g in guesses if g.gain > least), key=lambda g: -g.gain)
    return [g for g in able[:count] if g.gain > NEARLY * able[0].gain - WITHIN]


def _guess(
    number: int, known: Bank, atoms: FloatArray, size: FloatArray, left: FloatArray
) -> Guess:
    """The sites of a phase placed one after the other, each where it explains most."""
    open_, chosen = list(range(len(known.places[number]))), {}
    rest, gain, area = left, 0.0, 0.0
    while open_:
        best = (-1.0, 0, 0, 0.0)
        for site in open_:
            where = known.places[number][site]
            inner = atoms[where] @ rest
            worth = np.where(inner > 0.0, 0.5 * inner**2 / size[where], 0.0)
            row = int(np.argmax(worth))
            height = max(float(inner[row] / size[where][row]), 0.0)
            if worth[row] > best[0]:
                best = (float(worth[row]), site, where.start + row, height)
        worth_, site, row, height = best
        open_.remove(site)
        chosen[site] = known.values[row]
        gain, area = gain + worth_, area + height
        rest = rest - height * atoms[row]
    values = np.concatenate([chosen[site] for site in sorted(chosen)])
    return Guess(number, values, area, gain)


def grown(
    spectrum: Spectrum, known: Bank, found: Mixture | None, count: int = TRIED
) -> list[Mixture]:
    """The set with each of the most promising phases added."""
    made = []
    for guess in promising(spectrum, known, found, count):
        phases = (*(found.phases if found else ()), known.phases[guess.number])
        start = _extended(spectrum, phases, found, guess.values, guess.area)
        rough = fitted(spectrum, phases, start, ROUGH)
        if rough is not None:
            made.append(rough)
    made.sort(key=lambda one: -one.log_evidence)
    near = [m for m in made[:KEPT] if m.log_evidence > made[0].log_evidence - WITHIN]
    full = [fitted(spectrum, m.phases, m.theta) for m in near]
    return [one for one in full if one is not None]


def _extended(
    spectrum: Spectrum,
    phases: Sequence[PhasePattern],
    found: Mixture | None,
    values: FloatArray,
    area: float,
) -> FloatArray:
    layout = Layout(tuple(phases), spectrum.jacobian.shape[1])
    theta = layout.start(spectrum)
    if found is not None:
        theta[: found.theta.size] = found.theta
    theta[layout.area[-1]] = np.log(max(area, 1e-3))
    theta[[place for site in layout.values[-1] for place in site]] = values
    return theta


def without(spectrum: Spectrum, found: Mixture, index: int) -> Mixture | None:
    """The set without one of its phases, fitted again."""
    phases = tuple(p for i, p in enumerate(found.phases) if i != index)
    if not phases:
        return None
    old, new = found.layout, Layout(phases, spectrum.jacobian.shape[1])
    theta = new.start(spectrum)
    theta[: 2 + new.nuisances] = found.theta[: 2 + old.nuisances]
    rest = [i for i in range(len(found.phases)) if i != index]
    for to, whence in enumerate(rest):
        first, last = new.area[to], _last(new, to)
        theta[first:last] = found.theta[old.area[whence] : _last(old, whence)]
    return fitted(spectrum, phases, theta)


def _last(layout: Layout, index: int) -> int:
    return layout.values[index][-1][-1] + 1


def score(found: Mixture, n_known: int) -> float:
    """Log-evidence and log prior of a set: each number of phases, then each set, alike."""
    n = len(found.phases)
    ways = lgamma(n_known + 1) - lgamma(n + 1) - lgamma(n_known - n + 1)
    return found.log_evidence - ways + sum(one.log_weight for one in found.phases)


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


def identify(
    spectrum: Spectrum,
    phases: Sequence[PhasePattern],
    progress: Callable[[float, str], None] = lambda done, words: None,
) -> Ranking:
    """The sets of phases that explain a spectrum best."""
    known = bank(spectrum, phases)
    seen: dict[frozenset[str], Mixture] = {}
    beams: list[Mixture] = []
    best, waited = -np.inf, 0
    for size in range(1, MOST + 1):
        made: Iterable[Mixture | None] = beams or [None]
        tried = 4 * TRIED if size == 1 else TRIED
        level = [m for one in made for m in grown(spectrum, known, one, tried)]
        beams = _keep(level, seen, len(phases))
        if not beams:
            break
        top = score(beams[0], len(phases))
        progress(size / MOST, ", ".join(sorted(beams[0].names)))
        waited = 0 if top > best else waited + 1
        best = max(best, top)
        if waited == PATIENCE:
            break
    _mended(spectrum, known, seen, len(phases))
    return ranked(seen.values(), len(phases))


def _keep(
    level: Iterable[Mixture], seen: dict[frozenset[str], Mixture], n_known: int
) -> list[Mixture]:
    """The best sets of one size; all are remembered, each by its best fit."""
    own: dict[frozenset[str], Mixture] = {}
    for found in level:
        for store in (own, seen):
            other = store.get(found.names)
            if other is None or found.log_evidence > other.log_evidence:
                store[found.names] = found
    order = sorted(own.values(), key=lambda found: -score(found, n_known))
    return order[:BEAMS]


def _mended(
    spectrum: Spectrum, known: Bank, seen: dict[frozenset[str], Mixture], n_known: int
) -> None:
    """Each phase of the best sets taken out and placed anew, or another in its place.

    Until none of the best sets has changed: the order in which phases were found, and
    where they were first placed, then no longer matter.
    """
    done: set[tuple[frozenset[str], float]] = set()
    for _ in range(MENDED):
        order = sorted(seen.values(), key=lambda found: -score(found, n_known))
        fresh = [m for m in order[:TOP] if (m.names, m.log_evidence) not in done]
        if not fresh:
            return
        best = fresh[0]
        done.add((best.names, best.log_evidence))
        parts = [without(spectrum, best, i) for i in range(len(best.phases))]
        rest = [part for part in parts if part is not None]
        changed = [m for part in rest for m in grown(spectrum, known, part)]
        _keep([*rest, *changed, *grown(spectrum, known, best)], seen, n_known)


def ranked(found: Iterable[Mixture], n_known: int) -> Ranking:
    """The sets within `FAR` of the best."""
    order = sorted(found, key=lambda one: -score(one, n_known))
    scores = np.array([score(one, n_known) for one in order])
    near = scores > scores[0] - FAR
    return Ranking(
        tuple(one for one, kept in zip(order, near, strict=True) if kept), scores[near]
    )
