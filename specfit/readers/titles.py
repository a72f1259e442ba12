"""The titles of columns: as XDI states them, or the last line above the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError
from specfit.readers.tables import COMMENT, DIALECTS, NUMBER, Table

_XDI = re.compile(r"#\s*Column\.(\d{1,3}):\s*(\S+)", re.IGNORECASE)
_APART = re.compile(r"[\s,;]+")
_MARKS = "#%!;*\"'/ \t"


def titles(text: str, table: Table) -> tuple[str, ...]:
    """A title for each column of a table, or nothing where the file has none.

    Source: B. Ravel, M. Newville, J. Phys.: Conf. Ser. 712, 012148 (2016) for XDI.
    """
    width = table.values.shape[1]
    above = text.split("\n", table.lines[0])[: table.lines[0] - 1]
    stated = {int(m[1]): m[2] for line in above if (m := _XDI.match(line))}
    if stated:
        return tuple(stated.get(i + 1, "") for i in range(width))
    for words in headings(text, table, blanks=False):
        if all(words) and not any(NUMBER.fullmatch(w) for w in words):
            return tuple(words)
    for line in reversed(above):
        words = [w for w in _APART.split(line.strip(_MARKS)) if w]
        if len(words) == width and not any(NUMBER.fullmatch(w) for w in words):
            return tuple(words)
        if len(words) == width + 1 and words[0].lower() in ("n", "#l"):
            return tuple(words[1:])
    return ()


def headings(text: str, table: Table, blanks: bool = True) -> Iterator[list[str]]:
    """Lines above the numbers of as many words, split as the numbers are.

    Comments come last: of two lines of words the lower is of units.  blanks: they may part
    words where they part numbers.
    """
    *above, first = text.split("\n", table.lines[0])[: table.lines[0]]
    width = table.values.shape[1]
    every = (d.separator for d in DIALECTS if blanks or d.name != "blanks")
    apart = dict.fromkeys(every)
    plain = [line for line in above if not COMMENT.match(line)]
    for separator in (one for one in apart if len(one.split(first.strip())) == width):
        for line in (*plain, *above):
            words = separator.split(line.strip().lstrip("#%!;").strip())
            if len(words) == width:
                yield [word.strip().strip('"') for word in words]


def column(table: Table, which: str, name: str, file: str) -> int:
    """The number of a column that is told by number or title, from 1.

    Raises
    ------
    ReaderError
        `data-title` where no column, or more than one, has the title.

    """
    if which.isdecimal():
        return int(which)
    found = [
        i
        for i, title in enumerate(table.titles)
        if title.casefold() == which.casefold()
    ]
    if len(found) != 1:
        known = ", ".join(f"`{title}`" for title in table.titles if title)
        words = {"file": file, "title": which, "name": name}
        code = "data-title" if known else "data-no-titles"
        raise ReaderError(code, words | {"known": known})
    return found[0] + 1


def positive(values: FloatArray, file: str, which: str) -> FloatArray:
    """Values of which the logarithm is taken.

    Raises
    ------
    ReaderError
        `data-not-positive` where one of them has none.

    """
    if not (values > 0.0).all():
        raise ReaderError("data-not-positive", {"file": file, "column": which})
    return values
