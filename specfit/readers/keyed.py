"""A small table with a value for each label: `lookup("coulometry.csv", stage)`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from specfit.readers.errors import ReaderError
from specfit.readers.files import load
from specfit.readers.tables import COMMENT, NUMBER, decode

MOST_ROWS = 100_000


@dataclass(frozen=True)
class Keyed:
    """Rows of a table as they are written; titles is empty where the first is numbers."""

    file: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def values(self, key: str, value: str) -> Mapping[str, str]:
        """Label → text of the value, by titles where the table has these, else 1 and 2."""
        known = [title.casefold() for title in self.titles]
        first = known.index(key.casefold()) if key.casefold() in known else 0
        usual = 1 if first == 0 else 0
        place = known.index(value.casefold()) if value.casefold() in known else usual
        return {row[first]: row[place] for row in self.rows}


def keyed(name: str, root: Path, allow_outside: bool = False) -> Keyed:
    """The table in a file of text, separated by commas, semicolons, tabs or blanks.

    Raises
    ------
    ReaderError
        The file cannot be read, or has fewer than two columns (`lookup-table`).

    """
    content = load(name, root, allow_outside)
    text, _ = decode(content.data, name)
    lines = [x for x in text.split("\n") if x.strip() and not _comment(x)]
    mark = next((m for m in (",", ";", "\t") if lines and m in lines[0]), None)
    split = (
        [line.split() for line in lines]
        if mark is None
        else list(csv.reader(lines[: MOST_ROWS + 1], delimiter=mark))
    )
    rows = [tuple(field.strip() for field in row) for row in split]
    widths = {len(row) for row in rows}
    if not rows or min(widths) < 2 or len(widths) > 1:
        raise ReaderError("lookup-table", {"file": name})
    headed = not any(NUMBER.fullmatch(field) for field in rows[0][1:])
    titles = tuple(title.partition(" (")[0] for title in rows[0]) if headed else ()
    return Keyed(name, titles, tuple(rows[1:] if headed else rows))


def _comment(line: str) -> bool:
    """Whether a line is a remark; a quoted label is none."""
    return bool(COMMENT.match(line)) and not line.lstrip().startswith(('"', "'"))
