"""Held-out predictions, tuned inside every fold or, to compare with, on the folds.

Nested: what is predicted of a fold is tuned without it, by leaving out, of the rest, one
further fold after the other.  The fit without two folds serves both of them, so that k
folds need k (k + 1) / 2 paths and not k².
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.estimators.folds import (
    Folds,
    Places,
    q2_pooled,
    r2_pooled,
    rest,
)
from specfit.inference.estimators.methods import Learner


class HeldOut(NamedTuple):
    """Predictions (n,) of rows held out; chosen: (n_folds,) place of each setting.

    same: predictions with one setting for all folds, the best on these folds themselves:
    optimistic.  best: that setting.
    """

    predicted: FloatArray
    chosen: Places
    same: FloatArray
    best: int


def held_out(learner: Learner, x: FloatArray, y: FloatArray, folds: Folds) -> HeldOut:
    """Both ways at once; the outer fits are the same."""
    n, count = len(y), len(next(iter(learner.settings.values())))
    outer = np.empty((count, n))
    for fold in folds:
        rows = rest(n, fold)
        outer[:, list(fold)] = learner.predict(x[rows], y[rows], x[list(fold)])
    missed = (outer - y) ** 2
    best = int(np.argmin(missed.sum(axis=1)))
    chosen = np.zeros(len(folds), dtype=int)
    if count > 1:
        chosen = _tuned(learner, x, y, folds, count)
    predicted = np.empty(n)
    for fold, setting in zip(folds, chosen, strict=True):
        predicted[list(fold)] = outer[setting, list(fold)]
    return HeldOut(predicted, chosen, outer[best], best)


def _tuned(
    learner: Learner, x: FloatArray, y: FloatArray, folds: Folds, count: int
) -> Places:
    """The setting of each fold, by what is missed of all other folds without it."""
    missed = np.zeros((len(folds), count))
    for i, j in combinations(range(len(folds)), 2):
        rows = rest(len(y), folds[i], folds[j])
        both = [*folds[i], *folds[j]]
        errors = (learner.predict(x[rows], y[rows], x[both]) - y[both]) ** 2
        missed[i] += errors[:, len(folds[i]) :].sum(axis=1)
        missed[j] += errors[:, : len(folds[i])].sum(axis=1)
    chosen: Places = missed.argmin(axis=1)
    return chosen


class Scores(NamedTuple):
    """R² and Q², pooled over all rows held out; names are those of the language."""

    R2: float
    Q2: float


def scores(
    learner: Learner, x: FloatArray, y: FloatArray, folds: Folds, nested: bool
) -> Scores:
    """For permutations and imputations."""
    found = held_out(learner, x, y, folds)
    predicted = found.predicted if nested else found.same
    return Scores(r2_pooled(y, predicted), q2_pooled(y, predicted, folds))
