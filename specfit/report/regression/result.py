"""`result.json` of an analysis: the keys of every run, and what each method found."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from specfit.features import AnalysisRun, MethodResult
from specfit.report.figures.regression import groups_of
from specfit.report.result import SCHEMA_VERSION, Record, RuleResult, Text

FORESTS = ("random_forest", "extra_trees")
"""Methods whose coefficients are importances, without a sign."""


class Figure(Record):
    """A score: mean and spread over what was drawn of the features, else one number."""

    unit: str
    mean: float
    sd: float | None
    median: float
    q05: float | None
    q95: float | None
    rhat: None = None
    ess_bulk: None = None
    ess_tail: None = None


class FeatureResult(Record):
    """One feature in one method; group_selection: of any member of its group."""

    number: int
    label: Text
    group: Text
    unit: Text
    coefficient: float
    selection: float | None


class MethodRecord(Record):
    """One method: `r2` as asked for, `same_folds_r2` always optimistic.

    permutation_scores: R² or Q², as asked for.  unsettled_folds: whose fit, at the penalty
    chosen, stopped before it had converged.
    """

    name: str
    title: Text
    function: str
    r2: float
    q2: float
    same_folds_r2: float
    optimistic: bool
    permutation_p: float | None
    permutations: int
    permutation_trees: int
    permutation_scores: list[float]
    tuned: dict[str, list[float]]
    predicted: list[float]
    features: list[FeatureResult]
    groups: dict[str, float]
    imputed_r2: list[float]
    imputed_q2: list[float]
    unsettled_folds: int


class AnalysisRunResult(Record):
    """The whole of `result.json` of an analysis."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    verdict: Literal["accepted", "rejected", "not_converged"]
    reasons: list[Text]
    title: Text
    analysis: str
    kind: str
    spec_file: Text
    started: str
    optimistic: bool
    folds: list[list[int]]
    target: list[float]
    target_unit: str
    parameters: dict[str, Figure]
    derived: dict[str, Figure]
    rules: list[RuleResult]
    log_evidence: None = None
    diagnostics: dict[str, float]
    methods: list[MethodRecord]
    seed: int
    resamples: int
    data: list[str]
    spec_sha256: str
    versions: dict[str, str]
    timings_s: dict[str, float]


def result_of(run: AnalysisRun) -> AnalysisRunResult:
    """What scripts read of an analysis."""
    found, verdict = run.result, run.verdict
    scores = {f"{one.name}.{key}": one for one in found.methods for key in ("R2", "Q2")}
    return AnalysisRunResult(
        verdict=verdict.outcome,
        reasons=list(verdict.reasons),
        title=run.title,
        analysis=found.name,
        kind="analysis of regression",
        spec_file=run.spec,
        started=run.started,
        optimistic=found.optimistic,
        folds=[[row + 1 for row in fold] for fold in found.folds],
        target=found.target.tolist(),
        target_unit=found.unit,
        parameters={},
        diagnostics={},
        derived={key: _figure(one, key[-2:]) for key, one in scores.items()},
        rules=[
            RuleResult(
                kind=f.kind, line=f.line, text=f.text, because=f.because,
                outcome=f.outcome, probability=f.probability, rule=f.rule, value=f.value,
                detail=f.detail, strategy=f.strategy, source=f.source,
            )
            for f in verdict.findings
        ],
        methods=[_method(run, one) for one in found.methods],
        seed=found.seed,
        resamples=found.resamples,
        data=[run.measurement.sha256],
        spec_sha256=run.text_sha256,
        versions=dict(run.versions),
        timings_s={**run.timings, **found.timings},
    )  # fmt: skip


def _figure(one: MethodResult, key: str) -> Figure:
    value, drawn = {
        "R2": (one.r2, one.imputed_r2), "Q2": (one.q2, one.imputed_q2)
    }[key]  # fmt: skip
    if drawn.size < 2:
        return Figure(unit="", mean=value, sd=None, median=value, q05=None, q95=None)
    low, middle, high = np.quantile(drawn, (0.05, 0.5, 0.95))
    spread = float(drawn.std(ddof=1))
    mean = float(drawn.mean())
    return Figure(unit="", mean=mean, sd=spread, median=middle, q05=low, q95=high)


def _method(run: AnalysisRun, one: MethodResult) -> MethodRecord:
    features = run.result.features
    selection = [None if math.isnan(s) else float(s) for s in one.selection]
    return MethodRecord(
        name=one.name,
        title=one.title,
        function=one.function,
        r2=one.r2,
        q2=one.q2,
        same_folds_r2=one.same_folds_r2,
        optimistic=run.result.optimistic,
        permutation_p=None if math.isnan(one.p_value) else one.p_value,
        permutations=one.shuffles,
        permutation_trees=one.p_trees,
        permutation_scores=one.shuffled_scores.tolist(),
        tuned={name: values.tolist() for name, values in one.tuned.items()},
        predicted=one.predicted.tolist(),
        features=[
            FeatureResult(
                number=k + 1,
                label=features.label(k),
                group=features.group(k),
                unit=features.units[k] if features.units else "",
                coefficient=float(one.coefficients[k]),
                selection=selection[k],
            )
            for k in range(features.count)
        ],
        groups=group_selection(run, one),
        imputed_r2=one.imputed_r2.tolist(),
        imputed_q2=one.imputed_q2.tolist(),
        unsettled_folds=one.unsettled,
    )


def group_selection(run: AnalysisRun, one: MethodResult) -> dict[str, float]:
    """The largest selection probability of each group, where groups are known."""
    if not run.result.features.groups or np.isnan(one.selection).any():
        return {}
    groups = groups_of(run.result.features)
    return {group: float(one.selection[members].max()) for group, members in groups}
