"""Estimators of an `analysis`: held-out scores, permutations, stability.

`analyse` is a pure function of the analysis, the table and a seed.  All that a method
learns, the scale of the features among it, is learned inside the folds; the one figure
that is not, the score tuned on the folds that are reported, is kept apart and named
optimistic.  scikit-learn's own searches were not taken: they pool nothing, and fit every
penalty by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from specfit.contracts import FloatArray, Measurement, Progress
from specfit.features import AnalysisResult, MethodResult
from specfit.inference.estimators.asked import Asked, MethodAsked
from specfit.inference.estimators.folds import (
    Folds,
    leave_block_out,
    leave_group_out,
    leave_one_out,
    q2_pooled,
    r2_pooled,
    rest,
)
from specfit.inference.estimators.methods import Forest, Learner, Linear, forest
from specfit.inference.estimators.nested import HeldOut, Scores, held_out, scores
from specfit.inference.estimators.permuted import Permuted, permuted
from specfit.inference.estimators.stability import selection

__all__ = ["Asked", "MethodAsked", "analyse"]

TREES_SHUFFLED, TREES_SELECTED = 20, 40
"""Trees of a forest where it is fitted hundreds of times."""
IMPUTED = 20
"""Imputations of the features that are gone through, at most."""


def analyse(
    asked: Asked, measured: Measurement, seed: int, progress: Progress | None = None
) -> AnalysisResult:
    """Every method on the table.

    Raises
    ------
    ValueError
        There are not even three folds: nothing could be tuned inside one of them.

    """
    assert measured.features is not None
    folds = folds_of(asked, measured)
    if len(folds) < 3:
        raise ValueError(f"{len(folds)} folds: at least three are needed")
    results, timings = [], {}
    for number, method in enumerate(asked.methods):
        begun = perf_counter()
        share = (number, len(asked.methods))
        work = _Work(asked, measured, folds, seed, share, progress)
        results.append(work.method(method))
        timings[method.name] = perf_counter() - begun
    return AnalysisResult(
        name=asked.name,
        target=measured.values,
        unit=measured.value_unit,
        features=measured.features,
        folds=folds,
        methods=tuple(results),
        optimistic=not asked.nested,
        seed=seed,
        resamples=asked.resamples,
        timings=timings,
    )


def folds_of(asked: Asked, measured: Measurement) -> Folds:
    """The rows that are held out together."""
    n = len(measured.values)
    if asked.folds == "leave_block_out":
        return leave_block_out(n, asked.block)
    if asked.folds == "leave_group_out":
        return leave_group_out(measured.columns[asked.by])
    return leave_one_out(n)


def learner_of(method: MethodAsked, scaled: bool, seed: int) -> Learner:
    """The estimator of a method; penalties fall, so that of equals the sparser is kept."""
    arguments = method.arguments
    if "trees" in arguments:
        return forest(method.function, int(arguments["trees"][0]), seed)
    alphas = np.sort(arguments["alpha"])[::-1].copy()
    ratios = arguments.get("l1_ratio", np.ones(1))
    return Linear(alphas, np.sort(ratios), "l1_ratio" in arguments, scaled)


class _Work:
    """One method at a time on one table."""

    def __init__(
        self,
        asked: Asked,
        measured: Measurement,
        folds: Folds,
        seed: int,
        share: tuple[int, int],
        progress: Progress | None,
    ) -> None:
        assert measured.features is not None
        self.asked, self.features, self.folds = asked, measured.features, folds
        self.x, self.y, self.seed = measured.features.values, measured.values, seed
        self.share, self.progress = share, progress

    def method(self, method: MethodAsked) -> MethodResult:
        """All that is asked of one method."""
        learner = learner_of(method, self.asked.scaled, self.seed)
        self._say(f"{method.name}: rows left out", 0.0)
        found = held_out(learner, self.x, self.y, self.folds)
        self._say(f"{method.name}: shuffled targets", 0.1)
        shuffled, trees, score = self._shuffled(learner, method.name)
        self._say(f"{method.name}: imputations and subsamples", 0.8)
        imputed = self._imputed(learner)
        predicted = found.predicted if self.asked.nested else found.same
        path = np.zeros((0, 0))
        if isinstance(learner, Linear) and not learner.named:
            path = learner.paths(self.x, self.y)[0].T
        return MethodResult(
            name=method.name,
            title=method.title,
            function=method.function,
            predicted=predicted,
            r2=r2_pooled(self.y, predicted),
            q2=q2_pooled(self.y, predicted, self.folds),
            same_folds_r2=r2_pooled(self.y, found.same),
            tuned=self._tuned(learner, found),
            coefficients=learner.weights(self.x, self.y, found.best),
            selection=self._selection(learner),
            p_value=shuffled.p_value,
            shuffles=len(shuffled.scores),
            shuffled_scores=shuffled.scores,
            p_score=score,
            p_trees=trees,
            path=path,
            alphas=learner.alphas if isinstance(learner, Linear) else np.zeros(0),
            imputed_r2=np.array([one.R2 for one in imputed]),
            imputed_q2=np.array([one.Q2 for one in imputed]),
            unsettled=self._unsettled(learner, found),
        )

    def _unsettled(self, learner: Learner, found: HeldOut) -> int:
        """Folds whose chosen fit, had it been given more sweeps, might have moved."""
        every = [rest(len(self.y), fold) for fold in self.folds]
        return sum(
            not learner.settled(self.x[rows], self.y[rows])[setting]
            for rows, setting in zip(every, found.chosen, strict=True)
        )

    def _tuned(self, learner: Learner, found: HeldOut) -> Mapping[str, FloatArray]:
        nested = self.asked.nested
        chosen = found.chosen if nested else np.full_like(found.chosen, found.best)
        return {name: values[chosen] for name, values in learner.settings.items()}

    def _shuffled(self, learner: Learner, name: str) -> tuple[Permuted, int, float]:
        """The permutation test, the trees it was done with, and the score with as many."""
        trees = 0
        if isinstance(learner, Forest) and learner.trees > TREES_SHUFFLED:
            trees = TREES_SHUFFLED
            learner = Forest(learner.make, trees, learner.seed)

        def one(y: FloatArray) -> float:
            found = scores(learner, self.x, y, self.folds, self.asked.nested)
            return float(getattr(found, self.asked.score))

        def tell(done: float) -> None:
            self._say(f"{name}: shuffled targets", 0.1 + 0.7 * done)

        score = one(self.y)
        generator = np.random.default_rng([self.seed, 1])
        count = self.asked.permutations
        found = permuted(one, self.y, self.folds, score, count, generator, tell)
        return found, trees, score

    def _selection(self, learner: Learner) -> FloatArray:
        if isinstance(learner, Forest):
            trees = min(learner.trees, TREES_SELECTED)
            learner = Forest(learner.make, trees, learner.seed)
        generator = np.random.default_rng([self.seed, 2])
        return selection(learner, self.x, self.y, self.asked.resamples, generator)

    def _imputed(self, learner: Learner) -> list[Scores]:
        """The scores for each of some imputations of the features."""
        drawn = self.features.imputations
        if drawn is None:
            return []
        places = np.linspace(0, len(drawn) - 1, min(IMPUTED, len(drawn))).astype(int)
        return [
            scores(learner, drawn[k], self.y, self.folds, self.asked.nested)
            for k in places
        ]

    def _say(self, stage: str, done: float) -> None:
        if self.progress is not None:
            number, count = self.share
            self.progress(stage, (number + done) / count, "")
