"""Shuffled targets: how often chance does as well.

Each shuffle goes through the whole procedure, tuning included.  Where chance has done as
well `ENOUGH` times there is no need to go on: the p-value is then ENOUGH over the number
of shuffles (J. Besag, P. Clifford, Biometrika 78, 301 (1991), doi:10.1093/biomet/78.2.301),
else one more than it happened over one more than the shuffles.  Of a few blocks or groups
there are few orders: these are taken each once, all of them where no more are asked for,
and that in which they stand is not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.estimators.folds import Folds
from specfit.permuting import FEW, orders_of

ENOUGH = 10


class Permuted(NamedTuple):
    """The p-value, NaN without any shuffle, and the score of each shuffle."""

    p_value: float
    scores: FloatArray


def permuted(
    score: Callable[[FloatArray], float],
    y: FloatArray,
    folds: Folds,
    observed: float,
    count: int,
    generator: np.random.Generator,
    tell: Callable[[float], None],
) -> Permuted:
    """`count` shuffles of the target at most, rows that are held out together moving so.

    What neighbours or a group have in common they keep, or chance would look rarer.
    """
    scores: list[float] = []
    reached = 0
    if not np.isfinite(observed):  # a target that does not vary has no score
        return Permuted(float("nan"), np.zeros(0))
    every = orders_of(len(folds)) <= count
    for number, order in enumerate(_orders(len(folds), count, generator), 1):
        scores.append(score(_shuffled(y, folds, order)))
        reached += scores[-1] >= observed
        tell(number / count)
        if reached == ENOUGH and not every:
            return Permuted(reached / len(scores), np.array(scores))
    p_value = (reached + 1) / (len(scores) + 1) if scores else float("nan")
    return Permuted(p_value, np.array(scores))


def _orders(
    n: int, count: int, generator: np.random.Generator
) -> Iterator[Sequence[int]]:
    """`count` other orders of n folds at most: of few folds no order twice."""
    if n > FEW:
        yield from (generator.permutation(n).tolist() for _ in range(count))
        return
    others = list(permutations(range(n)))[1:]
    for place in generator.permutation(len(others))[:count]:
        yield others[place]


def _shuffled(y: FloatArray, folds: Folds, order: Sequence[int]) -> FloatArray:
    """The targets (n,) of the folds, one fold after another, in another order of folds."""
    found = np.empty_like(y)
    rows = [row for fold in folds for row in fold]
    found[rows] = np.concatenate([y[list(folds[turn])] for turn in order])
    return found
