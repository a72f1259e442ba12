"""Common syntax mistakes, recognised by their shape: `grammars/mistakes.toml`.

An entry names the code of its message, patterns, and examples that must earn exactly
that message.  A pattern counts only when the place where the parser stopped lies within
its match, so it can be simple; its group `fault` is what gets the carets, `fix` what to
write there instead.  Patterns see a statement on one line, with the text of its strings
blanked.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache

from specfit.assets import folder
from specfit.diagnostics import Diagnostic, Fix
from specfit.language.segments import Line

_STRING = re.compile(r'"([^"\n]*)"')
_REACH = 400  # characters either side of the fault that a pattern can see


@dataclass(frozen=True)
class Mistake:
    """One row of the table."""

    code: str
    patterns: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]
    fix: str | None = None
    safe: bool = False


@lru_cache(maxsize=1)
def mistakes() -> tuple[Mistake, ...]:
    """The table, in its order: the first that fits is the one reported."""
    rows = tomllib.loads((folder("grammars") / "mistakes.toml").read_text("utf-8"))
    return tuple(
        Mistake(
            code=row["code"],
            patterns=tuple(map(re.compile, row.get("patterns", []))),
            examples=tuple(row["examples"]),
            fix=row.get("fix"),
            safe=row.get("safe", False),
        )
        for row in rows["mistake"]
    )


@dataclass(frozen=True)
class Recognised:
    """A mistake found at a fault: what to say, and the line put right, if it can be."""

    diagnostic: Diagnostic
    repaired: Line | None


def recognise(line: Line, position: int, file: str) -> Recognised | None:
    """The first mistake of the table whose pattern covers `position` of the line."""
    start = max(0, position - _REACH)
    window = _blanked(line.text)[start : position + _REACH]
    for mistake in mistakes():
        for pattern in mistake.patterns:
            for match in pattern.finditer(window):
                if match.start() <= position - start <= match.end():
                    return _recognised(mistake, match, line, start, file)
    return None


def _blanked(text: str) -> str:
    return _STRING.sub(lambda match: '"' + " " * len(match[1]) + '"', text)


def _recognised(
    mistake: Mistake, match: re.Match[str], line: Line, shift: int, file: str
) -> Recognised:
    def written(group: str | int) -> str:
        start, end = match.span(group)
        return line.text[start + shift : end + shift] if start >= 0 else ""

    fault = "fault" if "fault" in match.re.groupindex else 0
    start, end = (edge + shift for edge in match.span(fault))
    words = {"found": written(fault)} | {g: written(g) for g in match.re.groupindex}
    span = line.span(file, start, end)
    if mistake.fix is None:
        return Recognised(Diagnostic(mistake.code, span, words), None)
    new = mistake.fix.format(**words)
    fix = Fix(span, new, mistake.safe)
    diagnostic = Diagnostic(mistake.code, span, words | {"fixed": new.strip()}, fix=fix)
    one_statement = ";" not in new and "{" not in new  # a body is no text of its line
    return Recognised(
        diagnostic, line.edited(start, end, new) if one_statement else None
    )
