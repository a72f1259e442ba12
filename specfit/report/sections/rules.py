"""Rules: what was required, expected and checked, and what physics says."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding
from specfit.model.ir import Override
from specfit.model.rule_library import instead_of, where, words
from specfit.report.blocks import Block, Cell, Fold, Page, Section, Table, Tone

_MARKS = {"passed": "✓ holds", "warned": "! warning", "failed": "✗ fails"}
_TONES: dict[str, Tone] = {"passed": "good", "warned": "warn", "failed": "bad"}
_STATEMENTS = ("require", "expect", "check")


def _build(page: Page) -> Sequence[Block]:
    findings = page.found.run.verdict.findings
    overrides = page.found.run.model.overrides
    said = [f for f in findings if f.kind in _STATEMENTS]
    flagged = [f for f in findings if f.kind == "physics" and f.outcome != "passed"]
    quiet = [f for f in findings if f.kind == "physics" and f.outcome == "passed"]
    blocks: list[Block] = []
    if said:
        blocks.append(_table(said, "The user's own statements."))
    if overrides:
        blocks.append(_overrides(overrides))
    if flagged:
        blocks.append(_table(flagged, "Rules of physics that speak up."))
    if quiet:
        title = f"{len(quiet)} rules of physics that hold"
        blocks.append(Fold(title, [_table(quiet, "")]))
    return blocks


def _overrides(overrides: Sequence[Override]) -> Table:
    header = ["the file says", "instead of", "because"]
    rows = [
        [
            Cell(words(o) + where(o)),
            Cell(instead_of(o)),
            Cell(f"“{o.because}”"),
        ]
        for o in overrides
    ]
    return Table(header, rows, "Rules of the library that the file overrides.")


def _table(findings: list[Finding], caption: str) -> Table:
    header = ["rule", "outcome", "probability", "what was found"]
    return Table(header, [_row(finding) for finding in findings], caption)


def _row(finding: Finding) -> list[Cell]:
    where = f"line {finding.line}: " if finding.line else ""
    because = f"because “{finding.because}”" if finding.because else ""
    statement = finding.kind in _STATEMENTS and finding.rule in _STATEMENTS
    first = finding.text if statement else finding.rule.replace("_", " ")
    found = finding.detail if statement else finding.text
    below = finding.strategy and f"kept by construction: {finding.strategy}"
    if not statement:
        below = " · ".join(
            text
            for text in (
                finding.detail,
                finding.severity and f"{finding.severity} rule",
                finding.source and f"source: {finding.source}",
            )
            if text
        )
    return [
        Cell(f"{where}{first}", because),
        Cell(_MARKS[finding.outcome], tone=_TONES[finding.outcome]),
        Cell(_probability(finding.probability), numeric=True),
        Cell(found, below),
    ]


def _probability(value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.3g} %"


SECTION = Section("rules", "Rules and reasons", _build)
