"""From a span of characters to the place that reports quote: file, line and text."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.diagnostics import Span
from specfit.model.ir import Place


def place(span: Span, sources: Mapping[str, str]) -> Place:
    """The line and the statement's own text, blanks folded."""
    text = sources.get(span.file, "")
    line = text.count("\n", 0, span.start) + 1 if text else 0
    return Place(
        file=span.file,
        line=line,
        start=span.start,
        end=span.end,
        text=" ".join(text[span.start : span.end].split())[:500],
    )
