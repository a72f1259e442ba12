"""The headline: accepted, rejected or no result, and why."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Verdict
from specfit.report.blocks import Banner, Block, Bullets, Page, Paragraph, Section

_WORDS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "not_converged": "Not converged",
}
_TONES = {"accepted": "good", "rejected": "bad", "not_converged": "warn"}
_SENTENCES = {
    "accepted": "The sampler converged; every requirement and check holds.",
    "rejected": "The sampler converged, but the answer is not one to rely on:",
    "not_converged": "The sampler did not converge. Nothing on this page is a result:",
}


RESERVED = "Accepted, with reservations"
_RESERVED = (
    "The sampler converged and every requirement and check holds, but the residuals say "
    "that the model is insufficient: its intervals may be too narrow."
)


def insufficient(verdict: Verdict) -> bool:
    """Whether a residual check warned."""
    return any(
        finding.kind == "residual" and finding.outcome == "warned"
        for finding in verdict.findings
    )


def _build(page: Page) -> Sequence[Block]:
    verdict = page.found.run.verdict
    banner = Banner(
        word=_WORDS[verdict.outcome],
        tone=_TONES[verdict.outcome],  # type: ignore[arg-type]
        sentence=_SENTENCES[verdict.outcome],
        reasons=verdict.reasons,
    )
    warned = [f.text for f in verdict.findings if f.outcome == "warned"]
    if verdict.outcome == "accepted" and insufficient(verdict):
        banner = Banner(word=RESERVED, tone="warn", sentence=_RESERVED, reasons=())
    if not warned:
        return [banner]
    count = "One warning" if len(warned) == 1 else f"{len(warned)} warnings"
    return [banner, Paragraph("", strong=f"{count}"), Bullets(warned)]


SECTION = Section("verdict", "Verdict", _build)
