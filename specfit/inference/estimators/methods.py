"""The estimators: what each predicts for every setting that may be tuned.

A learner is given rows to learn from and rows to predict, and nothing else: the scale of
the features is learned from the first alone.  Linear methods go along the whole grid of
penalties in one path, not one fit a penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.estimators.folds import Places
from specfit.inference.estimators.path import elastic_net_path
from specfit.standardised import Rows, scale


class Learner(Protocol):
    """What an analysis asks of a method.

    settings: by name of the argument, (n_settings,), strongest penalty first.
    """

    @property
    def settings(self) -> dict[str, FloatArray]:
        """What may be tuned."""

    def predict(self, x: FloatArray, y: FloatArray, asked: FloatArray) -> FloatArray:
        """Predictions (n_settings, n_asked) after learning from x (n, p) and y (n,)."""

    def settled(self, x: FloatArray, y: FloatArray) -> Rows:
        """Whether the fit of each setting (n_settings,) has converged."""

    def weights(self, x: FloatArray, y: FloatArray, setting: int) -> FloatArray:
        """Coefficients of standardised features, or importances, (p,)."""

    def first(self, x: FloatArray, y: FloatArray, count: int) -> Places:
        """The features that come first, `count` at most."""


def scaler(x: FloatArray, standardise: bool) -> tuple[FloatArray, FloatArray]:
    """Mean and unit of every column; a column that does not vary has the unit 1."""
    if not standardise:
        return np.zeros(x.shape[1]), np.ones(x.shape[1])
    mean, unit, _ = scale(x)
    return mean, unit


@dataclass(frozen=True)
class Linear:
    """LASSO and elastic net: ½/n |y − Xw|² + α (r |w|₁ + ½ (1 − r) |w|²).

    alphas: falling; ratios: r, 1 for the LASSO.  Source: J. Friedman, T. Hastie,
    R. Tibshirani, J. Stat. Softw. 33, 1 (2010), doi:10.18637/jss.v033.i01.
    """

    alphas: FloatArray
    ratios: FloatArray
    named: bool
    standardise: bool = True

    @property
    def settings(self) -> dict[str, FloatArray]:
        """As in `Learner`."""
        found = {"alpha": np.tile(self.alphas, len(self.ratios))}
        if self.named:
            found["l1_ratio"] = np.repeat(self.ratios, len(self.alphas))
        return found

    def predict(self, x: FloatArray, y: FloatArray, asked: FloatArray) -> FloatArray:
        """As in `Learner`."""
        mean, unit = scaler(x, self.standardise)
        coefficients, offset = self.paths(x, y)
        return offset[:, None] + coefficients @ ((asked - mean) / unit).T

    def paths(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coefficients (n_settings, p) of scaled features, and what stands beside them."""
        return self._path(x, y)[:2]

    def settled(self, x: FloatArray, y: FloatArray) -> Rows:
        """As in `Learner`."""
        return self._path(x, y)[2]

    def _path(
        self, x: FloatArray, y: FloatArray
    ) -> tuple[FloatArray, FloatArray, Rows]:
        """As `paths`, and which of them (n_settings,) are final."""
        mean, unit = scaler(x, self.standardise)
        scaled = (x - mean) / unit
        middle, centre = scaled.mean(axis=0), float(y.mean())
        inner, left = scaled - middle, y - centre
        each = [elastic_net_path(inner, left, r, self.alphas) for r in self.ratios]
        coefficients = np.concatenate([path for path, _ in each])
        final = np.concatenate([settled for _, settled in each])
        return coefficients, centre - coefficients @ middle, final

    def weights(self, x: FloatArray, y: FloatArray, setting: int) -> FloatArray:
        """As in `Learner`."""
        found: FloatArray = self.paths(x, y)[0][setting]
        return found

    def first(self, x: FloatArray, y: FloatArray, count: int) -> Places:
        """The first to enter as the penalty falls, at the ratio nearest the LASSO."""
        path = self.paths(x, y)[0][-len(self.alphas) :]
        chosen = path != 0.0
        entered = np.where(chosen.any(axis=0), chosen.argmax(axis=0), len(path))
        size = np.abs(
            path[np.minimum(entered, len(path) - 1), np.arange(path.shape[1])]
        )
        order = np.lexsort((-size, entered))
        return order[: min(count, int(np.sum(entered < len(path))))]


@dataclass(frozen=True)
class Forest:
    """Random forest or extremely randomised trees; nothing of it is tuned.

    Sources: L. Breiman, Mach. Learn. 45, 5 (2001), doi:10.1023/A:1010933404324;
    P. Geurts, D. Ernst, L. Wehenkel, Mach. Learn. 63, 3 (2006),
    doi:10.1007/s10994-006-6226-1.  They cannot predict beyond what they have seen.
    """

    make: Callable[..., Any]
    trees: int
    seed: int

    @property
    def settings(self) -> dict[str, FloatArray]:
        """As in `Learner`."""
        return {"trees": np.array([float(self.trees)])}

    def predict(self, x: FloatArray, y: FloatArray, asked: FloatArray) -> FloatArray:
        """As in `Learner`; trees do not mind the scale of a feature."""
        return np.asarray(self._fitted(x, y).predict(asked))[None]

    def settled(self, x: FloatArray, y: FloatArray) -> Rows:
        """As in `Learner`: a forest does not iterate."""
        del x, y
        return np.ones(1, dtype=bool)

    def weights(self, x: FloatArray, y: FloatArray, setting: int) -> FloatArray:
        """As in `Learner`: the fall of the variance at splits, summing to 1."""
        del setting
        return np.asarray(self._fitted(x, y).feature_importances_)

    def first(self, x: FloatArray, y: FloatArray, count: int) -> Places:
        """The most important."""
        found = self.weights(x, y, 0)
        return np.argsort(-found, kind="stable")[: min(count, int(np.sum(found > 0.0)))]

    def _fitted(self, x: FloatArray, y: FloatArray) -> Any:
        return self.make(self.trees, random_state=self.seed, n_jobs=1).fit(x, y)


def forest(function: str, trees: int, seed: int) -> Forest:
    """A forest by its name in the language."""
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    kinds = {"random_forest": RandomForestRegressor, "extra_trees": ExtraTreesRegressor}
    return Forest(kinds[function], trees, seed)
