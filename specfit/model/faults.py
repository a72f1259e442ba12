"""Where the faults of one check are gathered, and how a name close to a wrong one is found."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from specfit.diagnostics import Diagnostic, Fix, Severity, Span


class Faults:
    """Collects diagnostics; each elaboration step returns None where it reported one."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(
        self,
        code: str,
        span: Span,
        *,
        severity: Severity = "error",
        note: tuple[Span, str, dict[str, str]] | None = None,
        fix: Fix | None = None,
        **words: str,
    ) -> None:
        """Report one fault; the same code at the same place is reported once."""
        if any(d.code == code and d.span == span for d in self.found):
            return
        notes = (note,) if note else ()
        self.found.append(Diagnostic(code, span, words, severity, notes, fix))

    @property
    def errors(self) -> bool:
        """Is any of them an error?"""
        return any(d.severity == "error" for d in self.found)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, or the list of what is known, for a help text."""
    options = sorted(set(known))
    close = get_close_matches(name, options, n=1, cutoff=0.6)
    if not close:
        folded = {option.casefold(): option for option in options}
        close = [folded[name.casefold()]] if name.casefold() in folded else []
    if close:
        return f"`{close[0]}`"
    return ", ".join(f"`{option}`" for option in options[:12]) or "–"
