"""From a span of characters to the place that reports quote: file, line and text."""

from __future__ import annotations

import re
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


def word_place(span: Span, after: str, word: str, sources: Mapping[str, str]) -> Span:
    """The place of a word of a clause, as `stage` in `… per stage`, within `span`."""
    text = sources.get(span.file, "")[span.start : span.end]
    found = re.search(rf"\b{after}\b[^\n{{]*?\b({re.escape(word)})\b", text)
    if found is None:
        return span
    return Span(span.file, span.start + found.start(1), span.start + found.end(1))
