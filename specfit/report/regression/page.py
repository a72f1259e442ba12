"""The sections of the page of an analysis."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.features import AnalysisRun
from specfit.report.blocks import (
    Banner,
    Block,
    Cell,
    Facts,
    Figure,
    Paragraph,
    Table,
    Tone,
)
from specfit.report.page import Shown
from specfit.report.regression.result import (
    FORESTS,
    AnalysisRunResult,
    MethodRecord,
)

TOP = 12
_HEAT = (
    "What each feature contributes in each row, standardised value × coefficient of a "
    "fit to all rows. Below, the share of half samples in which it is among the first."
)
_TREES = (
    "How much each feature lowers the variance at the splits of a forest of all rows; "
    "which way it drives is not said. Below, the share of half samples in which it is "
    "among the first."
)


def sections(run: AnalysisRun, result: AnalysisRunResult) -> list[Shown]:
    """Everything the page shows."""
    parts: list[tuple[str, str, Sequence[Block]]] = [
        ("verdict", "Verdict", [_banner(result)]),
        ("scores", "Held-out scores", _scores(run, result)),
        ("features", "Features", _features(result)),
        ("checks", "Checks", _checks(result)),
        ("record", "Record", [_record(run, result)]),
    ]
    return [Shown(name, title, tuple(blocks)) for name, title, blocks in parts]


def _banner(result: AnalysisRunResult) -> Banner:
    good = result.verdict == "accepted"
    sentence = (
        "Every check holds." if good else "A check of the file rejects this analysis."
    )
    if good and not any(rule.outcome == "passed" for rule in result.rules):
        sentence = "The file states no check."
    if result.optimistic:
        sentence += " Scores are optimistic: tuned on the folds that are reported."
    tone: Tone = "good" if good and not result.optimistic else "warn" if good else "bad"
    return Banner(result.verdict, tone, sentence, result.reasons)


def _scores(run: AnalysisRun, result: AnalysisRunResult) -> list[Block]:
    how = run.analysis.folds.replace("_", " ")
    text = (
        f"{len(result.folds)} folds ({how}). R² = 1 − SSE/SST is pooled over all held-out "
        "rows, about the mean of all; Q² has the mean of the rows that were learned from. "
        "p: share of shuffled targets that go through the same procedure and do as well."
    )
    asked = "same folds (optimistic)" if result.optimistic else "nested"
    head = [
        "method",
        f"R², {asked}",
        "Q²",
        "R² tuned on the same folds (optimistic)",
        "p",
    ]
    rows = [
        [
            Cell(m.title or m.name, m.function.replace("_", " ")),
            Cell(f"{m.r2:.3f}", _noted(m), numeric=True),
            Cell(f"{m.q2:.3f}", numeric=True),
            Cell(f"{m.same_folds_r2:.3f}", tone="quiet", numeric=True),
            Cell(*_p(m), numeric=True),
        ]
        for m in result.methods
    ]
    figure = Figure(
        "predicted_vs_measured",
        "predicted against measured",
        "Each row predicted while it was held out.",
    )
    return [Paragraph(text), Table(head, rows), figure]


def _noted(method: MethodRecord) -> str:
    notes, drawn = [], method.imputed_r2
    if drawn:
        span = f"{min(drawn):.3f} … {max(drawn):.3f}"
        notes.append(f"{span} over {len(drawn)} imputations")
    if method.unsettled_folds:
        notes.append(f"not converged in {method.unsettled_folds} folds")
    return "; ".join(notes)


def _p(method: MethodRecord) -> tuple[str, str]:
    if method.permutation_p is None:
        return "–", ""
    note = f"{method.permutations} shuffles"
    if method.permutation_trees:
        note += f", {method.permutation_trees} trees on both sides"
    return f"{method.permutation_p:.3g}", note


def _features(result: AnalysisRunResult) -> list[Block]:
    blocks: list[Block] = []
    for m in result.methods:
        if m.function in FORESTS:
            name = f"importance_{m.name}"
            blocks.append(Figure(name, f"importance in {m.name}", _TREES))
        else:
            blocks.append(Figure(f"heatmap_{m.name}", f"heat map of {m.name}", _HEAT))
        blocks.append(_ranking(m))
        if m.groups:
            ranked = sorted(m.groups.items(), key=lambda item: -item[1])
            pairs = [(group or "–", f"{share:.2f}") for group, share in ranked]
            blocks.append(
                Paragraph("Selection of each group, that of its best member:")
            )
            blocks.append(Facts(pairs))
        if m.function == "lasso":
            name = f"paths_{m.name}"
            blocks.append(Figure(name, "coefficient paths", "Coefficients by penalty."))
    return blocks


def _ranking(method: MethodRecord) -> Table:
    def rank(index: int) -> tuple[float, float]:
        feature = method.features[index]
        return -(feature.selection or 0.0), -abs(feature.coefficient)

    order = sorted(range(len(method.features)), key=rank)[:TOP]
    rows = [
        [
            Cell(str(f.number), numeric=True),
            Cell(f.label, f.group),
            Cell("–" if f.selection is None else f"{f.selection:.2f}", numeric=True),
            Cell(f"{f.coefficient:.4g}", numeric=True),
        ]
        for f in (method.features[k] for k in order)
    ]
    what = "importance" if method.function in FORESTS else "coefficient"
    head = ["no.", "feature", "selection", what]
    count = len(method.features)
    those = "all features" if count <= TOP else f"the {TOP} selected most"
    return Table(head, rows, f"{method.title or method.name}: {those}")


def _checks(result: AnalysisRunResult) -> list[Block]:
    tones = {"passed": "good", "failed": "bad", "warned": "warn"}
    rows = [
        [
            Cell(rule.rule, f"line {rule.line}" if rule.line else ""),
            Cell(rule.text, rule.because),
            Cell(rule.detail),
            Cell(rule.outcome, tone=tones[rule.outcome]),  # type: ignore[arg-type]
        ]
        for rule in result.rules
    ]
    return [Table(["check", "as written", "found", "outcome"], rows)] if rows else []


def _record(run: AnalysisRun, result: AnalysisRunResult) -> Facts:
    pairs = [
        ("seed", str(result.seed)),
        ("half samples", str(result.resamples)),
        ("table", f"{run.measurement.path}, SHA-256 {run.measurement.sha256[:16]}…"),
        ("spec", f"SHA-256 {result.spec_sha256[:16]}…"),
        *((f"seconds, {name}", f"{s:.1f}") for name, s in result.timings_s.items()),
        *((name, text) for name, text in result.versions.items()),
    ]
    return Facts(pairs)
