"""The WissEl `.ws5` format: tags in angle brackets, counts one a line between them.

Read line by line, with no XML library, so that no entity is ever expanded: when a
`<data>` element is there, only what it holds is read; a line that starts with `<` is a
tag and is skipped.
"""

from __future__ import annotations

import re

from specfit.readers.formats import FileFormat
from specfit.readers.tables import Table, read_numbers

_OPENING = re.compile(r"<data\b[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</data\s*>", re.IGNORECASE)


def _recognises(text: str) -> bool:
    return text.lstrip().startswith("<")


def _parse(text: str, name: str) -> Table:
    opening = _OPENING.search(text)
    if opening:
        closing = _CLOSING.search(text, opening.end())
        before = text.count("\n", 0, opening.end())
        end = closing.start() if closing else len(text)
        text = "\n" * before + text[opening.end() : end]
    lines = ("" if s.lstrip().startswith("<") else s for s in text.split("\n"))
    return read_numbers("\n".join(lines), name)


FORMAT = FileFormat("ws5", "WissEl ws5, one count a line", _recognises, _parse)
