"""Which phases might explain what is left: first by draws of their sites, then placed.

What every site might look like is drawn once; how much of a residue the draws explain is
one matrix product.  The sites of a phase are laid down one after the other, each where
it explains most; the most promising phases are then placed together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import TEXTURE, Spectrum, block, parts, tuple_of
from specfit.identify.patterns import PhasePattern, SitePattern, twins
from specfit.identify.placing import Batch, batch, placed
from specfit.identify.residue import Residue

ROOMS = (1, 2, 6, 12, 18)
"""Phases with no more lines than this are placed side by side."""
LAID, PLACES = 120, 60
"""Phases whose sites are laid down, and phases then placed, in each residue."""
EARLY, LATE = 3, 6
"""Steps of all of them, and further steps of those that are still promising."""
HOPEFUL, BEHIND = 16, 30.0
"""The best so many are, and all not further behind the best (nats)."""
FARTHEST = 1.5
"""Spreads by which the share of a site is off at first."""
LEAST = 4.0
"""Nats that a phase must seem to explain."""


@dataclass(frozen=True, eq=False)
class Bank:
    """What every site of every phase may look like: unit area (n, n_channels).

    rows: for each phase and site its appearances; values: what each was made from.
    rooms: for each phase its batch and its row there.
    """

    phases: tuple[PhasePattern, ...]
    curves: np.ndarray
    squares: np.ndarray
    values: tuple[FloatArray, ...]
    rows: tuple[tuple[slice, ...], ...]
    sites: np.ndarray  # the first row of each site
    firsts: np.ndarray  # the first site of each phase
    batches: tuple[Batch, ...]
    rooms: np.ndarray
    twins: Mapping[str, int]

    def family(self, names: Iterable[str]) -> tuple[int, ...]:
        """What stands for a set of phases: the same for sets that differ by twins."""
        return tuple(sorted(self.twins[name] for name in names))


def bank(spectrum: Spectrum, phases: Sequence[PhasePattern]) -> Bank:
    """Draws of every site's appearance; the first is the most probable."""
    generator = np.random.default_rng(57)
    slopes = tuple_of(spectrum.slopes)
    curves: list[np.ndarray] = []
    values: list[FloatArray] = []
    rows: list[tuple[slice, ...]] = []
    for phase in phases:
        own = []
        for j, site in enumerate(phase.sites):
            drawn = _drawn(site, generator)
            own.append(slice(len(values), len(values) + site.draws))
            values += list(drawn)
            lines = block(phase, slopes)
            here = lines.site == j
            move = lines.moves[here][:, lines.values[j]]
            part, _ = parts(lines.ratio[here], TEXTURE[0])
            far = spectrum.velocity - (drawn @ move.T)[:, :, None]
            shape = 0.5 * phase.width / np.pi / (far**2 + 0.25 * phase.width**2)
            curves.append(np.einsum("dln,l->dn", shape, part).astype(np.float32))
        rows.append(tuple(own))
    room = np.searchsorted(ROOMS, [len(block(p, slopes).site) for p in phases])
    batches: list[Batch] = []
    places = np.zeros((len(phases), 2), dtype=int)
    for which in np.unique(room):
        numbers = np.flatnonzero(room == which)
        places[numbers, 0], places[numbers, 1] = len(batches), np.arange(len(numbers))
        batches.append(batch([phases[int(i)] for i in numbers], slopes))
    whole = np.concatenate(curves)
    sites = np.array([site.start for own in rows for site in own])
    firsts = np.cumsum([0, *(len(own) for own in rows[:-1])])
    return Bank(
        tuple(phases), whole, whole**2, tuple(values), tuple(rows), sites, firsts,
        tuple(batches), places, twins(phases),
    )  # fmt: skip


def _drawn(site: SitePattern, generator: np.random.Generator) -> FloatArray:
    """Draws of IS, QS, Bint (draws, n_values)."""
    columns = [
        np.concatenate([[d.middle], d.draw(generator, site.draws - 1)])
        for d in site.priors
    ]
    return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class Guess:
    """A phase that may explain what is left, and its unknowns there.

    worth: the log-evidence that it seems to add, with that of the phase itself.
    """

    phase: PhasePattern
    theta: FloatArray
    worth: float


def promising(
    known: Bank, residue: Residue, taken: Collection[str] = ()
) -> list[Guess]:
    """The phases that explain most of a residue, the best first."""
    inner, size = explained(known, residue)
    single = np.where(inner > 0.0, 0.5 * inner**2 / size, 0.0)
    bound = np.add.reduceat(np.maximum.reduceat(single, known.sites), known.firsts)
    bound[[i for i, p in enumerate(known.phases) if p.name in taken]] = 0.0
    order = [int(i) for i in np.argsort(-bound)[:LAID] if bound[i] > LEAST]
    found = [_laid(known, residue, number, inner, size) for number in order]
    found.sort(key=lambda one: -one[0])
    return _placed(known, residue, found[:PLACES])


def explained(known: Bank, residue: Residue) -> tuple[FloatArray, FloatArray]:
    """What a unit area of each appearance explains of a residue, and its curvature."""
    pull = (-residue.weight * residue.pull).astype(np.float32)
    through = (-residue.weight[:, None] * residue.response).astype(np.float32)
    inner = (known.curves @ pull).astype(float)
    within = known.squares @ (residue.weight**2).astype(np.float32)
    shared = known.curves @ through
    size = (within - np.einsum("ij,ij->i", shared, shared)).astype(float)
    return inner, np.maximum(size, 1e-4 * within)


