"""What an analysis found, as plain text."""

from __future__ import annotations

import math

from specfit.features import AnalysisRun, MethodResult
from specfit.report.terminal import aligned, summary
from specfit.report.text import clean


def terminal(run: AnalysisRun) -> str:
    """Scores of every method, the checks, and the verdict with its reasons."""
    return summary(run.title, scores(run), run.verdict)


def scores(run: AnalysisRun) -> str:
    """Each method with its scores and the feature that it selects most."""
    how = "same folds, optimistic" if run.result.optimistic else "nested"
    head = ["method", f"R², {how}", "Q²", "p", "selected most"]
    rows = [head, *(_row(run, method) for method in run.result.methods)]
    return "\n".join(aligned(rows))


def _row(run: AnalysisRun, method: MethodResult) -> list[str]:
    p = "–" if math.isnan(method.p_value) else f"{method.p_value:.3g}"
    name, first = clean(method.title or method.name), ""
    if method.selection.size and not math.isnan(method.selection[0]):
        most = int(method.selection.argmax())
        share = method.selection[most]
        label = clean(run.result.features.label(most))
        number = "" if label == str(most + 1) else f"no. {most + 1}, "
        first = f"{label} ({number}{share:.2f})"
    return [name, f"{method.r2:.3f}", f"{method.q2:.3f}", p, first]
