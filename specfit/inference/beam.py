"""Search without a starting value: components are placed one after another.

Every draw of the prior gives each component one curve, an atom.  The atoms of all
components not yet placed are scored by what they would take out of the weighted
residual; the best few are placed on each of the best few partial fits, refined with
the linear unknowns eliminated, and the best of those go on (beam search).  A random
start almost never finds narrow lines (0.3 % a start on three sextets), a greedy choice
can be wrong at the first line; several beams repair that at the cost of milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem, Values
from specfit.inference import evaluate, projection
from specfit.inference.newton import climb
from specfit.inference.projection import Kernels

BASES = 64
"""Prior draws tried to complete a partial assignment so that every rule holds."""
SAME_PLACE = 0.9
"""Correlation of two atoms above which one of them is enough as a candidate."""
CANDIDATES = 4
"""Atoms tried of each component that is not yet placed."""
ATOM_BYTES = 2**26
"""Memory that the curves of all atoms may take."""
FIRST_STEPS = 3
"""Steps uphill after which candidates are compared for the first time."""
FULL_STEPS = 12


@dataclass(frozen=True)
class Beam:
    """A partial fit: the position, which components are placed, and how well."""

    position: FloatArray
    placed: FloatArray
    value: float
    fitted: FloatArray  # (n_data,), weighted


@dataclass(frozen=True)
class Atoms:
    """Prior draws and the curve of every component at each, with unit weighted norm."""

    values: dict[str, FloatArray]
    curves: FloatArray  # (n, n_components, n_data)
    norms: FloatArray  # (n, n_components)


def beam_starts(
    problem: Problem, values: dict[str, FloatArray], positions: FloatArray, beams: int
) -> list[FloatArray]:
    """Full positions worth polishing, best first, from n prior draws.

    values: name → (n,) constrained; positions: (n, dimension), the same unconstrained.
    """
    parts = problem.separable
    assert parts is not None
    n_components = len(parts.component_names)
    atoms = _make_atoms(problem, values)
    bases = _bases(problem, atoms.values, positions)
    nothing = np.zeros(n_components)
    found = [_beam(problem, bases["z"][0], nothing)]
    for _ in range(n_components):
        grown = [
            grown
            for beam in found
            for component, draw in _candidates(problem, beam, atoms)
            for grown in _place(problem, beam, component, draw, atoms, bases)
        ]
        promising = _best(grown, 2 * beams)
        refined = [b for g in promising for b in _refined(problem, g, FULL_STEPS)]
        found = _best(refined, beams) or found
    return [projection.assemble(problem, b.position, b.placed) for b in found]


def _make_atoms(problem: Problem, values: dict[str, FloatArray]) -> Atoms:
    parts = problem.separable
    assert parts is not None
    n_data = int(parts.target(problem.data)[0].shape[0])
    limit = max(64, ATOM_BYTES // (8 * n_data * len(parts.component_names)))
    few = {name: value[:limit] for name, value in values.items()}
    curves = projection.atoms(problem, few)
    norms = np.sqrt(np.einsum("ijk,ijk->ij", curves, curves))
    usable = np.isfinite(norms) & (norms > 0.0)
    scale = np.where(usable, norms, 1.0)
    curves = np.where(usable[..., None], curves, 0.0) / scale[..., None]
    return Atoms(few, curves, np.where(usable, norms, 0.0))


def _bases(
    problem: Problem, values: dict[str, FloatArray], positions: FloatArray
) -> dict[str, FloatArray]:
    """The median of the prior and some of its draws: `z`, and the values by name."""
    middle = np.median(positions, axis=0)[None]
    at_middle = evaluate.constrain(problem, middle)
    bases = {
        name: np.concatenate([at_middle[name], value[: BASES - 1]])
        for name, value in values.items()
    }
    return bases | {"z": np.concatenate([middle, positions[: BASES - 1]])}


def _beam(problem: Problem, position: FloatArray, placed: FloatArray) -> Beam:
    left = projection.residual(problem, position, placed)
    fitted = left.coefficients @ left.columns
    return Beam(position, placed, -0.5 * float(left.residual @ left.residual), fitted)


def _candidates(problem: Problem, beam: Beam, atoms: Atoms) -> list[tuple[int, int]]:
    """(component, draw) of the atoms that take most out of the residual."""
    left = projection.residual(problem, beam.position, beam.placed)
    present = np.linalg.norm(left.columns, axis=1) > 0.0
    basis = np.linalg.qr(left.columns[present].T)[0]
    chosen: list[tuple[int, int]] = []
    for component in np.flatnonzero(beam.placed == 0.0):
        curves = atoms.curves[:, component]
        inside = curves @ basis
        outside = np.maximum(1.0 - np.einsum("ij,ij->i", inside, inside), 1e-6)
        gain = np.maximum(-(curves @ left.residual), 0.0) ** 2 / outside
        chosen += _distinct_places(int(component), curves, gain)
    return chosen


def _distinct_places(
    component: int, curves: FloatArray, gain: FloatArray
) -> list[tuple[int, int]]:
    """The best draws of one component whose atoms lie at different places."""
    chosen: list[int] = []
    for draw in np.argsort(-gain)[: 40 * CANDIDATES]:
        if len(chosen) == CANDIDATES or gain[draw] <= 0.0:
            break
        overlap = curves[chosen] @ curves[draw]
        if not (overlap > SAME_PLACE).any():
            chosen.append(int(draw))
    return [(component, draw) for draw in chosen]


@partial(jax.jit, static_argnames="kernels")
def _seat(
    kernels: Kernels, bases: Values, wanted: Values, fixed: Values, data: Data
) -> tuple[Array, Array]:
    """Positions of `bases` with the `wanted` values where `fixed`, and which hold."""
    problem = kernels.problem

    def one(base: Values) -> tuple[Array, Array]:
        mixed = {n: jnp.where(fixed[n], wanted[n], base[n]) for n in base}
        z = problem.unconstrain(mixed, data)["z"]
        back = problem.constrain({"z": z}, data)
        holds = jnp.isfinite(z).all()
        for n in mixed:
            close = jnp.abs(back[n] - wanted[n]) <= 1e-6 * (1.0 + jnp.abs(wanted[n]))
            holds &= close | ~fixed[n]
        return z, holds

    return jax.vmap(one)(bases)


def _place(
    problem: Problem,
    beam: Beam,
    component: int,
    draw: int,
    atoms: Atoms,
    bases: dict[str, FloatArray],
) -> list[Beam]:
    """The beam with one more component, refined; empty when no rule-abiding way."""
    parts = problem.separable
    assert parts is not None
    own = parts.component_parameters
    settled = {n for k in np.flatnonzero(beam.placed) for n in own[k]}
    at_beam = evaluate.constrain(problem, beam.position[None])
    names = list(atoms.values)
    wanted = {
        n: at_beam[n][0] if n in settled else atoms.values[n][draw] for n in names
    }
    fixed = {n: np.bool_(n in settled or n in own[component]) for n in names}
    values = {n: bases[n] for n in names}
    z, holds = _seat(Kernels(problem), values, wanted, fixed, problem.data)
    ways = np.flatnonzero(np.asarray(holds))
    if not ways.size:
        return []
    placed = beam.placed.copy()
    placed[component] = 1.0
    seated = _beam(problem, evaluate.numpy(z)[ways[0]], placed)
    return _refined(problem, seated, FIRST_STEPS)


def _refined(problem: Problem, beam: Beam, steps: int) -> list[Beam]:
    """The beam after some steps uphill; empty where the density is not finite."""

    def uphill(z: FloatArray) -> evaluate.Triple:
        return projection.objective(problem, z, beam.placed)

    if not all(np.isfinite(part).all() for part in uphill(beam.position)):
        return []
    peak = climb(uphill, beam.position, steps, enough=0.1)
    found = _beam(problem, peak.position, beam.placed)
    return [replace(found, value=peak.log_density)]


def _best(beams: list[Beam], count: int) -> list[Beam]:
    """The best beams, at most two labellings of the same fitted curve."""
    kept: list[Beam] = []
    for beam in sorted(beams, key=lambda b: -b.value):
        alike = [b for b in kept if np.sum((b.fitted - beam.fitted) ** 2) < 1.0]
        relabelled = all((b.placed != beam.placed).any() for b in alike)
        if len(alike) < 2 and relabelled:
            kept.append(beam)
        if len(kept) == count:
            break
    return kept
