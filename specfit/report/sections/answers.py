"""Several numbers of components and several answers; nothing where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Run
from specfit.report.answers import answers, ranking
from specfit.report.blocks import Block, Cell, Page, Paragraph, Section, Table


def _counted(run: Run) -> list[Block]:
    """Which number of components the data want; empty where none was open."""
    if not run.counted:
        return []
    header, *rows = ranking(run)
    cells = [
        [Cell(row[0]), *(Cell(text, numeric=True) for text in row[1:])] for row in rows
    ]
    return [Paragraph(run.conclusion), Table(header, cells)]


def _build(page: Page) -> Sequence[Block]:
    found = answers(page.found.run)
    counted = _counted(page.found.run)
    if found is None:
        return counted
    count = len(found.weights)
    weights = [Cell(f"{weight:.3f}", numeric=True) for weight in found.weights]
    verdicts = [
        Cell(
            found.verdict_words(i),
            tone="good" if found.verdicts[i].outcome == "accepted" else "bad",
        )
        for i in range(count)
    ]
    rows = [
        [Cell(row.name, row.unit), *(Cell(value, numeric=True) for value in row.values)]
        for row in found.rows
    ]
    header = ["", *(f"answer {i + 1}" for i in range(count))]
    table = [[Cell("weight"), *weights], *rows, [Cell("verdict"), *verdicts]]
    return [*counted, Paragraph(found.title), Table(header, table)]


SECTION = Section("answers", "Answers that fit", _build)
