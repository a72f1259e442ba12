"""Components that may change places: one labelling stands for all of them.

Where two components have the same kind of unknowns and the posterior does not change
when they exchange all their values, every mode has twins that say nothing new.  They are
folded: draws are relabelled so that one unknown, the one that tells the components apart
best, falls from the first component to the last.  The evidence is that of all
labellings, n! times that of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.evaluate import Flags
from specfit.inference.laplace import Gaussian
from specfit.inference.owned import Owned, Pair, alike_pairs, owned

TRIED = 4
"""Prior draws at which an exchange must leave the density as it is."""
STEP = 1e-5
DRAWS = 256
"""Draws about the peak that tell how far components are apart."""
SAME = 1e-3
"""Nats by which two log-densities may differ and count as equal."""
ROUNDING = 1e-9
"""The same relative to their size, which is large where a prior draw fits badly."""


Own = tuple[Owned, ...]
"""The components of a group."""


@dataclass(frozen=True)
class Group:
    """Components that may be exchanged among each other.

    own: for each of them its unknowns by last name; key: the last name they are ordered
    by, falling.
    """

    own: Own
    key: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The ordered unknowns, highest first."""
        return tuple(names[self.key] for names in self.own)

    def relabelled(self, values: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Values by name, (n,), with the components in falling order of the key."""
        place = np.argsort(-np.stack([values[k] for k in self.keys]), axis=0)
        sorted_values = dict(values)
        for last in self.own[0]:
            stacked = np.stack([values[names[last]] for names in self.own])
            moved = np.take_along_axis(stacked, place, axis=0)
            sorted_values |= {
                names[last]: row for names, row in zip(self.own, moved, strict=True)
            }
        return sorted_values


@dataclass(frozen=True)
class Exchange:
    """The groups of a problem; `names` are those of a full set of values."""

    problem: Problem
    names: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def log_labellings(self) -> float:
        """Logarithm of the number of labellings that were folded into one."""
        return sum(lgamma(len(group.own) + 1) for group in self.groups)

    def inside(self, z: FloatArray) -> Flags:
        """For each row of `z`, whether it has the labelling that is kept."""
        if not self.groups:
            return np.ones(len(z), dtype=bool)
        values = evaluate.constrain(self.problem, z)
        falling = np.ones(len(z), dtype=bool)
        for group in self.groups:
            keys = np.stack([values[name] for name in group.keys])
            falling &= (np.diff(keys, axis=0) <= 0.0).all(axis=0)
        return falling

    def folded(self, z: FloatArray) -> FloatArray:
        """Positions (n, dimension) relabelled; what needs no change keeps its bits."""
        if not self.groups or not len(z):
            return z
        moved = ~self.inside(z)
        if not moved.any():
            return z
        values = evaluate.constrain(self.problem, z[moved])
        values = {name: values[name] for name in self.names}
        for group in self.groups:
            values = group.relabelled(values)
        result = z.copy()
        result[moved] = evaluate.unconstrain(self.problem, values)
        return result

    def relabelled(
        self, positions: FloatArray, log_density: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Draws (n_chains, n_draws, dimension) folded, each with its own density.

        The values of a draw only change places, but coordinates may stretch.
        """
        rows = positions.reshape(-1, positions.shape[-1])
        folded = self.folded(rows)
        moved = (folded != rows).any(axis=1)
        if not moved.any():
            return positions, log_density
        there = log_density.ravel().copy()
        there[moved] = evaluate.log_densities(self.problem, folded[moved])
        return folded.reshape(positions.shape), there.reshape(log_density.shape)

    def notes(self) -> tuple[str, ...]:
        """What was folded, for the reader."""
        return tuple(
            "components that may be exchanged are labelled so that "
            + " ≥ ".join(group.keys)
            for group in self.groups
        )


def exchangeable(
    problem: Problem, names: tuple[str, ...], positions: FloatArray
) -> tuple[Own, ...]:
    """Groups of components that may be exchanged, judged at a few prior draws.

    names: those of a full set of values; positions: prior draws (n, dimension).
    """
    if problem.separable is None:
        return ()
    like = [
        pair
        for pair in alike_pairs(owned(problem, names, positions))
        if _symmetric(problem, names, pair, positions[:TRIED])
    ]
    return tuple(_joined(like))


def exchange(
    problem: Problem, names: tuple[str, ...], groups: Sequence[Own], best: Gaussian
) -> Exchange:
    """The labelling that is kept of each group, told by the highest peak.

    There an exchange must leave the density as it is too: at a prior draw that misses
    the data by far, rounding may hide that two priors differ.
    """
    at_peak = best.mean[None]
    ordered = tuple(
        _ordered(problem, own, best)
        for own in groups
        if all(_symmetric(problem, names, (own[0], o), at_peak) for o in own[1:])
    )
    return Exchange(problem, names, ordered)


def exchanged(
    problem: Problem, names: Sequence[str], pair: Pair, z: FloatArray
) -> FloatArray:
    """Positions (n, dimension) with the values of two like components exchanged."""
    values = evaluate.constrain(problem, z)
    mixed = {name: values[name] for name in names}
    first, second = pair
    for last in first:
        mixed[first[last]] = values[second[last]]
        mixed[second[last]] = values[first[last]]
    return evaluate.unconstrain(problem, mixed)


def _symmetric(
    problem: Problem, names: Sequence[str], pair: Pair, tried: FloatArray
) -> bool:
    """Whether an exchange leaves the posterior as it is.

    Densities are of coordinates, which may stretch under the exchange: the volume is
    taken by differences.
    """
    swapped = exchanged(problem, names, pair, tried)
    before = evaluate.log_densities(problem, tried)
    after = evaluate.log_densities(problem, swapped)
    usable = np.isfinite(swapped).all(axis=1) & np.isfinite(before)
    if not usable.any() or not np.isfinite(after[usable]).all():
        return False
    return all(
        abs(after[i] + _log_stretch(problem, names, pair, tried[i]) - before[i])
        < SAME + ROUNDING * abs(before[i])
        for i in np.flatnonzero(usable)
    )


def _log_stretch(
    problem: Problem, names: Sequence[str], pair: Pair, z: FloatArray
) -> float:
    """Logarithm of the volume that a unit of coordinates has after the exchange."""
    steps = STEP * np.eye(len(z))
    moved = exchanged(problem, names, pair, np.concatenate([z + steps, z - steps]))
    jacobian = (moved[: len(z)] - moved[len(z) :]) / (2.0 * STEP)
    return float(np.linalg.slogdet(jacobian)[1])


def _joined(pairs: list[Pair]) -> list[Own]:
    """Groups of components that are exchangeable with the first of them."""
    groups: list[list[dict[str, str]]] = []
    for first, second in pairs:
        home = next((g for g in groups if first in g or second in g), None)
        if home is None:
            groups.append([first, second])
        else:
            home += [one for one in (first, second) if one not in home]
    return [tuple(group) for group in groups]


def _ordered(problem: Problem, own: Own, shape: Gaussian) -> Group:
    """The group with the key that tells the components of the peak apart best."""
    normal = np.random.default_rng(0).standard_normal((DRAWS, len(shape.mean)))
    near = evaluate.constrain(problem, shape.mean + normal @ shape.factor.T)

    def apart(last: str) -> float:
        values = np.stack([near[names[last]] for names in own])
        gaps = np.diff(np.sort(np.median(values, axis=1)))
        spread = float(np.max(np.std(values, axis=1)))
        return float(np.min(gaps)) / spread if spread > 0.0 else 0.0

    return Group(own, max(own[0], key=apart))
