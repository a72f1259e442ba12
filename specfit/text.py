"""Text on a terminal: width as it is seen, East Asian characters counting two."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int, right: bool = False) -> str:
    """`text` filled with blanks to `columns`, on the left where `right` aligned."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks
