"""SYNCmoss model files as text: a table with tabs, a row for each component.

    #@Comment Fe3+ [sextet]: …       remarks and what is known of a library model
    baseline<TAB>Sextet<TAB>…        kinds
    red<TAB>red<TAB>…                colours, absent in old files
    10000<TAB>1<TAB><TAB><TAB>False  … one row for each kind, five fields a parameter:
                                     value, lower bound, upper bound, nothing, fixed

A value is a number, `=[X,Y]` (Y times parameter X, counted from 0 over the whole file) or
`=(X)` (X in every spectrum by itself).

Source: SYNCmoss 0.6.0 (MIT), its description of models and its library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from specfit.diagnostics import Span
from specfit.importing.draft import LARGEST, ImportFault

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LINK = re.compile(rf"=\[\s*(\d+)\s*,\s*({_NUMBER})\s*\]", re.ASCII)
_ALONE = re.compile(rf"=\(\s*({_NUMBER})\s*\)", re.ASCII)
_PLAIN = re.compile(_NUMBER, re.ASCII)
_COLOUR = re.compile(r"[a-z]*|#[0-9a-fA-F]{6}")
_META = re.compile(r"#@\s*(Chemical composition|Comment)[ \t]?(.*)")
FIELDS = 5
OTHERS = {"Distr": 5, "Corr": 2, "Expression": 1, "Recon": 7, "Layer": 0}
"""Rows that are no component, and how many parameters they count for."""


@dataclass(frozen=True)
class Cell:
    """One parameter: its text, its bounds, whether it is fixed, where it stands."""

    text: str
    bounds: tuple[str, str]
    fixed: bool
    span: Span

    @property
    def link(self) -> tuple[int, float] | None:
        """Parameter and factor of `=[X,Y]`."""
        found = _LINK.fullmatch(self.text)
        return (int(found[1]), float(found[2])) if found else None

    def number(self) -> float:
        """The value; not for a link.  Raises `ImportFault` `import-cell`."""
        found = _ALONE.fullmatch(self.text)
        text = found[1] if found else self.text
        if not _PLAIN.fullmatch(text) or abs(float(text)) > LARGEST:
            raise ImportFault("import-cell", {"text": self.text[:40]}, self.span)
        return float(text)

    def interval(self) -> tuple[float, float] | None:
        """The bounds, where there are two and they make an interval."""
        if not all(_PLAIN.fullmatch(bound) for bound in self.bounds):
            return None
        low, high = map(float, self.bounds)
        return (low, high) if low < high else None


@dataclass(frozen=True)
class Row:
    """A component: its kind and its parameters; `first` counts those before it."""

    kind: str
    cells: tuple[Cell, ...]
    first: int
    span: Span


@dataclass(frozen=True)
class Table:
    """A model file.  `known`: what its first lines say, in their order."""

    rows: tuple[Row, ...]
    known: tuple[tuple[str, str], ...]


def is_table(text: str) -> bool:
    """Whether the first line that is no remark begins with the kind `baseline`."""
    lines = (s for s in text.split("\n") if s.strip() and not s.startswith("#"))
    return next(lines, "").split("\t")[0].strip() == "baseline"


def parse_table(text: str, path: str) -> Table:
    """The rows of a model file.

    Raises `ImportFault` `import-rows` where kinds and rows are not equally many, and
    `import-row` for a row that is not made of parameters.
    """
    lines, offset = [], 0
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append((offset, line))
        offset += len(line) + 1
    kinds = [kind.strip().removesuffix("_(thick)") for kind in lines[0][1].split("\t")]
    body = lines[1:]
    if body and all(_COLOUR.fullmatch(f.strip()) for f in body[0][1].split("\t")):
        body = body[1:]
    while kinds and not kinds[-1]:
        kinds.pop()
    if len(body) != len(kinds):
        words = {"kinds": str(len(kinds)), "rows": str(len(body))}
        start = lines[0][0]
        span = Span(path, start, start + len(lines[0][1]))
        raise ImportFault("import-rows", words, span)
    rows: list[Row] = []
    first = 0
    for kind, (start, line) in zip(kinds, body, strict=True):
        row = _row(kind, line, start, first, path)
        first += OTHERS.get(kind, len(row.cells))
        rows.append(row)
    return Table(tuple(rows), tuple(_known(text)))


def _row(kind: str, line: str, start: int, first: int, path: str) -> Row:
    fields = line.split("\t")
    span = Span(path, start, start + len(line))
    cells: list[Cell] = []
    place = start
    for i in range(0, len(fields), FIELDS):
        value, *rest = (field.strip() for field in fields[i : i + FIELDS])
        if not value:
            break
        if len(rest) < FIELDS - 1 or rest[-1].lower() not in ("true", "false"):
            words = {"kind": kind, "number": str(len(cells) + 1)}
            raise ImportFault("import-row", words, span)
        cell = Span(path, place, place + len(fields[i]))
        bounds = (rest[0], rest[1])
        cells.append(Cell(value, bounds, rest[-1].lower() == "true", cell))
        place += sum(len(field) + 1 for field in fields[i : i + FIELDS])
    return Row(kind, tuple(cells), first, span)


def _known(text: str) -> list[tuple[str, str]]:
    found = (_META.match(line) for line in text.split("\n"))
    return [(match[1], match[2].rstrip()) for match in found if match]
