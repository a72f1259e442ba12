"""Where the faults of one check are gathered, and the name closest to a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from specfit.diagnostics import Diagnostic, Fix, Severity, Span


_ECHOES = {
    "fractions-incomplete",
    "fractions-not-one",
    "missing-key",
    "no-components",
    "observe-missing",
    "unused-definition",
    "unused-parameter",
    "unused-template",
}
"""What is only missing because the statement that says it could not be read."""


class Faults:
    """Collects diagnostics; each elaboration step returns None where it reported one.

    `earlier` are the parser's.  The names that its faulty statements would have defined
    are known, and what is missing may stand in one of them: neither is a fault of its
    own.
    """

    def __init__(self, earlier: Iterable[Diagnostic] = ()) -> None:
        self.found: list[Diagnostic] = list(earlier)
        self._unread = self.errors
        self._defines = {d.words["defines"] for d in self.found if "defines" in d.words}

    def excuses(self, name: str) -> bool:
        """Would a statement that could not be read have defined `name`?"""
        head = name.partition(".")[0]
        return name in self._defines or head in self._defines

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
        if self._unread and code in _ECHOES:
            return
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
