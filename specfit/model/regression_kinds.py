"""Regression in the language: a linear model of the features of a table, and estimators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specfit.model.kind import ModelKind

REGRESSION = ModelKind(
    name="regression",
    title="a column of a table from its features: "
    "`observe d.target ~ normal(a + sum(β[feature] * standardized(d.feature) over "
    "feature), σ)`",
    data="table",
    component="",
    components={},
    scalars=(),
    baselines={},
    halves={},
    amounts={},
    defaults={},
    seen={},
    settings={},
    noises=("gaussian",),
    fraction="",
)

MOST_FEATURES = 400
"""More than that is no table of features but a spectrum."""


@dataclass(frozen=True)
class Setting:
    """An argument of an estimator: the numbers it may have, and its usual values."""

    low: float
    high: float
    whole: bool
    usual: tuple[float, ...]
    tuned: bool


_TREES = {"trees": Setting(1, 10_000, True, (500.0,), False)}
_ALPHA = Setting(1e-12, 1e6, False, (), True)

ESTIMATORS: Mapping[str, Mapping[str, Setting]] = {
    "lasso": {"alpha": _ALPHA},
    "elastic_net": {
        "alpha": _ALPHA,
        "l1_ratio": Setting(1e-3, 1.0, False, (0.5,), True),
    },
    "random_forest": _TREES,
    "extra_trees": _TREES,
}
"""The estimators of an `analysis` by name, with their arguments."""
