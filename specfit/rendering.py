"""Diagnostics as people and programs read them: the only place that words them.

The sentences stand in `grammars/messages.toml`, English and Japanese, a section for
each code.  The form is a heading, the place, the line at fault below two lines of
context, carets under the smallest span, then notes and the remedy.
"""

from __future__ import annotations

import os
import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from specfit.assets import folder
from specfit.diagnostics import NOWHERE, Diagnostic, Span

Language = Literal["en", "ja"]

# ----------------------------------------------------------------------- sentences


@lru_cache(maxsize=1)
def _sentences() -> dict[str, Any]:
    return tomllib.loads((folder("grammars") / "messages.toml").read_text("utf-8"))


def message(
    code: str, words: Mapping[str, str], language: Language, part: str = ""
) -> str | None:
    """The sentence of a code with its words filled in; None if it has no such part.

    `part` is "" for the message, "label" for what stands beside the carets, or "help".
    Raises `KeyError` for a code without message or a word that is missing: our bug.
    """
    table = _sentences()
    if code not in table or code == "terms":
        raise KeyError(f"messages.toml has no message for the code {code!r}")
    text = table[code].get(f"{part}_{language}" if part else language)
    if text is None:
        return None
    return str(text).format_map(
        {name: _word(word, language) for name, word in words.items()}
    )


_SYMBOL = "@symbol-"


def _word(word: str, language: Language) -> str:
    """What stands in a sentence for a word: a term in its language, else the word.

    `@term|rest` is a term with `rest` in place of its `{}`.
    """
    terms = _sentences()["terms"]
    name, _, rest = word.removeprefix("@").partition("|")
    if word.startswith("@") and name in terms:
        return str(terms[name][language]).replace("{}", _clipped(strip_controls(rest)))
    if word.startswith(_SYMBOL):  # of a kind whose parameters have no term of their own
        return f"`{_clipped(strip_controls(word.removeprefix(_SYMBOL)))}`"
    return _clipped(strip_controls(word))


def preferred_language(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of messages: SPECFIT_LANG, else LC_ALL, else LANG, else English."""
    for name in ("SPECFIT_LANG", "LC_ALL", "LANG"):
        if value := environment.get(name):
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


# ------------------------------------------------------------------------ places

# Control characters, bidirectional overrides and lone surrogates: never printed.
_CONTROLS = re.compile(
    "[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff]"
)
_TAB = "    "
_REACH = 100  # characters of a long line shown either side of the fault


def strip_controls(text: str) -> str:
    """`text` without what could move the cursor or turn the direction of writing."""
    return _CONTROLS.sub("", text)


def display_width(text: str) -> int:
    """Columns that `text` takes on a terminal: East Asian wide 2, combining 0."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class _Source:
    """A text with its line starts, to turn offsets into lines and columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both counted from 1."""
        row = bisect_right(self.starts, offset) - 1
        return row + 1, offset - self.starts[row] + 1

    def line(self, number: int) -> str:
        start = self.starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end]


def _shown(text: str) -> str:
    return strip_controls(text.replace("\t", _TAB))


# --------------------------------------------------------------------- rendering

_COLORS = {"error": "31;1", "warning": "33;1", "note": "36;1", "gutter": "34;1"}


def render(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str],
    language: Language = "en",
    color: bool = False,
    context: int = 2,
) -> str:
    """The diagnostics as people read them, ending in a newline; "" if there are none.

    `sources` maps file names, as spans have them, to their texts; `context` is how many
    lines above the fault are shown.
    """
    texts = {name: _Source(text) for name, text in sources.items()}
    page = _Page(texts, language, color, context)
    return "\n".join(page.block(diagnostic) for diagnostic in diagnostics)


