"""Search without a starting value: components are placed one after another.

Every draw of the prior gives each component one curve, an atom.  The atoms of all
components not yet placed are scored by what they would take out of the weighted
residual; the best few are placed on each of the best few partial fits, refined with
the linear unknowns eliminated, and the best of those go on (beam search).  A random
start almost never finds narrow lines (0.3 % a start on three sextets), a greedy choice
can be wrong at the first line; several beams repair that at the cost of milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate, projection, slope
from specfit.inference.ascent import Ascended, ascended
from specfit.inference.exchange import Own, without_level

BASES = 64
"""Prior draws tried to complete a partial assignment so that every rule holds."""
LOOKED = 3
"""Prior draws at which it is seen which unknown moves which curve."""
SAME_PLACE = 0.9
"""Correlation of two atoms above which one of them is enough as a candidate."""
CANDIDATES = 8
"""Atoms tried on each beam, of all components that are not yet placed."""
LABELS = 2
"""How many components may be tried at the same place."""
SCANNED = 2000
"""Atoms looked at for distinct places, best first."""
RESEMBLES = 0.5
"""Correlation with a curve to be avoided above which an atom is left out."""
ATOM_BYTES = 2**26
"""Memory that the curves of all atoms may take."""
FIRST_STEPS = 3
"""Steps uphill after which candidates are compared for the first time."""
FULL_STEPS = 12


@dataclass(frozen=True)
class Beam:
    """A partial fit: the position, which components are placed, and how well.

    value: −½χ² + log prior; curves: (n_components, n_data) what each component takes
    away, weighted; avoided: unit curves (n, n_data) that the next component is not to
    resemble by a correlation of `likeness`.
    """

    position: FloatArray
    placed: FloatArray
    value: float
    chi2: float
    fitted: FloatArray  # (n_data,), weighted
    curves: FloatArray
    avoided: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    likeness: float = RESEMBLES


@dataclass(frozen=True)
class Stock:
    """What candidates are taken from: prior draws and the curves of all components.

    values: name → (n,) constrained; curves: (n_components, n, n_data), weighted, of
    unit norm or zero where not usable, in single precision; bases: draws that complete
    an assignment, the median of the prior first; twins: for each component those that it
    may be exchanged with: the first of them is placed first, from the atoms of all;
    pattern: which unknowns move which curves.
    """

    problem: Problem
    pattern: slope.Pattern
    own: tuple[tuple[str, ...], ...]
    values: dict[str, FloatArray]
    curves: FloatArray
    bases: dict[str, FloatArray]
    twins: tuple[tuple[int, ...], ...]


def stock(
    problem: Problem,
    values: dict[str, FloatArray],
    positions: FloatArray,
    groups: Sequence[Own] = (),
) -> Stock:
    """The atoms of n prior draws, fewer where their curves would fill the memory.

    values: name → (n,) constrained; positions: (n, dimension), the same unconstrained;
    groups: components that may be exchanged.
    """
    parts = problem.separable
    assert parts is not None
    n_data = int(parts.target(problem.data)[0].shape[0])
    limit = max(64, ATOM_BYTES // (8 * n_data * len(parts.component_names)))
    few = {name: value[:limit] for name, value in values.items()}
    curves = projection.atoms(problem, few)
    middle = np.median(positions, axis=0)[None]
    at_middle = evaluate.constrain(problem, middle)
    bases = {
        name: np.concatenate([at_middle[name], value[: BASES - 1]])
        for name, value in few.items()
    }
    twins = _twins(parts.component_names, groups)
    pattern = slope.pattern(problem, positions[:LOOKED])
    own = parts.component_parameters
    return Stock(problem, pattern, own, few, curves, bases, twins)


def _twins(names: Sequence[str], groups: Sequence[Own]) -> tuple[tuple[int, ...], ...]:
    member = [
        next((i for i, group in enumerate(groups) if _belongs(name, group)), None)
        for name in names
    ]
    levels = [name.partition("[")[2] for name in names]
    return tuple(
        tuple(
            j
            for j in range(len(names))
            if j != k
            and member[j] is not None
            and (member[j], levels[j]) == (member[k], levels[k])
        )
        for k in range(len(names))
    )


def _belongs(name: str, group: Own) -> bool:
    own = f"{without_level(name)}."
    return any(full.startswith(own) for names in group for full in names.values())


def whole_beams(stock: Stock, beams: int) -> list[Beam]:
    """Full fits, every component placed from nothing, best first, at most `beams`."""
    middle = {name: value[:1] for name, value in stock.bases.items()}
    start = evaluate.unconstrain(stock.problem, middle)[0]
    nothing = seen(stock, start, np.zeros(len(stock.own)))
    return grow(stock, [nothing], len(stock.own), beams)


def grow(stock: Stock, found: list[Beam], steps: int, beams: int) -> list[Beam]:
    """Beams with `steps` more components, the best `beams` of them, best first."""
    for _ in range(steps):
        placed = [one for beam in found for one in extended(stock, beam, CANDIDATES)]
        rough = best(refined(stock, placed, FIRST_STEPS), 2 * beams)
        found = best(refined(stock, rough, FULL_STEPS), beams)
    return found


def seen(stock: Stock, position: FloatArray, placed: FloatArray) -> Beam:
    """The beam at a position, as it stands."""
    nothing = np.zeros(0)
    beam = Beam(position, placed, 0.0, 0.0, nothing, nothing)
    return refined(stock, [beam], 0)[0]


Candidate = tuple[int, int, int]
"""A component, the one whose atom it takes (itself or a twin), and the draw."""


def _candidates(stock: Stock, beam: Beam, count: int) -> list[Candidate]:
    """The atoms that take most out of the residual.

    At most `count`, at distinct places, `LABELS` components at one place.
    """
    left = projection.residual(stock.problem, beam.position, beam.placed)
    present = np.linalg.norm(left.columns, axis=1) > 0.0
    basis = np.linalg.qr(left.columns[present].T)[0]
    sources = [
        (int(k), j)
        for k in np.flatnonzero(beam.placed == 0.0)
        if not any(beam.placed[twin] == 0.0 for twin in stock.twins[k] if twin < k)
        for j in (int(k), *stock.twins[k])
    ]
    gains = np.stack([_gain(stock.curves[j], left, basis, beam) for _, j in sources])
    chosen: list[Candidate] = []
    for flat in np.argsort(-gains, axis=None)[:SCANNED]:
        place, draw = (int(i) for i in np.unravel_index(flat, gains.shape))
        if len(chosen) == count or gains[place, draw] <= 0.0:
            break
        (k, source), curve = sources[place], stock.curves[sources[place][1], draw]
        near = [c for c, j, d in chosen if stock.curves[j, d] @ curve > SAME_PLACE]
        if len(near) < LABELS and k not in near:
            chosen.append((k, source, draw))
    return chosen


def _gain(
    curves: FloatArray, left: projection.Projection, basis: FloatArray, beam: Beam
) -> FloatArray:
    """By how much each of n unit curves (n, n_data) would lower χ²."""
    size = float(np.linalg.norm(left.residual)) or 1.0
    against = np.column_stack([left.residual / size, basis, *beam.avoided])
    found = curves @ against.astype(curves.dtype)
    inside = found[:, 1 : basis.shape[1] + 1]
    outside = np.maximum(1.0 - np.sum(inside**2, axis=1), 1e-4)
    gain: FloatArray = (size * np.maximum(-found[:, 0], 0.0)) ** 2 / outside
    gain[(found[:, basis.shape[1] + 1 :] > beam.likeness).any(axis=1)] = 0.0
    return gain


def _seated(
    stock: Stock, wanted: list[dict[str, FloatArray]], base: int
) -> tuple[FloatArray, evaluate.Flags]:
    """Positions with each of the `wanted` values in one of the bases, and if they hold."""
    count = len(wanted)
    mixed = {n: np.full(count, v[base]) for n, v in stock.bases.items()}
    for row, values in enumerate(wanted):
        for name, value in values.items():
            mixed[name][row] = value
    z = evaluate.unconstrain(stock.problem, mixed)
    back = evaluate.constrain(stock.problem, z)
    kept = [
        all(abs(back[n][row] - v) <= 1e-6 * (1.0 + abs(v)) for n, v in values.items())
        for row, values in enumerate(wanted)
    ]
    return z, np.isfinite(z).all(axis=1) & np.array(kept)


def extended(stock: Stock, beam: Beam, count: int) -> list[Beam]:
    """The beam with one more component in the best `count` ways, as the atoms stand.

    A way is left out where no base completes it so that every rule holds.
    """
    at_beam = evaluate.constrain(stock.problem, beam.position[None])
    settled = {n for k in np.flatnonzero(beam.placed) for n in stock.own[k]}
    known = {n: at_beam[n][0] for n in settled & stock.values.keys()}
    chosen = _candidates(stock, beam, count)
    wanted = [
        {
            mine: stock.values[theirs][draw]
            for mine, theirs in zip(stock.own[k], stock.own[j], strict=True)
            if mine in stock.values
        }
        | known
        for k, j, draw in chosen
    ]
    seats: dict[int, FloatArray] = {}
    for base in range(len(next(iter(stock.bases.values())))):
        rows = [row for row in range(len(wanted)) if row not in seats]
        if not rows:
            break
        z, holds = _seated(stock, [wanted[row] for row in rows], base)
        seats |= {row: z[i] for i, row in enumerate(rows) if holds[i]}
    places = np.eye(len(beam.placed))
    return [
        replace(beam, position=seats[row], placed=beam.placed + places[chosen[row][0]])
        for row in sorted(seats)
    ]


def refined(stock: Stock, beams: Sequence[Beam], steps: int) -> list[Beam]:
    """The beams after some steps uphill, without those whose density is not finite."""
    if not beams:
        return []
    z = np.stack([beam.position for beam in beams])
    placed = np.stack([beam.placed for beam in beams])
    found = ascended(stock.problem, stock.pattern, z, placed, steps)
    return [
        replace(
            beam,
            position=row.position,
            value=float(row.value),
            chi2=float(row.chi2),
            fitted=row.fitted,
            curves=row.curves,
        )
        for beam, row in zip(beams, map(Ascended, *found), strict=True)
        if np.isfinite(row.value) and np.isfinite(row.chi2)
    ]


def best(beams: list[Beam], count: int) -> list[Beam]:
    """The best beams, at most two labellings of the same components.

    Two ways to share out the same lines are different fits, though their sums agree.
    """
    kept: list[Beam] = []
    for beam in sorted(beams, key=lambda b: -b.value):
        same = [b for b in kept if alike(b, beam)]
        relabelled = all((b.placed != beam.placed).any() for b in same)
        if len(same) < 2 and relabelled:
            kept.append(beam)
        if len(kept) == count:
            break
    return kept


def alike(one: Beam, other: Beam) -> bool:
    """Whether two fits agree to one sd in their sum and in their components."""
    if np.sum((one.fitted - other.fitted) ** 2) >= 1.0:
        return False
    apart = one.curves[:, None] - other.curves
    nearest = np.einsum("ijk,ijk->ij", apart, apart).min(axis=1)
    return bool((nearest < 1.0).all())
