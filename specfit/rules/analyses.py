"""What the checks of an analysis say of its methods."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from specfit.contracts import Finding, Verdict
from specfit.features import AnalysisResult, MethodResult
from specfit.model.ir import Analysis, AnalysisCheck

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
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
    failed = [f"{f.rule}: {f.detail}" for f in findings if f.outcome == "failed"]
    return Verdict("rejected" if failed else "accepted", tuple(findings), tuple(failed))


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
