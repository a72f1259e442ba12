"""Where the faults of one check are gathered, and the name closest to a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from specfit.diagnostics import Diagnostic, Fix, Severity, Span

_ECHOES = {
    "fractions-incomplete",
    "fractions-not-one",
    "no-components",
    "observe-missing",
}
"""What may be missing only because the statement that says it is at fault."""

_UNUSED = {
    "unused-definition",
    "unused-number",
    "unused-parameter",
    "unused-template",
}
"""What may be used where another fault stands, so that it is said when all else is
right."""


EVERYTHING = "*"
"""A file that could not be used might have defined any name."""


class Faults:
    """Collects diagnostics; each elaboration step returns None where it reported one.

    `earlier` are the parser's.  The names that its faulty statements would have defined
    are known, and what is missing may stand in one of them: neither is a fault of its
    own.
    """

    def __init__(self, earlier: Iterable[Diagnostic] = ()) -> None:
        self.found: list[Diagnostic] = list(earlier)
        self._unread = self.errors
        self._circles: set[frozenset[str]] = set()
        self._defines = {d.words["defines"] for d in self.found if "defines" in d.words}

    def excuses(self, name: str) -> bool:
        """Would a statement that could not be read have defined `name`?"""
        head = name.partition(".")[0]
        return not self._defines.isdisjoint((name, head, EVERYTHING))

    @property
    def lost(self) -> bool:
        """Is anything missing because the statement that says it is at fault?"""
        return self._unread or bool(self._defines)

    def lose(self, name: str) -> None:
        """Excuse `name` from now on: the statement that defines it is at fault."""
        self._defines.add(name)

    def adopt(self, later: Iterable[Diagnostic]) -> None:
        """Take in what the parser found in files read since."""
        fresh = [d for d in later if d not in self.found]
        self.found += fresh
        self._unread |= any(d.severity == "error" for d in fresh)
        self._defines |= {d.words["defines"] for d in fresh if "defines" in d.words}

    def circle(self, names: Sequence[str], span: Span) -> None:
        """Report names that are defined by each other, once for each circle."""
        if frozenset(names) not in self._circles:
            self._circles.add(frozenset(names))
            chain = " → ".join([*names, names[0]])
            self.add("circular-definition", span, chain=chain)

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
        self.say(code, span, words, severity=severity, note=note, fix=fix)

    def say(
        self,
        code: str,
        span: Span,
        words: Mapping[str, str],
        *,
        severity: Severity = "error",
        note: tuple[Span, str, dict[str, str]] | None = None,
        fix: Fix | None = None,
    ) -> None:
        """`add`, for words that are at hand as a mapping."""
        if code in _ECHOES and self.lost:
            return
        if code in _UNUSED and self.errors:
            return
        if any(d.code == code and d.span == span for d in self.found):
            return
        notes = (note,) if note else ()
        self.found.append(Diagnostic(code, span, dict(words), severity, notes, fix))

    @property
    def errors(self) -> bool:
        """Is any of them an error?"""
        return any(d.severity == "error" for d in self.found)

    def within(self, span: Span) -> bool:
        """Is an error of the text or its meaning inside this place?"""
        return any(
            d.severity == "error"
            and d.span.file == span.file
            and span.start <= d.span.start < span.end
            for d in self.found
        )


SYNONYMS = {
    "gaussian": "normal",
    "gauss": "normal",
    "cauchy": "halfcauchy",
    "t": "student_t",
    "bhf": "Bint",
    "hint": "Bint",
    "field": "Bint",
    "isomer_shift": "IS",
    "delta": "IS",
    "cs": "IS",
    "quadrupole_splitting": "QS",
    "eq": "QS",
    "deq": "QS",
    "δeq": "QS",
    "fwhm": "width",
    "gamma": "width",
    "linewidth": "width",
    "fraction": "I",
    "area": "I",
    "temperature": "T",
    "mms": "mm/s",
    "mossbauer": "mossbauer57Fe",
    "moessbauer": "mossbauer57Fe",
    "mössbauer": "mossbauer57Fe",
    "factorisation": "nmf",
    "factorization": "nmf",
    "mcr": "nmf",
}
"""What other programs and papers call it."""

LISTED = 12


def nearest(
    name: str, known: Iterable[str], listed: Iterable[str] | None = None
) -> str:
    """The help for a wrong name: the known one most like it, or the list of them.

    It is a word for a message that ends in `{known}`; its sentence is a term.  `listed`
    is what to list, where that is shorter than what is known.
    """
    options = sorted(set(known))
    near = closest(name, options)
    if near is not None:
        return f"@near|`{near}`"
    shown = options if listed is None else sorted(set(listed))
    if not shown:
        return "@known-none"
    term = "known" if len(shown) <= LISTED else "known-some"
    return f"@{term}|{listing(shown[:LISTED])}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is a slip of, or another word for; None without."""
    folded = {option.casefold(): option for option in sorted(known, reverse=True)}
    wanted = name.casefold()
    if SYNONYMS.get(wanted) in folded.values():
        return SYNONYMS[wanted]
    close = get_close_matches(wanted, folded, n=1, cutoff=0.7)
    if not close:
        close = [option for option in folded if _one_slip(wanted, option)][-1:]
    if not close and len(wanted) > 2:
        close = [option for option in folded if wanted in option.split("_")][-1:]
    return folded[close[0]] if close else None


def _one_slip(one: str, other: str) -> bool:
    """Do two short names differ in one letter, or in two that have changed places?"""
    if len(one) != len(other) or len(one) < 2:
        return False
    wrong = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    swapped = len(wrong) == 2 and wrong[0] + 1 == wrong[1]
    return len(wrong) == 1 or (swapped and sorted(one) == sorted(other))


def listing(names: Iterable[str]) -> str:
    """Names in backticks, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)
