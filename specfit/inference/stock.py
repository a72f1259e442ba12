"""What candidates are taken from: prior draws, and the curve of each component in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate, projection
from specfit.inference.ascent import Shared, shared_of
from specfit.inference.exchange import Own
from specfit.inference.owned import without_level
from specfit.inference.slope import pattern

BASES = 64
"""Prior draws tried to complete a partial assignment so that every rule holds."""
LOOKED = 3
"""Prior draws at which it is seen which unknown moves which curve."""
ATOM_BYTES = 2**26
"""Memory that the curves of all atoms may take."""
LABELS = 2
"""How many components may be tried at the same place."""


@dataclass(frozen=True)
class Stock:
    """What candidates are taken from: prior draws and the curves of all components.

    values: name → (n,) constrained; curves: (n_components, n, n_data), weighted, of
    unit norm or zero where not usable, in single precision; bases: draws that complete
    an assignment, the median of the prior first; twins: for each component those that it
    may be exchanged with: the first of them is placed first, from the atoms of all;
    shared: what ascents share, among it which unknowns move which curves.
    """

    problem: Problem
    shared: Shared
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
    shared = shared_of(problem, pattern(problem, positions[:LOOKED]))
    own = parts.component_parameters
    return Stock(problem, shared, own, few, curves, bases, twins)


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


def share(stock: Stock, component: int) -> int:
    """How many atoms of a component are looked at; its twins' are as good as its own."""
    shared_by = 1 + len(stock.twins[component])
    return -(-len(stock.curves[component]) // shared_by)


def apart(
    curves: FloatArray, owner: NDArray[Any], likeness: float, count: int
) -> list[int]:
    """The first `count` of unit curves (n, n_data) that lie at distinct places.

    Curves that correlate by more than `likeness` lie at one place.  Each owner (n,) has
    at most one there, and `LABELS` owners may share it.
    """
    near = np.zeros(len(curves), dtype=int)
    open_ = np.ones(len(curves), dtype=bool)
    taken: list[int] = []
    while len(taken) < count and open_.any():
        taken.append(int(np.argmax(open_)))
        same = curves @ curves[taken[-1]] > likeness
        near += same
        open_ &= (near < LABELS) & ~(same & (owner == owner[taken[-1]]))
        open_[taken[-1]] = False
    return taken
