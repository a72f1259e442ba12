"""Several counts in a line, as punched cards had them and many programs still write.

Lines of header first, then rows of equally many whole counts, the last row perhaps
shorter; a channel number may stand before each row, which then rises from row to row by
as many as a row holds.  Read row after row they are raw counts by channel.

Known from: `.exp` files of a counter (title and field and temperature; a line of
settings; rows of 8) and `.DAT` files of Fortran programs (header, the format in
brackets; channel number and rows of 5).
"""

from __future__ import annotations

import re

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError
from specfit.readers.formats import FileFormat
from specfit.readers.tables import MAXIMUM_CHANNELS, Table, bad_line, ragged

HEADER = 20
"""Lines before the first row, at most."""
TRIED = 4
"""Rows that must look alike before the file is taken for rows of counts."""
NARROWEST = 4
"""Numbers a row: three columns may be anything."""
MOST_ROWS = 255
"""Without channel numbers; a longer table is rather several spectra side by side."""
MOSTLY = 0.9
"""The share of rows whose numbers fit: of the others the fault is told."""
ALIKE = 0.5
"""Counts of one spectrum: the columns' medians lie within this share of each other."""

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_APART = re.compile(r"\s*[,;]\s*|\s+")


def _recognises(text: str) -> bool:
    start = _first_row(text.split("\n", HEADER + TRIED)[: HEADER + TRIED])
    if start is None:  # as of most files: nothing more is looked at
        return False
    lines = text.split("\n")
    rows = [_whole(line) for line in lines[start:] if line.strip()]
    full = _full([row for row in rows if row is not None])
    return _numbered(full) or (len(rows) <= MOST_ROWS and _one_spectrum(full))


def _first_row(lines: list[str]) -> int | None:
    """The first of several lines that are equally many whole numbers and no others."""
    widths = [len(_whole(line) or []) for line in lines[: HEADER + TRIED]]
    for start in range(len(widths) - TRIED + 1):
        width = widths[start]
        if width >= NARROWEST and widths[start : start + TRIED] == [width] * TRIED:
            return start
    return None


def _whole(line: str) -> list[int] | None:
    """The numbers of a line, or None where it is not made of whole numbers."""
    fields = _APART.split(line.strip().rstrip(",;"))
    if not all(_WHOLE.fullmatch(field) and len(field) < 19 for field in fields):
        return None
    return [int(field) for field in fields]


def _full(rows: list[list[int]]) -> FloatArray:
    """The rows that are as wide as the first, (n, width)."""
    return np.array([row for row in rows if len(row) == len(rows[0])], float)


def _numbered(rows: FloatArray) -> bool:
    """Whether the rows begin with the number of their first channel, most at least."""
    return bool(np.mean(np.diff(rows[:, 0]) == rows.shape[1] - 1) > MOSTLY)


def _one_spectrum(rows: FloatArray) -> bool:
    """Whether all columns count the same thing, as neighbouring channels do."""
    medians = np.median(rows, axis=0)
    return bool(medians.min() > 0 and np.ptp(medians) <= ALIKE * medians.max())


def _parse(text: str, name: str) -> Table:
    lines = text.split("\n")
    start = _first_row(lines)
    if start is None:
        raise ReaderError("data-no-numbers", {"file": name})
    width = len(_whole(lines[start]) or [])
    # a row above the first that can be told by its neighbours: what stands between is
    # a fault, and no header
    above = (i for i in range(start) if len(_whole(lines[i]) or []) == width)
    rows, numbers = _rows(lines, next(above, start), name)
    numbered = _numbered(_full(rows))
    skip = 1 if numbered else 0
    if len(rows) * width > MAXIMUM_CHANNELS:
        words = {"file": name, "limit": str(MAXIMUM_CHANNELS)}
        raise ReaderError("data-too-many", words)
    if numbered:
        _check_numbers(rows, numbers, name)
    counts = [count for row in rows for count in row[skip:]]
    places = [n for n, row in zip(numbers, rows, strict=True) for _ in row[skip:]]
    before = ", after the number of its first channel" if numbered else ""
    found = [("counts a line", f"{width - skip}{before}")]
    if start:
        found.append(("skipped", f"{start} header lines"))
    return Table(np.array(counts, float)[:, None], tuple(places), tuple(found))


def _check_numbers(rows: list[list[int]], numbers: list[int], name: str) -> None:
    """Each row begins where the one before it ended: none is missing or twice."""
    for row, before, number in zip(rows[1:], rows, numbers[1:], strict=False):
        expected = before[0] + len(rows[0]) - 1
        if row[0] != expected:
            words = {"file": name, "line": str(number), "found": str(row[0])}
            raise ReaderError("data-row-number", words | {"expected": str(expected)})


def _rows(lines: list[str], start: int, name: str) -> tuple[list[list[int]], list[int]]:
    """All rows and the numbers of their lines; only the last may be shorter."""
    rows: list[list[int]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip():
            continue
        row = _whole(line)
        if row is None:
            raise bad_line(name, number, line)
        if rows and len(rows[-1]) != len(rows[0]):
            raise ragged(name, numbers[-1], len(rows[-1]), len(rows[0]))
        if rows and len(row) > len(rows[0]):
            raise ragged(name, number, len(row), len(rows[0]))
        rows.append(row)
        numbers.append(number)
    return rows, numbers


FORMAT = FileFormat("rows", "several counts a line", _recognises, _parse)
