"""Prior against posterior, and how the unknowns hang together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.report.blocks import Block, Figure, Page, Paragraph, Section
from specfit.report.figures.correlations import chosen, correlation

STRONG = 0.95
_RECORDS = (
    " Orange: location of the database records with their predictive scale, before the "
    "prior was widened."
)


def _build(page: Page) -> Sequence[Block]:
    blocks: list[Block] = []
    if "prior_vs_posterior" in page.figures:
        blocks.append(
            Figure(
                "prior_vs_posterior",
                "densities of prior and posterior for every unknown",
                "Grey: prior as stated; blue: posterior, each with its peak at one height."
                + (_RECORDS if page.found.conflicts else ""),
            )
        )
    if "correlations" in page.figures:
        free = sum(not q.summary.fixed for q in page.found.parameters.values())
        shown = len(chosen(page.found))
        some = (
            f"  The {shown} most correlated of {free} unknowns." if shown < free else ""
        )
        blocks.append(
            Figure(
                "correlations",
                "joint densities and correlations of the unknowns",
                "Joint posterior densities below the diagonal, correlation "
                f"coefficients above it.{some}",
            )
        )
        blocks += _entangled(page)
    return blocks


def _entangled(page: Page) -> list[Block]:
    """Pairs that the spectrum cannot tell apart."""
    items = chosen(page.found)
    matrix = np.abs(correlation(items))
    pairs = [
        f"{items[row].name} and {items[column].name} ({matrix[row, column]:.2f})"
        for row in range(len(items))
        for column in range(row)
        if matrix[row, column] > STRONG
        and not _tied(page, items[row].name, items[column].name)
    ]
    if not pairs:
        return []
    text = f"Correlated above {STRONG}, known only together: {'; '.join(pairs)}."
    return [Paragraph(text, tone="warn")]


def _tied(page: Page, left: str, right: str) -> bool:
    """Whether two fractions sum to a constant anyway."""
    joints = page.found.run.model.joints
    return any({left, right} == set(joint.names) for joint in joints)


SECTION = Section("knowledge", "What the data taught", _build)
