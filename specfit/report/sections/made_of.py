"""What the spectra are made of: weights along the series, and what is taken for granted."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.report.blocks import Block, Figure, Page, Paragraph, Section

GRANTED = (
    "The bases are taken for exact: a smooth curve goes through every point of them, and "
    "what noise they have is not modelled. The weights are for these bases; a sample that "
    "is made of others has no true weights here, however well it fits."
)


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    if not run.model.bases:
        return []
    blocks: list[Block] = []
    if "weights" in page.figures:
        blocks.append(
            Figure(
                "weights",
                "weights of the bases along the series",
                "Weights along the series. Points: posterior mean; bands: 5 to 95 %.",
            )
        )
    said = [note for note in run.fit.notes if "its own basis" in note]
    blocks += [Paragraph(note, strong="Leak: ", tone="warn") for note in said]
    return [*blocks, Paragraph(GRANTED)]


SECTION = Section("made_of", "What the spectra are made of", _build)
