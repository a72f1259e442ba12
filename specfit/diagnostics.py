"""What specfit says about a fault in the input: a value, collected and rendered once.

A `Diagnostic` carries a code, a place and the words to fill in; the sentences stand in
`grammars/messages.toml`, in English and Japanese, keyed by the code.  How they are
shown (carets aligned by East Asian width, `--json`) is settled in `rendering` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, order=True)
class Span:
    """A place: file index is its path as the user gave it; offsets count characters."""

    file: str = ""
    start: int = 0
    end: int = 0


NOWHERE = Span()


@dataclass(frozen=True)
class Fix:
    """A replacement of the text under `span`; `safe` ones are applied by `--fix`."""

    span: Span
    text: str
    safe: bool = False


@dataclass(frozen=True)
class Diagnostic:
    """One fault, one message.

    `words` fill the placeholders of the code's sentences; a word that starts with `@`
    names a term of `messages.toml` ([terms.velocity]) so that it is translated too.
    `notes` are other places concerned: (span, note code, words).
    """

    code: str
    span: Span = NOWHERE
    words: dict[str, str] = field(default_factory=dict)
    severity: Severity = "error"
    notes: tuple[tuple[Span, str, dict[str, str]], ...] = ()
    fix: Fix | None = None


class SpecError(Exception):
    """All the faults found, raised once at the edge of the pipeline."""

    def __init__(
        self, diagnostics: list[Diagnostic], sources: dict[str, str] | None = None
    ) -> None:
        super().__init__(", ".join(sorted({d.code for d in diagnostics})))
        self.diagnostics = diagnostics
        self.sources = sources or {}


class Exhausted(Exception):
    """Memory or disk gave out; the diagnostic says where what was done is kept."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.code)
        self.diagnostic = diagnostic
