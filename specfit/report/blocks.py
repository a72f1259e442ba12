"""What a section is made of: plain values that the one template turns into a page.

A section never writes markup.  It returns blocks; the template escapes all of
them, so that no title, reason or file name of the user's can become part of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from specfit.report.quantities import Findings

Tone = Literal["", "good", "warn", "bad", "quiet"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `note` is a second, smaller line."""

    text: str
    note: str = ""
    tone: Tone = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table; `numeric` columns are aligned right."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Paragraph:
    """Running text; `strong` is set before it in bold."""

    text: str
    strong: str = ""
    tone: Tone = ""
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True)
class Bullets:
    """A list of short sentences."""

    items: Sequence[str]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True)
class Links:
    """Ways to other pages of the same folder: a label and a relative path."""

    pairs: Sequence[tuple[str, str]]
    kind: Literal["links"] = "links"


@dataclass(frozen=True)
class Facts:
    """Pairs of a label and what it is."""

    pairs: Sequence[tuple[str, str]]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Figure:
    """A figure by the name of its file in `figures/`; `alt` says what it shows."""

    name: str
    alt: str
    caption: str = ""
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True)
class Verbatim:
    """Text as it stands, with line numbers."""

    lines: Sequence[str]
    kind: Literal["verbatim"] = "verbatim"


@dataclass(frozen=True)
class Banner:
    """The verdict, at the head of the page."""

    word: str
    tone: Tone
    sentence: str
    reasons: Sequence[str] = ()
    kind: Literal["banner"] = "banner"


@dataclass(frozen=True)
class Fold:
    """Blocks under a line that opens on demand; printed open."""

    summary: str
    blocks: Sequence[Block]
    kind: Literal["fold"] = "fold"


Block = Banner | Bullets | Facts | Figure | Fold | Links | Paragraph | Table | Verbatim


@dataclass(frozen=True)
class Page:
    """What a section may read: everything found, and the figures already drawn."""

    found: Findings
    figures: Mapping[str, bytes]


@dataclass(frozen=True)
class Section:
    """One part of the report: a name for links, a title, and what it shows."""

    name: str
    title: str
    build: Callable[[Page], Sequence[Block]]
