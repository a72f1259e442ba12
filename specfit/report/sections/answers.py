"""Several answers side by side; nothing where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.report.answers import answers
from specfit.report.blocks import Block, Cell, Page, Paragraph, Section, Table


def _build(page: Page) -> Sequence[Block]:
    found = answers(page.found.run)
    if found is None:
        return []
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
    return [Paragraph(found.title), Table(header, table)]


SECTION = Section("answers", "Answers that fit", _build)
