"""Columns of words in a table: names of samples, dates, remarks, groups.

Each becomes a column of numbers, 1 for the word that comes first, so that rows that have
the same word have the same number.  What is a target or a feature may not be of words.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from specfit.readers.tables import COMMENT, NUMBER

MARKS = (",", "\t", ";")
SHOWN = 6
"""Of the words of a column, how many are told."""


def coded(text: str) -> tuple[str, tuple[int, ...], tuple[tuple[str, str], ...]] | None:
    """The text with numbers for words, the columns that had words, from 1, and these.

    None where no column is of words alone below a heading, or the rest is not even.
    """
    lines = text.split("\n")
    kept = [i for i, x in enumerate(lines) if x.strip() and not _remark(x)]
    for mark in MARKS:
        rows = list(csv.reader([lines[i] for i in kept], delimiter=mark))
        if (
            len(rows) != len(kept)
            or len(rows) < 2
            or {*map(len, rows)} != {len(rows[0])}
        ):
            continue
        head, *body = [[cell.strip() for cell in row] for row in rows]
        columns = list(zip(*body, strict=True))
        worded = [i for i, column in enumerate(columns) if _of_words(column)]
        if not worded or len(columns) < 2 or any(map(_number, head)):
            continue
        codes = {i: _codes(columns[i]) for i in worded}
        for line, row in zip(kept[1:], body, strict=True):
            cells = [str(codes[i][x]) if i in codes else x for i, x in enumerate(row)]
            lines[line] = mark.join(cells)
        told = tuple((f"words of {head[i] or i + 1}", _told(codes[i])) for i in worded)
        return "\n".join(lines), tuple(i + 1 for i in worded), told
    return None


def _remark(line: str) -> bool:
    """A comment; a quoted heading is none."""
    return bool(COMMENT.match(line)) and not line.lstrip().startswith(('"', "'"))


def _number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell.replace(",", ".")))


def _of_words(column: Sequence[str]) -> bool:
    return all(cell and not _number(cell) for cell in column)


def _codes(column: Sequence[str]) -> dict[str, int]:
    return {word: i for i, word in enumerate(dict.fromkeys(column), start=1)}


def _told(codes: dict[str, int]) -> str:
    some = [f"{word} = {number}" for word, number in list(codes.items())[:SHOWN]]
    return ", ".join(some) + (" …" if len(codes) > SHOWN else "")
