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

from specfit.contracts import FloatArray
from specfit.inference import evaluate
from specfit.inference.ascent import Ascended, ascended
from specfit.inference.seating import Seat, seated
from specfit.inference.stock import Stock, apart, share

SAME_PLACE = 0.9
"""Correlation of two atoms above which one of them is enough as a candidate."""
CANDIDATES = 8
"""Atoms tried on each beam, of all components that are not yet placed."""
SCANNED = 2000
"""Atoms looked at for distinct places, best first."""
RESEMBLES = 0.5
"""Correlation with a curve to be avoided above which an atom is left out."""
FIRST_STEPS = 3
"""Steps uphill after which candidates are compared for the first time."""
FULL_STEPS = 12


@dataclass(frozen=True)
class Beam:
    """A partial fit: the position, which components are placed, and how well.

    value: −½χ² + log prior; the rest is weighted: chi2; residual: (n_data,); background:
    (n_baseline, n_data), of any height; curves: (n_components, n_data), what each
    component takes away; avoided: unit curves (n, n_data) that the next component is not
    to resemble by a correlation of `likeness`.
    """

    position: FloatArray
    placed: FloatArray
    value: float
    chi2: float
    residual: FloatArray
    background: FloatArray
    curves: FloatArray
    avoided: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    likeness: float = RESEMBLES


def whole_beams(stock: Stock, beams: int) -> list[Beam]:
    """Full fits, every component placed from nothing, best first, at most `beams`."""
    middle = {name: value[:1] for name, value in stock.bases.items()}
    start = evaluate.unconstrain(stock.problem, middle)[0]
    nothing = seen(stock, start, np.zeros((1, len(stock.own))))
    return grow(stock, nothing, len(stock.own), beams)


def grow(stock: Stock, found: list[Beam], steps: int, beams: int) -> list[Beam]:
    """Beams with `steps` more components, the best `beams` of them, best first."""
    for _ in range(steps):
        placed = extended(stock, found, CANDIDATES)
        rough = best(refined(stock, placed, FIRST_STEPS), 2 * beams)
        found = best(refined(stock, rough, FULL_STEPS), beams)
    return found


def seen(stock: Stock, position: FloatArray, placed: FloatArray) -> list[Beam]:
    """The beams at a position with each set (n, n_components) placed, as they stand."""
    nothing = np.zeros(0)
    blank = Beam(position, nothing, 0.0, 0.0, nothing, nothing, nothing)
    return refined(stock, [replace(blank, placed=row) for row in placed], 0)


Candidate = tuple[int, int, int]
"""A component, the one whose atom it takes (itself or a twin), and the draw."""


def _candidates(stock: Stock, beam: Beam, count: int) -> list[Candidate]:
    """The atoms that take most out of the residual.

    At most `count`, at distinct places.
    """
    basis = fitted_basis(beam)
    sources = [
        (int(k), j)
        for k in np.flatnonzero(beam.placed == 0.0)
        if not any(beam.placed[twin] == 0.0 for twin in stock.twins[k] if twin < k)
        for j in (int(k), *stock.twins[k])
    ]
    many = [share(stock, j) for _, j in sources]
    gains = np.concatenate(
        [
            gain(stock.curves[j, :n], basis, beam)
            for (_, j), n in zip(sources, many, strict=True)
        ]
    )
    scanned = np.argsort(-gains, kind="stable")[:SCANNED]
    scanned = scanned[gains[scanned] > 0.0]
    mine, source = np.repeat(sources, many, axis=0)[scanned].T
    draw = np.concatenate([np.arange(n) for n in many])[scanned]
    curves = stock.curves[source, draw]
    taken = apart(curves, mine, SAME_PLACE, count)
    return [(int(mine[i]), int(source[i]), int(draw[i])) for i in taken]


