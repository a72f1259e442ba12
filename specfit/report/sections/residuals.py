"""Residual checks: is anything left that the model does not explain?"""

from __future__ import annotations

from collections.abc import Sequence

from specfit.report.blocks import Block, Cell, Page, Paragraph, Section, Table, Tone
from specfit.report.words import counted
from specfit.rules import Residuals


def _build(page: Page) -> Sequence[Block]:
    items = page.found.residuals
    rows = [row for item in items for row in _rows(item)]
    blocks: list[Block] = [Table(["statistic", "value", "z", "reading"], rows)]
    advice = {
        finding.detail: None
        for finding in page.found.run.verdict.findings
        if finding.kind == "residual" and finding.detail
    }
    if advice:
        blocks += [Paragraph(text, "What to try next:", "warn") for text in advice]
    elif any(item.insufficient for item in items):
        blocks.append(Paragraph("The model is insufficient.", tone="warn"))
    else:
        law = (
            "counting statistics" if counted(page.found.run.model) else "the noise law"
        )
        text = f"The residuals are those of {law}."
        blocks.append(Paragraph(text, tone="good"))
    return blocks


def _rows(item: Residuals) -> list[list[Cell]]:
    where = f" [{item.label}]" if item.label else ""
    return [
        [
            Cell(f"χ²{where}", f"{item.freedom} degrees of freedom"),
            Cell(f"{item.chi2:.1f}", f"reduced {item.chi2_reduced:.3f}", numeric=True),
            _z(item.chi2_z),
            Cell(item.worse, _replicates(item)),
        ],
        [
            Cell(f"lag-1 autocorrelation{where}"),
            Cell(f"{item.lag1:+.3f}", numeric=True),
            _z(item.lag1_z),
            Cell("0 expected; above it where neighbours are off the same way"),
        ],
        [
            Cell(f"runs of one sign{where}", "Wald and Wolfowitz"),
            Cell(str(item.runs), numeric=True),
            _z(item.runs_z),
            Cell("fewer than chance gives where long stretches lie above or below"),
        ],
    ]


def _replicates(item: Residuals) -> str:
    """The posterior predictive share, and why it is not the one above it."""
    return (
        f"posterior predictive: {item.larger} of the spectra drawn from the posterior "
        "have a larger one, but they are held against its curve without being fitted"
    )


_TONES: tuple[tuple[float, Tone], ...] = ((4, "bad"), (3, "warn"), (2, ""))


def _z(value: float) -> Cell:
    tone: Tone = "good"
    for step, name in reversed(_TONES):
        tone = name if abs(value) > step else tone
    return Cell(f"{value:+.1f}", tone=tone, numeric=True)


SECTION = Section("residuals", "Residual checks", _build)
