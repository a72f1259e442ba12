"""Several components placed at once: the sets of atoms that explain most together.

Of two patterns that are to share lines in a new way, either alone explains little, or
settles between the lines of both.  So sets of atoms are judged whole, by what they take
out of χ² with all that is placed already: products of curves and systems of two or three
equations for thousands of sets, before the first step uphill.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specfit.contracts import FloatArray
from specfit.inference.beam import (
    Beam,
    Candidate,
    fitted_basis,
    gain,
    with_components,
)
from specfit.inference.stock import Stock, apart, share

SCANNED = 1000
"""Atoms of a component looked at for distinct places, best first."""
PLACES = 128
"""Distinct places that sets are made of, for each component."""
DISTINCT = 0.95
"""Correlation of two atoms above which one of them is enough as a place."""
WIDTH = 256
"""Sets that are kept while they still lack components."""
DEGENERATE = 1e-3
"""Share of an atom that those of its set must leave, for its amplitude to mean anything."""
RANKED = 2000
"""Sets looked at for distinct ones, best first."""
SAME = 0.8
"""Correlation of their members above which two sets are one."""

Sets = NDArray[np.int_]
"""Indices (n, size) of atoms, each row one set."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Atoms that sets are made of, with what is placed already projected out.

    candidates: what each atom is; member: (n,) its class, of which at most `room` may be
    in a set; unit: (n, n_data) the curves as they are; gram: (n, n) their products after
    projection; pull: (n,) those with the residual, positive where the atom is wanted.
    """

    candidates: Sequence[Candidate]
    member: Sets
    room: Sets
    unit: FloatArray
    gram: FloatArray
    pull: FloatArray


def together(stock: Stock, part: Beam, count: int) -> list[Beam]:
    """The partial fit with all that it lacks placed at once, as the atoms stand.

    In the best `count` distinct ways that the rules allow; `part.avoided` is left out.
    """
    pool = _pool(stock, part)
    size = int(np.sum(part.placed == 0.0))
    if len(pool.candidates) < size:
        return []
    found = _distinct(pool, _best_sets(pool, size), part.avoided, count)
    ways = [(part, _filled(stock, part, pool, row)) for row in found]
    return with_components(stock, ways)


def _pool(stock: Stock, part: Beam) -> Pool:
    basis = fitted_basis(part)
    open_part = replace(part, avoided=np.zeros((0, 0)))
    candidates: list[Candidate] = []
    member, curves = [], []
    groups = list(_classes(stock, part))
    for number, group in enumerate(groups):
        chosen, own = _places(stock, open_part, basis, group)
        candidates += chosen
        member += [number] * len(chosen)
        curves.append(own)
    unit = np.concatenate(curves).astype(float)
    outside = unit - (unit @ basis) @ basis.T
    return Pool(
        candidates,
        np.array(member, dtype=int),
        np.array([len(group) for group in groups]),
        unit,
        outside @ outside.T,
        -outside @ part.residual,
    )


def _classes(stock: Stock, part: Beam) -> Iterator[tuple[int, ...]]:
    """The missing components, those that may change places together."""
    missing = [int(k) for k in np.flatnonzero(part.placed == 0.0)]
    for k in missing:
        group = tuple(j for j in missing if j == k or j in stock.twins[k])
        if group[0] == k:
            yield group


def _places(
    stock: Stock, part: Beam, basis: FloatArray, group: tuple[int, ...]
) -> tuple[list[Candidate], FloatArray]:
    """Atoms of one class at distinct places, those that explain most alone first."""
    first = group[0]
    sources = [(j, share(stock, j)) for j in (first, *stock.twins[first])]
    of = [(j, draw) for j, many in sources for draw in range(many)]
    curves = np.concatenate([stock.curves[j, :many] for j, many in sources])
    gains = gain(curves, basis, part)
    order = np.argsort(-gains, kind="stable")[:SCANNED]
    order = order[gains[order] > 0.0]
    curves = curves[order]
    taken = apart(curves, np.zeros(len(order)), DISTINCT, PLACES)
    return [(first, *of[order[i]]) for i in taken], curves[taken]


def _best_sets(pool: Pool, size: int) -> Sets:
    """Sets of `size` atoms with positive amplitudes, those that explain most first."""
    sets, explained = np.zeros((1, 0), dtype=int), np.zeros(1)
    for lacking in reversed(range(size)):
        more = _more(pool, sets)
        total = explained[:, None] + more
        rows, atoms = np.nonzero(more > 0.0)
        grown = np.sort(np.column_stack([sets[rows], atoms]), axis=1)
        key = grown @ len(pool.pull) ** np.arange(grown.shape[1])
        _, at = np.unique(key, return_index=True)
        grown = grown[at]
        explained = total[rows, atoms][at]
        order = np.argsort(-explained, kind="stable")[: WIDTH if lacking else RANKED]
        sets, explained = grown[order], explained[order]
    wanted: Sets = sets[(_amplitudes(pool, sets) > 0.0).all(axis=1)]
    return wanted


def _amplitudes(pool: Pool, sets: Sets) -> FloatArray:
    """Least-squares amplitudes (n, size) of the members of each set."""
    pull = pool.pull[sets][:, :, None]
    found = np.linalg.solve(_gram(pool, sets), pull)
    return np.asarray(found[:, :, 0], dtype=float)


def _gram(pool: Pool, sets: Sets) -> FloatArray:
    own: FloatArray = pool.gram[sets[:, :, None], sets[:, None, :]]
    return own


def _more(pool: Pool, sets: Sets) -> FloatArray:
    """What each atom would explain beyond each set (n, n_atoms)."""
    across = pool.gram[sets]
    amplitude = _amplitudes(pool, sets)
    left = pool.pull - np.einsum("ns,nsa->na", amplitude, across)
    shared = np.einsum(
        "nsa,nsa->na", across, np.linalg.solve(_gram(pool, sets), across)
    )
    free = np.diagonal(pool.gram) - shared
    able = (left > 0.0) & (free > DEGENERATE) & ~_full(pool, sets)
    more: FloatArray = np.where(able, left**2 / np.where(able, free, 1.0), 0.0)
    return more


def _full(pool: Pool, sets: Sets) -> Flags:
    """Whether a set has all that it may have of the class of each atom."""
    classes = np.arange(len(pool.room))
    held = (pool.member[sets][:, :, None] == classes).sum(axis=1)
    full: Flags = (held >= pool.room)[:, pool.member]
    return full


def _distinct(pool: Pool, sets: Sets, avoided: FloatArray, count: int) -> Sets:
    """At most `count` sets, no two of them alike nor like the curves to be avoided."""
    alike = pool.unit @ pool.unit.T > SAME
    open_ = np.ones(len(sets), dtype=bool)
    if len(avoided) == sets.shape[1]:
        open_ &= ~_matched((pool.unit @ avoided.T > SAME)[sets])
    taken: list[int] = []
    while len(taken) < count and open_.any():
        taken.append(int(np.argmax(open_)))
        open_ &= ~_matched(alike[sets[:, :, None], sets[taken[-1]]])
        open_[taken[-1]] = False
    return sets[taken]


def _matched(alike: Flags) -> Flags:
    """Whether the members (n, size, size) can be paired so that all pairs are alike."""
    size = alike.shape[1]
    ways = [
        alike[:, np.arange(size), list(way)].all(axis=1)
        for way in itertools.permutations(range(size))
    ]
    matched: Flags = np.any(ways, axis=0)
    return matched


def _filled(stock: Stock, part: Beam, pool: Pool, row: Sets) -> tuple[Candidate, ...]:
    """The atoms of a set, each given to a component of its class that is missing."""
    groups = [iter(group) for group in _classes(stock, part)]
    return tuple((next(groups[pool.member[i]]), *pool.candidates[i][1:]) for i in row)
