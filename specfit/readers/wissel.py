"""The WissEl `.ws5` format: tags in angle brackets, counts one a line between them.

Read line by line, with no XML library, so that no entity is ever expanded: when a
`<data>` element is there, only what it holds is read; a line that starts with `<` is a
tag and is skipped.  `<data channels="512">` says how many counts follow, which a file
that broke off betrays.
"""

from __future__ import annotations

import re

from specfit.readers.errors import ReaderError
from specfit.readers.formats import FileFormat
from specfit.readers.tables import COMMENT, Table, bad_line, read_numbers, sniff, split

_OPENING = re.compile(r"<data\b[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</data\s*>", re.IGNORECASE)
_CHANNELS = re.compile(r"\bchannels\s*=\s*[\"']?\s*(\d{1,7})\b", re.IGNORECASE)


def _recognises(text: str) -> bool:
    return text.lstrip().startswith("<")


def _parse(text: str, name: str) -> Table:
    opening = _OPENING.search(text)
    stated = _CHANNELS.search(opening[0]) if opening else None
    if opening:
        closing = _CLOSING.search(text, opening.end())
        before = text.count("\n", 0, opening.end())
        end = closing.start() if closing else len(text)
        text = "\n" * before + text[opening.end() : end]
    lines = ["" if s.lstrip().startswith("<") else s for s in text.split("\n")]
    text = "\n".join(lines)
    if opening:
        _no_heading(lines, text, name)
    table = read_numbers(text, name)
    if stated and table.values.shape[1] == 1:
        _check_stated(len(table.values), int(stated[1]), name)
    return table


def _no_heading(lines: list[str], text: str, name: str) -> None:
    """Nothing but counts and comments in the data element, from its first line on."""
    dialect, columns = sniff(text)
    for number, line in enumerate(lines, start=1):
        if not line.strip() or COMMENT.match(line):
            continue
        if columns and split(line, dialect) is None:
            raise bad_line(name, number, line)
        return


def _check_stated(found: int, stated: int, name: str) -> None:
    """As many counts as the file says it has."""
    if found != stated:
        words = {"file": name, "found": str(found), "stated": str(stated)}
        raise ReaderError("data-truncated", words)


FORMAT = FileFormat("ws5", "WissEl ws5, one count a line", _recognises, _parse)
