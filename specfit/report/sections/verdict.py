"""The headline: accepted, rejected or no result, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specfit.contracts import Verdict
from specfit.report.blocks import Banner, Block, Bullets, Page, Paragraph, Section, Tone
from specfit.report.stopped import (
    MAXIMUM,
    cut_short,
    interruption,
    maximum_alone,
)
from specfit.rules.pressed import unjudged

WORDS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "not_converged": "Not converged",
}
TONES: dict[str, Tone] = {
    "accepted": "good",
    "rejected": "bad",
    "not_converged": "warn",
}
_SENTENCES = {
    "accepted": "The sampler converged; every requirement and check holds.",
    "rejected": "The sampler converged, but the answer is not one to rely on:",
    "not_converged": "The sampler did not converge. Nothing on this page is a result:",
}


RESERVED = "Accepted, with reservations"
INSUFFICIENT = "the residuals say that the model is insufficient"


def reservation(verdict: Verdict) -> str:
    """Why an accepted result is accepted with reservations; "" without any."""
    if verdict.outcome != "accepted":
        return ""
    for finding in verdict.findings:
        if finding.kind == "residual" and finding.outcome == "warned":
            return INSUFFICIENT
        if unjudged(finding):
            return "what the data say against a rule at its boundary is not known"
    return ""


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    verdict, stopped = run.verdict, interruption(run)
    banner = Banner(
        word=WORDS[verdict.outcome],
        tone=TONES[verdict.outcome],
        sentence=_SENTENCES[verdict.outcome],
        reasons=verdict.reasons,
    )
    warned = [f.text for f in verdict.findings if f.outcome == "warned"]
    if reserved := reservation(verdict):
        sentence = f"{_SENTENCES['accepted'].removesuffix('.')}, but {reserved}."
        banner = Banner(word=RESERVED, tone="warn", sentence=sentence, reasons=())
    if maximum_alone(run.fit):
        banner = replace(banner, word="Maximum alone", sentence=MAXIMUM, reasons=())
    if cut_short(run.fit):
        banner = replace(banner, word="Interrupted", sentence=stopped)
    blocks: list[Block] = [banner]
    if stopped != banner.sentence and stopped:
        blocks.append(Paragraph(stopped, tone="warn"))
    if warned:
        count = "One warning" if len(warned) == 1 else f"{len(warned)} warnings"
        blocks += [Paragraph("", strong=f"{count}"), Bullets(warned)]
    return blocks


SECTION = Section("verdict", "Verdict", _build)