Laid = tuple[float, int, list[FloatArray]]


def _laid(
    known: Bank, residue: Residue, number: int, inner: FloatArray, size: FloatArray
) -> Laid:
    """The sites of a phase laid down one after the other; and all at their middle."""
    rows = known.rows[number]
    begin, end = rows[0].start, rows[-1].stop
    phase, inner, size = known.phases[number], inner[begin:end].copy(), size[begin:end]
    curves = known.curves[begin:end]
    room, row = known.rooms[number]
    middle = known.batches[room].middle[row]
    open_ = np.ones(end - begin, dtype=bool)
    heights, values = np.zeros(len(rows)), [known.values[begin]] * len(rows)
    gain, draws = 0.0, (end - begin) // len(rows)
    for left in range(len(rows), 0, -1):
        worth = np.where(open_ & (inner > 0.0), 0.5 * inner**2 / size, -1.0)
        best = int(np.argmax(worth))
        site = best // draws
        if worth[best] < 0.0:  # nothing more to explain: the rest at their middle
            for rest in np.flatnonzero(open_[::draws]):
                values[rest] = known.values[begin + rest * draws]
            break
        gain += worth[best]
        heights[site] = inner[best] / size[best]
        values[site] = known.values[begin + best]
        open_[site * draws : (site + 1) * draws] = False
        if left > 1:
            signal = -residue.weight * curves[best]
            felt = signal - residue.response @ (residue.response.T @ signal)
            inner -= heights[site] * (curves @ (-residue.weight * felt))
    starts = [_start(phase, middle, heights, values)]
    if len(rows) > 1:
        starts.append(_together(known, residue, number, middle))
    return gain, number, starts


def _together(
    known: Bank, residue: Residue, number: int, middle: FloatArray
) -> FloatArray:
    """The draw of a phase, its sites in their usual ratio, that explains most."""
    phase, rows = known.phases[number], known.rows[number]
    usual = np.exp(phase.shares - phase.shares.max())
    usual = (usual / usual.sum()).astype(np.float32)
    curves = known.curves[rows[0].start : rows[-1].stop]
    drawn = np.einsum(
        "s,sdn->dn", usual, curves.reshape(len(rows), -1, curves.shape[1])
    )
    signal = -residue.weight * drawn
    felt = signal @ residue.response
    size = np.maximum(np.sum(signal**2, axis=1) - np.sum(felt**2, axis=1), 1e-6)
    inner = np.maximum(signal @ residue.pull, 0.0)
    best = int(np.argmax(inner**2 / size))
    heights = usual * inner[best] / size[best]
    values = [known.values[row.start + best] for row in rows]
    return _start(phase, middle, heights.astype(float), values)


def _start(
    phase: PhasePattern,
    middle: FloatArray,
    heights: FloatArray,
    values: Sequence[FloatArray],
) -> FloatArray:
    """The unknowns of a phase with sites of these areas and values."""
    theta = middle.copy()
    area = max(float(heights.sum()), 1e-3)
    theta[0] = np.log(area)
    usual = phase.shares - np.log(np.sum(np.exp(phase.shares)))
    off = np.log(np.maximum(heights / area, 1e-3)) - usual
    at = 2
    for j, own in enumerate(values):
        reach = FARTHEST * phase.spreads[j]
        theta[at] = np.clip(off[j], -reach, reach)
        theta[at + 1 : at + 1 + len(own)] = own
        at += 1 + len(own)
    return theta


@dataclass(frozen=True, eq=False)
class _Start:
    """Unknowns from which the phase with this number is placed; what it seems worth."""

    number: int
    theta: FloatArray
    worth: float = 0.0


def _placed(known: Bank, residue: Residue, found: Sequence[Laid]) -> list[Guess]:
    """Phases placed from each of their starts; the better of them."""
    starts = [_Start(number, theta) for _, number, thetas in found for theta in thetas]
    early = sorted(_moved(known, residue, starts, EARLY), key=lambda one: -one.worth)
    least = early[0].worth - BEHIND if early else 0.0
    hopeful = early[:HOPEFUL] + [s for s in early[HOPEFUL:] if s.worth > least]
    best: dict[int, _Start] = {}
    for one in _moved(known, residue, hopeful, LATE):
        if one.number not in best or one.worth > best[one.number].worth:
            best[one.number] = one
    order = sorted(best.values(), key=lambda one: -one.worth)
    return [Guess(known.phases[one.number], one.theta, one.worth) for one in order]


def _moved(
    known: Bank, residue: Residue, starts: Sequence[_Start], steps: int
) -> list[_Start]:
    """All of them after some steps of placing."""
    moved = []
    for room, side in enumerate(known.batches):
        here = [one for one in starts if known.rooms[one.number, 0] == room]
        if not here:
            continue
        some = side.chosen(known.rooms[[one.number for one in here], 1])
        start = np.zeros((len(here), some.middle.shape[1]))
        for row, one in zip(start, here, strict=True):
            row[: len(one.theta)] = one.theta
        theta, worth = placed(residue, some, start, steps)
        for one, row, value, size in zip(here, theta, worth, some.sizes, strict=True):
            total = float(value) + known.phases[one.number].log_weight
            if np.isfinite(total):
                moved.append(_Start(one.number, row[:size], total))
    return moved
