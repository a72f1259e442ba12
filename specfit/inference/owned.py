"""Which unknowns belong to which component: those that move with it.

Its own (`A.IS` of `A`), and any that stands outside and makes a value of this component
and of no other: with `width = width_A` in `A`, two like components change places only
if their widths do.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate

Owned = dict[str, str]
"""The unknowns of one component by last name (IS → A.IS, width → width_A)."""
Pair = tuple[Owned, Owned]

MOVED = 1e-6
"""Relative change by which a value is known to follow another."""


def owned(problem: Problem, names: Sequence[str], positions: FloatArray) -> list[Owned]:
    """The unknowns of each component.

    names: those of a full set of values; positions: two or more draws of the prior.
    """
    assert problem.separable is not None
    found = by_name(problem.separable.component_names, names)
    home = {
        name: (i, last) for i, own in enumerate(found) for last, name in own.items()
    }
    outside = [name for name in names if name not in home]
    for name, moved in zip(outside, _moved(problem, outside, positions), strict=True):
        places = [home[other] for other in moved if other in home]
        if len({place for place, _ in places}) == 1:
            place, last = places[0]
            found[place][last] = name
    return found


def by_name(components: Sequence[str], names: Sequence[str]) -> list[Owned]:
    """The unknowns that carry a component's name.

    The levels of a series (`A[77]`, `A[295]`) are one component, with all its unknowns
    (`A.IS`, `A.Bint[77]`, `A.Bint[295]`): levels share unknowns and move together.
    """
    return [
        {n.removeprefix(f"{one}."): n for n in names if n.startswith(f"{one}.")}
        for one in dict.fromkeys(map(without_level, components))
    ]


def alike_pairs(components: Sequence[Owned]) -> list[Pair]:
    """Each pair of components with the same unknowns."""
    return [
        (first, second)
        for first, second in itertools.combinations(components, 2)
        if first and set(first) == set(second)
    ]


def without_level(component: str) -> str:
    """The name of a component without its level: `A` of `A[77]`."""
    return component.partition("[")[0]


def _moved(
    problem: Problem, outside: Sequence[str], positions: FloatArray
) -> list[list[str]]:
    """For each of the values `outside`, what changes when it alone is set otherwise."""
    if not outside or len(positions) < 2:
        return [[] for _ in outside]
    draws = evaluate.constrain(problem, positions[:2])
    rows = {n: np.full(len(outside), value[0]) for n, value in draws.items()}
    for index, name in enumerate(outside):
        rows[name][index] = draws[name][1]
    z = evaluate.unconstrain(problem, rows)
    usable = np.asarray(np.isfinite(z).all(axis=1))
    after = evaluate.constrain(problem, np.where(usable[:, None], z, positions[0]))
    found: list[list[str]] = [[] for _ in outside]
    for name, value in after.items():
        before = draws[name][0]
        for row in np.flatnonzero(abs(value - before) > MOVED * abs(before)):
            found[row].append(name)
    return found
