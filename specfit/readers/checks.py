"""What columns of numbers must be before they are called a measurement."""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError
from specfit.readers.tables import Table

MINIMUM_CHANNELS, MINIMUM_ROWS = 16, 4
"""Of a spectrum, and of a table."""


def check_counts(table: Table, column: int, name: str) -> None:
    """Counts are finite whole numbers, none negative; each fault names its line."""
    counts = table.values[:, column - 1]
    check_finite(table, column, name)
    for code, wrong in (
        ("data-negative-counts", counts < 0),
        ("data-fractional-counts", counts != np.round(counts)),
    ):
        if wrong.any():
            raise _at(code, table, column, int(np.argmax(wrong)), name)


def check_finite(table: Table, column: int, name: str) -> None:
    """No NaN and no infinity in a column (numbered from 1)."""
    wrong = ~np.isfinite(table.values[:, column - 1])
    if wrong.any():
        raise _at("data-not-finite", table, column, int(np.argmax(wrong)), name)


def numbers_only(table: Table, column: int, name: str) -> None:
    """A column (numbered from 1) that is of numbers as it stands in the file."""
    if column in table.words:
        raise ReaderError("data-words", {"file": name, "column": str(column)})


def _at(code: str, table: Table, column: int, row: int, name: str) -> ReaderError:
    value = table.values[row, column - 1]
    words = {"file": name, "line": str(table.lines[row]), "column": str(column)}
    return ReaderError(code, words | {"value": f"{value:g}"})


def check_enough(n: int, name: str, needed: int = MINIMUM_CHANNELS) -> None:
    """At least `needed` channels or rows."""
    if n < needed:
        words = {"file": name, "found": str(n), "needed": str(needed)}
        raise ReaderError("data-too-few", words)


def increasing(axis: FloatArray, lines: tuple[int, ...], name: str, title: str) -> bool:
    """Whether the axis runs upwards (True) or downwards (False), strictly.

    Raises
    ------
    ReaderError
        `data-duplicate` or `data-unordered`, with the line.

    """
    steps = np.diff(axis)
    equal = steps == 0
    if equal.any():
        row = int(np.argmax(equal))
        first, second = str(lines[row]), str(lines[row + 1])
        words = {"file": name, "axis": title, "value": f"{axis[row]:g}"}
        raise ReaderError("data-duplicate", words | {"line": first, "other": second})
    up = bool(steps[0] > 0)
    turned = (steps > 0) != up
    if turned.any():
        line = str(lines[int(np.argmax(turned)) + 1])
        raise ReaderError("data-unordered", {"file": name, "axis": title, "line": line})
    return up
