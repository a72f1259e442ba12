"""Text of the user's on its way to a page, a table or a terminal.

Titles, reasons and file names are the user's and may hold anything.  Control
characters and the invisible ones that reorder text are dropped here, once; markup is
the template's business, which escapes everything.
"""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"  # needed by some scripts


def clean(text: str, keep: str = "") -> str:
    """`text` without control, reordering and unpaired characters; `keep` some."""
    return "".join(c for c in text if c in keep or _visible(c))


def clean_lines(text: str) -> str:
    """The same for text of several lines."""
    return clean(text.replace("\r\n", "\n"), keep="\n\t")


def _visible(character: str) -> bool:
    if character in _JOINERS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def width(text: str) -> int:
    """Columns of a terminal that `text` takes, by East Asian width."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int, right: bool = False) -> str:
    """`text` filled up with blanks; `right` puts them before it."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def file_name(text: str) -> str:
    """A part of a file name: letters and digits of any script, `-_.`; never empty."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in clean(text))
    return kept.strip("._")[:80] or "unnamed"
