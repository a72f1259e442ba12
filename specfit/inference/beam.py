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
from specfit.inference import evaluate, projection
from specfit.inference.exchange import Own, without_level
from specfit.inference.newton import climb

BASES = 64
"""Prior draws tried to complete a partial assignment so that every rule holds."""
SAME_PLACE = 0.9
"""Correlation of two atoms above which one of them is enough as a candidate."""
CANDIDATES = 8
"""Atoms tried on each beam, of all components that are not yet placed."""
LABELS = 2
"""How many components may be tried at the same place."""
SCANNED = 400
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

    values: name → (n,) constrained; curves: (n, n_components, n_data), weighted, of
    unit norm or zero where not usable; bases: draws that complete an assignment, the
    median of the prior first; twins: for each component those before it that it may be
    exchanged with, and that are therefore placed before it.
    """

    problem: Problem
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
    norms = np.sqrt(np.einsum("ijk,ijk->ij", curves, curves))[..., None]
    usable = np.isfinite(norms) & (norms > 0.0)
    curves = np.where(usable, curves, 0.0) / np.where(usable, norms, 1.0)
    middle = np.median(positions, axis=0)[None]
    at_middle = evaluate.constrain(problem, middle)
    bases = {
        name: np.concatenate([at_middle[name], value[: BASES - 1]])
        for name, value in few.items()
    }
    twins = _twins(parts.component_names, groups)
    return Stock(problem, parts.component_parameters, few, curves, bases, twins)


def _twins(names: Sequence[str], groups: Sequence[Own]) -> tuple[tuple[int, ...], ...]:
    member = [
        next((i for i, group in enumerate(groups) if _belongs(name, group)), None)
        for name in names
    ]
    levels = [name.partition("[")[2] for name in names]
    return tuple(
        tuple(
            j
            for j in range(k)
            if member[j] is not None
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
    nothing = seen(stock.problem, start, np.zeros(len(stock.own)))
    return grow(stock, [nothing], len(stock.own), beams)


def grow(stock: Stock, found: list[Beam], steps: int, beams: int) -> list[Beam]:
    """Beams with `steps` more components, the best `beams` of them, best first."""
    for _ in range(steps):
        placed = [one for beam in found for one in _extended(stock, beam)]
        promising = best(placed, 2 * beams)
        whole = [b for g in promising for b in refined(stock.problem, g, FULL_STEPS)]
        found = best(whole, beams)
    return found


def seen(problem: Problem, position: FloatArray, placed: FloatArray) -> Beam:
    """The beam at a position, judged by its misfit alone."""
    left = projection.residual(problem, position, placed)
    chi2 = float(left.residual @ left.residual)
    curves = (left.coefficients[:, None] * left.columns)[-len(placed) :]
    return Beam(
        position, placed, -0.5 * chi2, chi2, left.coefficients @ left.columns, curves
    )


def _candidates(stock: Stock, beam: Beam, count: int) -> list[tuple[int, int]]:
    """(component, draw) of the atoms that take most out of the residual.

    At most `count`, at distinct places, `LABELS` components at one place.
    """
    left = projection.residual(stock.problem, beam.position, beam.placed)
    present = np.linalg.norm(left.columns, axis=1) > 0.0
    basis = np.linalg.qr(left.columns[present].T)[0]
    free = np.array(
        [
            k
            for k in np.flatnonzero(beam.placed == 0.0)
            if not any(beam.placed[twin] == 0.0 for twin in stock.twins[k])
        ]
    )
    curves = stock.curves[:, free].reshape(-1, len(left.residual))
    inside = curves @ basis
    outside = np.maximum(1.0 - np.einsum("ij,ij->i", inside, inside), 1e-6)
    gain = np.maximum(-(curves @ left.residual), 0.0) ** 2 / outside
    if beam.avoided.size:
        gain[(curves @ beam.avoided.T > beam.likeness).any(axis=1)] = 0.0
    chosen: list[int] = []
    for row in np.argsort(-gain)[:SCANNED]:
        if len(chosen) == count or gain[row] <= 0.0:
            break
        near = [r for r in chosen if curves[r] @ curves[row] > SAME_PLACE]
        new_label = all((r - row) % len(free) for r in near)
        if len(near) < LABELS and new_label:
            chosen.append(int(row))
    return [(int(free[row % len(free)]), row // len(free)) for row in chosen]


def _seat(
    stock: Stock, wanted: dict[str, FloatArray]
) -> tuple[FloatArray, evaluate.Flags]:
    """Positions of the bases with the `wanted` values in them, and which keep them."""
    count = len(next(iter(stock.bases.values())))
    mixed = stock.bases | {n: np.full(count, v) for n, v in wanted.items()}
    z = evaluate.unconstrain(stock.problem, mixed)
    back = evaluate.constrain(stock.problem, z)
    kept = [
        np.abs(back[name] - value) <= 1e-6 * (1.0 + np.abs(value))
        for name, value in wanted.items()
    ]
    return z, np.isfinite(z).all(axis=1) & np.all(kept, axis=0)


def _extended(stock: Stock, beam: Beam) -> list[Beam]:
    """The beam with one more component, in all ways worth a look, roughly refined."""
    return [
        rough
        for placed in extended(stock, beam, CANDIDATES)
        for rough in refined(stock.problem, placed, FIRST_STEPS)
    ]


def extended(stock: Stock, beam: Beam, count: int) -> list[Beam]:
    """The beam with one more component in the best `count` ways, as the atoms stand."""
    at_beam = evaluate.constrain(stock.problem, beam.position[None])
    settled = {n for k in np.flatnonzero(beam.placed) for n in stock.own[k]}
    known = {n: at_beam[n][0] for n in settled & stock.values.keys()}
    return [
        placed
        for component, draw in _candidates(stock, beam, count)
        for placed in _place(stock, beam, known, component, draw)
    ]


def _place(
    stock: Stock, beam: Beam, known: dict[str, FloatArray], component: int, draw: int
) -> list[Beam]:
    """The beam with the component at a draw; empty where no rule-abiding way is found.

    known: the values that the placed components have settled.
    """
    own = [name for name in stock.own[component] if name in stock.values]
    offered = {name: stock.values[name][draw] for name in own}
    z, holds = _seat(stock, offered | known)
    placed = beam.placed.copy()
    placed[component] = 1.0
    return [replace(beam, position=row, placed=placed) for row in z[holds][:1]]


def refined(problem: Problem, beam: Beam, steps: int) -> list[Beam]:
    """The beam after some steps uphill; empty where the density is not finite."""

    def uphill(z: FloatArray) -> evaluate.Triple:
        return projection.objective(problem, z, beam.placed)

    peak = climb(uphill, beam.position, steps, enough=0.1)
    if peak is None:
        return []
    found = seen(problem, peak.position, beam.placed)
    return [replace(found, value=peak.log_density)]


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