def fitted_basis(beam: Beam) -> FloatArray:
    """Orthonormal columns (n_data, n) that span what a fit has placed already."""
    fitted = np.concatenate([beam.background, beam.curves])
    present = np.linalg.norm(fitted, axis=1) > 0.0
    basis: FloatArray = np.linalg.qr(fitted[present].T)[0]
    return basis


def gain(curves: FloatArray, basis: FloatArray, beam: Beam) -> FloatArray:
    """By how much each of n unit curves (n, n_data) would lower χ²."""
    size = float(np.linalg.norm(beam.residual)) or 1.0
    against = np.column_stack([beam.residual / size, basis, *beam.avoided])
    found = curves @ against.astype(curves.dtype)
    inside = found[:, 1 : basis.shape[1] + 1]
    outside = np.maximum(1.0 - np.sum(inside**2, axis=1), 1e-4)
    gain: FloatArray = (size * np.maximum(-found[:, 0], 0.0)) ** 2 / outside
    gain[(found[:, basis.shape[1] + 1 :] > beam.likeness).any(axis=1)] = 0.0
    return gain


def extended(stock: Stock, beams: Sequence[Beam], count: int) -> list[Beam]:
    """Every beam with one more component in the best `count` ways, as the atoms stand.

    A way is left out where no base completes it so that every rule holds.
    """
    ways = [(beam, (way,)) for beam in beams for way in _candidates(stock, beam, count)]
    return with_components(stock, ways)


def with_components(
    stock: Stock, ways: Sequence[tuple[Beam, tuple[Candidate, ...]]]
) -> list[Beam]:
    """Each beam with the atoms given to it, where a base completes it by all rules."""
    if not ways:
        return []
    seats = seated(stock.problem, stock.bases, [_seat(stock, *way) for way in ways])
    places = np.eye(len(stock.own))
    return [
        replace(
            beam,
            position=seat,
            placed=beam.placed + places[[k for k, _, _ in atoms]].sum(axis=0),
        )
        for (beam, atoms), seat in zip(ways, seats, strict=True)
        if seat is not None
    ]


def _seat(stock: Stock, beam: Beam, atoms: Sequence[Candidate]) -> Seat:
    """What a beam with more components is to be: the atoms' values, and its own."""
    own = [n for placed in np.flatnonzero(beam.placed) for n in stock.own[placed]]
    wanted = {
        a: stock.values[b][draw]
        for k, j, draw in atoms
        for a, b in zip(stock.own[k], stock.own[j], strict=True)
        if a in stock.values
    }
    return Seat(beam.position, frozenset(own) & stock.values.keys(), wanted)


def refined(stock: Stock, beams: Sequence[Beam], steps: int) -> list[Beam]:
    """The beams after some steps uphill, without those whose density is not finite."""
    if not beams:
        return []
    z = np.stack([beam.position for beam in beams])
    placed = np.stack([beam.placed for beam in beams])
    found = ascended(stock.shared, z, placed, steps)
    return [
        replace(
            beam,
            position=row.position,
            value=float(row.value),
            chi2=float(row.chi2),
            residual=row.residual,
            background=row.background,
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
        same = alike(beam, kept)
        relabelled = all((b.placed != beam.placed).any() for b in same)
        if len(same) < 2 and relabelled:
            kept.append(beam)
        if len(kept) == count:
            break
    return kept


def alike(beam: Beam, others: Sequence[Beam]) -> list[Beam]:
    """Those that agree with a fit to one sd in their sum and in their components."""
    if not others:
        return []
    apart = np.stack([other.residual for other in others]) - beam.residual
    near = np.einsum("ij,ij->i", apart, apart) < 1.0
    return [
        o for o, close in zip(others, near, strict=True) if close and _same(beam, o)
    ]


def _same(one: Beam, other: Beam) -> bool:
    """Whether each component has one like it in the other fit, and the other way round."""
    apart = one.curves[:, None] - other.curves
    distance = np.einsum("ijk,ijk->ij", apart, apart)
    return bool(max(distance.min(axis=1).max(), distance.min(axis=0).max()) < 1.0)