@dataclass(frozen=True)
class _Page:
    sources: Mapping[str, _Source]
    language: Language
    color: bool
    context: int

    def block(self, fault: Diagnostic) -> str:
        source = self.sources.get(fault.span.file) if fault.span != NOWHERE else None
        number = source.place(fault.span.start)[0] if source else 1
        gutter = " " * len(str(number))
        label = f"{self.term(fault.severity)}[{fault.code}]"
        lines = [f"{self.paint(label, fault.severity)}: {self.say(fault)}"]
        if place := self.place(fault.span):
            lines.append(f"{gutter}{self.paint('-->', 'gutter')} {place}")
        if source:
            lines += self.snippet(source, fault, number)
        for span, code, words in fault.notes:
            text = message(code, words, self.language)
            where = self.place(span)
            lines.append(self.remark(gutter, "note", f"{text}", where))
        if text := message(fault.code, fault.words, self.language, "help"):
            lines.append(self.remark(gutter, "help", text))
        return "\n".join(lines) + "\n"

    def say(self, fault: Diagnostic) -> str:
        return message(fault.code, fault.words, self.language) or fault.code

    def term(self, name: str) -> str:
        return str(_sentences()["terms"][name][self.language])

    def paint(self, text: str, role: str) -> str:
        return f"\033[{_COLORS[role]}m{text}\033[0m" if self.color else text

    def place(self, span: Span) -> str:
        if span == NOWHERE:
            return ""
        name = strip_controls(span.file)
        source = self.sources.get(span.file)
        if source is None:
            return name
        return "{}:{}:{}".format(name, *source.place(span.start))

    def remark(self, gutter: str, kind: str, text: str, where: str = "") -> str:
        place = f" ({where})" if where else ""
        sign = self.paint("=", "gutter")
        return f"{gutter} {sign} {self.term(kind)}: {text}{place}"

    def snippet(self, source: _Source, fault: Diagnostic, number: int) -> list[str]:
        width = len(str(number))
        above = range(max(1, number - self.context), number)
        rows = [(row, _shown(source.line(row))) for row in above]
        while rows and not rows[0][1].strip():
            rows.pop(0)
        line, before, under = self.carets(source, fault.span, number)
        rows = [(row, _clipped(text)) for row, text in rows] + [(number, line)]
        bar = self.paint("|", "gutter")
        lines = [
            f"{self.paint(f'{row:>{width}}', 'gutter')} {bar} {text}".rstrip()
            for row, text in rows
        ]
        label = message(fault.code, fault.words, self.language, "label")
        mark = self.paint(under, fault.severity) + (f" {label}" if label else "")
        lines.append(f"{' ' * width} {bar} {before}{mark}")
        return lines

    def carets(self, source: _Source, span: Span, number: int) -> tuple[str, str, str]:
        """The line as shown, the blanks before the carets, and the carets."""
        line = source.line(number)
        start = source.place(span.start)[1] - 1
        end = min(max(start, start + span.end - span.start), len(line))
        first, last = max(0, start - _REACH), min(len(line), start + _REACH)
        dots = "…" if first else ""
        shown = dots + _shown(line[first:last]) + ("…" if last < len(line) else "")
        before = display_width(dots + _shown(line[first:start]))
        under = display_width(_shown(line[start : min(end, last)]))
        return shown, " " * before, "^" * max(1, under)


def _clipped(text: str) -> str:
    return text if len(text) <= 2 * _REACH else text[: 2 * _REACH] + "…"


def to_json(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str],
    language: Language = "en",
) -> list[dict[str, Any]]:
    """The diagnostics as plain data for `json.dumps`; lines and columns from 1."""
    texts = {name: _Source(text) for name, text in sources.items()}
    return [_entry(fault, texts, language) for fault in diagnostics]


def _entry(
    fault: Diagnostic, texts: Mapping[str, _Source], language: Language
) -> dict[str, Any]:
    fix = fault.fix and {
        "span": _span(fault.fix.span, texts),
        "text": fault.fix.text,
        "safe": fault.fix.safe,
    }
    notes = [
        {
            "code": code,
            "message": message(code, words, language),
            "span": _span(span, texts),
        }
        for span, code, words in fault.notes
    ]
    return {
        "code": fault.code,
        "severity": fault.severity,
        "message": message(fault.code, fault.words, language),
        "label": message(fault.code, fault.words, language, "label"),
        "help": message(fault.code, fault.words, language, "help"),
        "span": _span(fault.span, texts),
        "notes": notes,
        "fix": fix,
    }


def _span(span: Span, texts: Mapping[str, _Source]) -> dict[str, Any] | None:
    if span == NOWHERE:
        return None
    data: dict[str, Any] = {"file": span.file, "start": span.start, "end": span.end}
    if source := texts.get(span.file):
        line, column = source.place(span.start)
        end_line, end_column = source.place(span.end)
        data |= {"line": line, "column": column}
        data |= {"end_line": end_line, "end_column": end_column}
    return data


def apply_fixes(
    text: str, diagnostics: Iterable[Diagnostic], file: str = ""
) -> tuple[str, int]:
    """`text` with the safe fixes made, and how many; of two that overlap, the first is.

    `file`: only the fixes of that file; "" takes all, as if they were of one file.
    """
    fixes = {
        (fault.fix.span.start, fault.fix.span.end, fault.fix.text)
        for fault in diagnostics
        if fault.fix and fault.fix.safe and file in ("", fault.fix.span.file)
    }
    pieces, done, count = [], 0, 0
    for start, end, new in sorted(fixes):
        if start >= done:
            pieces += [text[done:start], new]
            done, count = end, count + 1
    return "".join([*pieces, text[done:]]), count
