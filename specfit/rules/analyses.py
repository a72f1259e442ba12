"""What the checks of an analysis say of its methods."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

import numpy as np

from specfit.contracts import Finding, FloatArray, Verdict
from specfit.features import AnalysisResult, Features, MethodResult
from specfit.model.ir import Analysis, AnalysisCheck
from specfit.standardised import entry_errors

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SHUFFLES, RARE = 2000, 0.01
"""Of the target, and the share of them that may follow the order of the rows as well."""
ORDERED = (
    "the target follows the order of the rows (lag-one correlation {lag:.2f}): shuffling "
    "rows one by one supposes that any order is as likely, so that p is too small, and a "
    "row between its neighbours is easily predicted; `leave_block_out(…)` keeps "
    "neighbours together"
)
TOLD = 6
"""Of features that are warned of together, how many are named."""
DROWNED = (
    "their errors are as large as all that they vary by: what a method makes of them is "
    "chance"
)
OPTIMISTIC = (
    "optimistic: tuned on the same folds that are reported, so that the score has seen "
    "what it predicts"
)


def judge_analysis(analysis: Analysis, result: AnalysisResult) -> Verdict:
    """One finding for each check and method; one that fails rejects the analysis."""
    findings = [
        _finding(check, method)
        for check in analysis.checks
        for method in result.methods
    ]
    if result.optimistic:
        findings.append(
            Finding(
                "tuning", "check", "warned", "tuning = same_folds", detail=OPTIMISTIC
            )
        )
    findings += [*_ordered(result), *_drowned(result.features)]
    failed = [f"{f.rule}: {f.detail}" for f in findings if f.outcome == "failed"]
    return Verdict("rejected" if failed else "accepted", tuple(findings), tuple(failed))


def _ordered(result: AnalysisResult) -> list[Finding]:
    """A warning where rows that follow one another are shuffled one by one."""
    away = result.target - result.target.mean()
    alone = len(result.folds) == away.size
    if not alone or not any(method.shuffles for method in result.methods):
        return []
    generator = np.random.default_rng(0)
    orders = generator.permuted(np.tile(away, (SHUFFLES, 1)), axis=1)
    (lag,), chance = _lags(away[None]), _lags(orders)
    (trend,), chance_trend = _trends(away[None]), _trends(orders)
    rare = min(np.mean(chance >= lag), np.mean(chance_trend >= trend))
    if rare > RARE:
        return []
    detail = ORDERED.format(lag=lag)
    return [Finding("rows", "check", "warned", "folds = leave_one_out", detail=detail)]


def _lags(away: FloatArray) -> FloatArray:
    """The lag-one correlation of each row (m, n) of values about their mean."""
    found: FloatArray = np.sum(away[:, 1:] * away[:, :-1], axis=1)
    found /= np.sum(away**2, axis=1)
    return found


def _drowned(features: Features) -> list[Finding]:
    """A warning of features that vary no more than their own errors do."""
    sd = entry_errors(features)
    if sd is None:
        return []
    error, spread = np.sqrt(np.mean(sd**2, axis=0)), features.values.std(axis=0)
    lost = [
        features.label(int(i))
        for i in np.flatnonzero((error >= spread) & (sd > 0).any(axis=0))
    ]
    if not lost:
        return []
    names = ", ".join(lost[:TOLD]) + (" …" if len(lost) > TOLD else "")
    return [Finding("features", "check", "warned", names, detail=DROWNED)]


def _trends(away: FloatArray) -> FloatArray:
    """How far each row (m, n) of values rises or falls with its place, by ranks."""
    ranks = np.argsort(np.argsort(away, axis=1), axis=1)
    place = np.arange(away.shape[1]) - (away.shape[1] - 1) / 2.0
    found: FloatArray = np.abs(ranks @ place)
    return found


def _finding(check: AnalysisCheck, method: MethodResult) -> Finding:
    """A figure that was not worked out passes no check."""
    known = {"permutation_p": method.p_value, "R2": method.r2, "Q2": method.q2}
    value = known[check.figure]
    passed = _COMPARE[check.comparison](value, check.bound)
    shuffles = f" of {method.shuffles} shuffled targets" * (check.figure[0] == "p")
    return Finding(
        rule=f"{method.name}.{check.figure}",
        kind="check",
        outcome="passed" if passed else "failed",
        text=check.place.text,
        because=check.because,
        value=None if math.isnan(value) else value,
        detail=f"{check.figure} is {value:.3g}{shuffles},"
        f" asked for {check.comparison} {check.bound:g}",
        line=check.place.line,
    )
