"""NORMOS jobs as text: names of files, then Fortran namelists `&DATA` and `&PARAM`.

    FOIL.WS5         spectrum, job, results, plot: a name a line
    FOIL.JOB
     &DATA
     VMAX=10.0, TRIANG=.TRUE.,
     &END
    title            free text
     &PARAM
     NSUB=1, NLINE(1)=6, ISO(1)=0.0, ISOFIT(1)=.TRUE.,
     &END

Source: description and examples of the format in Fitbauer 5.1 (Apache-2.0), whose
authors compared it with the program itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from specfit.diagnostics import Span
from specfit.importing.draft import LARGEST, ImportFault

_BLOCK = r"[&$]{}\b"
_END = re.compile(r"[&$]END\b|^\s*/\s*$", re.IGNORECASE | re.MULTILINE)
_KEY = re.compile(r"([A-Za-z]\w*)\s*(?:\(\s*(\d+)\s*\))?\s*=")
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s,]+")
_REPEAT = re.compile(r"(\d+)\*(.+)")
_TRUE = re.compile(r"\.?T", re.IGNORECASE)
_FALSE = re.compile(r"\.?F", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,3}$")
MOST = 10_000
"""Values in a namelist; NORMOS itself knows some hundred."""


@dataclass(frozen=True)
class Entry:
    """`NAME(index)=text`, and where its value stands."""

    name: str
    index: int
    text: str
    span: Span

    @property
    def key(self) -> str:
        """As a person names it."""
        return f"{self.name}({self.index})"

    def number(self) -> float:
        """The value as a number; Fortran's `1.5D-3` included.

        Raises `ImportFault` `import-number`.
        """
        plain = self.text.upper().replace("D", "E")
        if not _NUMBER.fullmatch(self.text) or abs(float(plain)) > LARGEST:
            words = {"name": self.key, "text": self.text[:40]}
            raise ImportFault("import-number", words, self.span)
        return float(plain)

    def whole(self) -> int:
        """The value as a whole number."""
        value = self.number()
        if value != int(value):
            words = {"name": self.key, "text": self.text[:40]}
            raise ImportFault("import-number", words, self.span)
        return int(value)

    def switch(self) -> bool:
        """The value as `.TRUE.` or `.FALSE.`.

        Raises `ImportFault` `import-switch`.
        """
        if _TRUE.match(self.text):
            return True
        if _FALSE.match(self.text):
            return False
        words = {"name": self.key, "text": self.text[:40]}
        raise ImportFault("import-switch", words, self.span)


Entries = dict[tuple[str, int], Entry]


@dataclass(frozen=True)
class Job:
    """A job: the file names above it, its free text, its two namelists."""

    files: tuple[str, ...]
    titles: tuple[str, ...]
    data: Entries
    param: Entries


def is_job(text: str) -> bool:
    """Whether a text holds the namelist `&PARAM`."""
    return re.search(r"^\s*" + _BLOCK.format("PARAM"), text, re.I | re.M) is not None


def parse_job(text: str, path: str) -> Job:
    """The parts of a job; spans are offsets into `text`.

    Raises
    ------
    ImportFault
        `import-truncated` (a namelist without end) or `import-syntax`.

    """
    first, after, data = _block(text, "DATA", path)
    param_start, _, param = _block(text, "PARAM", path)
    head = text[: min(first, param_start)]
    between = text[after:param_start] if 0 < after < param_start else ""
    names, above = _sorted(_lines(head))
    return Job(names, (*above, *_lines(between)), data, param)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def _sorted(lines: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines above a job: names of files, and titles.

    A name ends in a suffix.  One that is a single word is taken where no other has one.
    """
    names = tuple(line for line in lines if _SUFFIX.search(line))
    if not names:
        names = tuple(line for line in lines if not re.search(r"\s", line))
    return names, tuple(line for line in lines if line not in names)


def _block(text: str, name: str, path: str) -> tuple[int, int, Entries]:
    """Where a namelist begins, where its end ends, what it holds."""
    begin = re.search(r"^[ \t]*(" + _BLOCK.format(name) + ")", text, re.I | re.M)
    if begin is None:
        return len(text), 0, {}
    end = _END.search(text, begin.end())
    other = re.compile(r"^[ \t]*" + _BLOCK.format("(?:DATA|PARAM)"), re.I | re.M)
    following = other.search(text, begin.end())
    if end is None or (following and following.start() < end.start()):
        span = Span(path, begin.start(1), begin.end(1))
        raise ImportFault("import-truncated", {"block": name}, span)
    body = text[begin.end() : end.start()]
    return begin.start(), end.end(), _entries(body, begin.end(), path)


def _entries(body: str, offset: int, path: str) -> Entries:
    keys = list(_KEY.finditer(_masked(body)))
    stray = body[: keys[0].start()] if keys else body
    if stray.strip(" ,\n\t"):
        start = offset + len(stray) - len(stray.lstrip(" ,\n\t"))
        words = {"text": stray.strip(" ,\n\t").split("\n")[0][:40]}
        span = Span(path, start, start + len(words["text"]))
        raise ImportFault("import-syntax", words, span)
    found: Entries = {}
    for key, following in zip(keys, [*keys[1:], None], strict=False):
        stop = following.start() if following else len(body)
        name, index = key[1].upper(), int(key[2] or 1)
        for value in _VALUE.finditer(body, key.end(), stop):
            span = Span(path, offset + value.start(), offset + value.end())
            repeat = _REPEAT.fullmatch(value[0])
            times, plain = (int(repeat[1]), repeat[2]) if repeat else (1, value[0])
            for _ in range(min(times, MOST - len(found))):
                found[name, index] = Entry(name, index, plain, span)
                index += 1
    return found


def _masked(body: str) -> str:
    """The text with what stands in quotes blanked, of the same length."""
    return re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", lambda m: " " * len(m[0]), body)
