"""Which rows are held out together, and scores of what was predicted of them.

The score is pooled: of one held-out row R² is not defined, and the mean of such figures
(what `cross_val_score(scoring="r2")` takes with leave-one-out) is not a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from specfit.contracts import FloatArray

Folds = tuple[tuple[int, ...], ...]
Places = np.ndarray[Any, np.dtype[np.intp]]


def leave_one_out(n: int) -> Folds:
    """Each row by itself."""
    return tuple((i,) for i in range(n))


def leave_block_out(n: int, size: int) -> Folds:
    """Neighbours in the table, `size` at a time; the last block may be smaller."""
    return tuple(
        tuple(range(start, min(start + size, n))) for start in range(0, n, size)
    )


def leave_group_out(column: FloatArray) -> Folds:
    """The rows of each value of a column."""
    return tuple(
        tuple(int(i) for i in np.flatnonzero(column == value))
        for value in np.unique(column)
    )


def rest(n: int, *folds: Sequence[int]) -> Places:
    """The rows outside some folds."""
    out = np.ones(n, dtype=bool)
    for fold in folds:
        out[list(fold)] = False
    return np.flatnonzero(out)


def r2_pooled(target: FloatArray, predicted: FloatArray) -> float:
    """1 − SSE/SST over all held-out rows, SST about the mean of all rows.

    NaN where the target does not vary.
    """
    return _of_sums(target, predicted, target.mean())


def q2_pooled(target: FloatArray, predicted: FloatArray, folds: Folds) -> float:
    """The same with each row about the mean of the rows it was not among.

    It is 0 for who predicts that mean, where R² is below 0.
    """
    about = np.empty(len(target))
    for fold in folds:
        about[list(fold)] = target[rest(len(target), fold)].mean()
    return _of_sums(target, predicted, about)


def _of_sums(target: FloatArray, predicted: FloatArray, about: Any) -> float:
    missed, varied = np.sum((target - predicted) ** 2), np.sum((target - about) ** 2)
    rounding = len(target) * (1e-12 * np.max(np.abs(target))) ** 2
    return float(1.0 - missed / varied) if varied > rounding else float("nan")
