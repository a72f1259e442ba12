"""Draws of several modes mixed by weight, as if one chain had visited all of them.

A chain that stays at its mode is exact there and blind to the others.  So every mode is
sampled by itself, and each chain of the mixture takes its draws from one chain of every
mode, in a random order that is the same for all chains: R-hat and effective sizes of the
mixture then say what they say of any other draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.gates import Gate
from specfit.inference.laplace import Gaussian, log_student
from specfit.inference.nuts import Chains

VISITED = 0.6
"""Share of its fair visits above which a mode counts as covered by another's chains."""

IntArray = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def order(weights: FloatArray, length: int, generator: np.random.Generator) -> IntArray:
    """Which mode each of `length` draws is taken from; counts by largest remainder."""
    wanted = length * weights / weights.sum()
    counts = np.floor(wanted).astype(np.int64)
    largest = np.argsort(counts - wanted, kind="stable")[: length - counts.sum()]
    counts[largest] += 1
    shuffled: IntArray = generator.permutation(
        np.repeat(np.arange(len(wanted)), counts)
    )
    return shuffled


def blended(parts: Sequence[Chains], turns: IntArray) -> Chains:
    """One set of chains that takes draw i from the mode `turns[i]`, evenly thinned."""
    if len(parts) == 1:
        return parts[0]
    names = parts[0].statistics
    return Chains(
        _taken([part.positions for part in parts], turns),
        {n: _taken([part.statistics[n] for part in parts], turns) for n in names},
        any(part.interrupted for part in parts),
        tuple(note for part in parts for note in part.notes),
    )


def _taken(arrays: Sequence[FloatArray], turns: IntArray) -> FloatArray:
    first = arrays[0]
    whole = np.empty((len(first), len(turns), *first.shape[2:]))
    for mode, array in enumerate(arrays):
        places = np.flatnonzero(turns == mode)
        rows = np.linspace(0, array.shape[1] - 1, len(places)).round().astype(int)
        whole[:, places] = array[:, rows]
    return whole


def nearest(
    shapes: Sequence[Gaussian], weights: FloatArray, positions: FloatArray
) -> IntArray:
    """The mode that each of the draws (n_chains, n_draws, dimension) is nearest to."""
    rows = positions.reshape(-1, positions.shape[-1])
    with np.errstate(divide="ignore"):
        logs = np.log(weights)[:, None] + [log_student(s, rows) for s in shapes]
    found: IntArray = np.argmax(logs, axis=0).reshape(positions.shape[:2])
    return found


def territories(
    shapes: Sequence[Gaussian], weights: FloatArray, positions: FloatArray
) -> FloatArray:
    """The share of draws (n_chains, n_draws, dimension) that lie nearest to each mode."""
    found = nearest(shapes, weights, positions)
    return np.bincount(found.ravel(), minlength=len(shapes)) / found.size


def covered(
    shapes: Sequence[Gaussian], weights: FloatArray, home: int, positions: FloatArray
) -> list[int]:
    """The other modes that chains started at mode `home` walk to and from freely.

    Every chain must have been near the middle of the mode, inside the ellipsoid that
    holds half of its Gaussian, and all together about as often as its weight deserves.
    """
    found = nearest(shapes, weights, positions)
    joined = []
    for mode, shape in enumerate(shapes):
        inside = (found == mode) & (_distance2(shape, positions) < len(shape.mean))
        fair = 0.5 * weights[mode] / (weights[mode] + weights[home])
        visits = inside.mean(axis=1)
        if mode != home and visits.min() > 0.0 and visits.mean() > VISITED * fair:
            joined.append(mode)
    return joined


def _distance2(shape: Gaussian, positions: FloatArray) -> FloatArray:
    """Squared distance of draws (n_chains, n_draws, dimension) from a mode, in its sd."""
    white = np.linalg.solve(shape.factor, (positions - shape.mean)[..., None])[..., 0]
    squared: FloatArray = np.sum(white**2, axis=-1)
    return squared


def worst(conditions: Sequence[tuple[Gate, ...]]) -> tuple[Gate, ...]:
    """Of the same gates for several modes, each where it came nearest to failing."""
    return tuple(
        min(same, key=lambda gate: (gate[3], -_excess(gate)))
        for same in zip(*conditions, strict=True)
    )


def _excess(gate: Gate) -> float:
    """How far a gate is from its open side; NaN is farther than any number."""
    _, value, bound, passed = gate
    distance = abs(value - bound)
    return np.inf if np.isnan(value) else (-distance if passed else distance)
