"""The text cut into statements, before any of them is parsed.

A newline or `;` ends a statement, braces nest, brackets may span lines.  A statement
with a body is its head and its braces; what stands between the braces is cut the same
way and parsed on its own, so that one broken line never hides another.  Comments are
handed to the statement they belong to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from specfit.diagnostics import Span
from specfit.language.pairs import Pairs
from specfit.language.scanner import Scan, Token

MAXIMUM_STATEMENTS = 20_000
_LEAF = re.compile(r"(?:data|site|peak|path|component|baseline|run|report)\b")
_TOP = re.compile(
    r"(?:data|model|analysis|template|variant|run|report)\b(?!\s*[=~.\[])"
)
_NOT_IN_LEAF = re.compile(
    rf"{_TOP.pattern}|(?:site|peak|path|component|observe)\b(?!\s*[=~.\[])"
)
BLANK_LINE = "\n"  # an empty line among comments; no comment contains a newline


@dataclass
class SegmentBody:
    """What stands between two braces; `opening` is the place of the first."""

    opening: int
    items: list[Segment] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


@dataclass
class Segment:
    """One statement: its pieces of clean text (bodies left out) and its comments.

    `spoiled`: a fault in its characters or brackets is already reported, so its own
    text is not worth parsing; its bodies are.
    """

    pieces: list[tuple[int, str]] = field(default_factory=list)  # (place, text)
    bodies: list[SegmentBody] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: str | None = None
    blank: bool = False
    spoiled: bool = False

    def line(self) -> Line:
        """The statement on one line, each body reduced to its braces."""
        text = "".join(piece for _, piece in self.pieces).rstrip()
        places: list[int] = []
        for place, piece in self.pieces:
            places += range(place, place + len(piece))
        return Line(text.replace("\n", " ").replace("\r", " "), places[: len(text)])


@dataclass(frozen=True)
class Line:
    """A statement's own text, and the place in the file of each of its characters."""

    text: str
    places: list[int]

    def span(self, file: str, start: int, end: int) -> Span:
        """The place in the file of `text[start:end]`."""
        if start >= len(self.places):
            after = self.places[-1] + 1
            return Span(file, after, after)
        first = self.places[start]
        last = self.places[min(end, len(self.places)) - 1] + 1 if end > start else first
        return Span(file, first, last)

    def edited(self, start: int, end: int, new: str) -> Line:
        """The line with `text[start:end]` replaced; other places stay true."""
        text = self.text[:start] + new + self.text[end:]
        place = self.places[min(start, len(self.places) - 1)]
        places = [*self.places[:start], *[place] * len(new), *self.places[end:]]
        return Line(text, places)


@dataclass
class Segments:
    """A whole text: its statements, and the comments after the last."""

    items: list[Segment]
    tail: list[str]
    overflow: int | None = None  # the place where there was one statement too many


def segment(scan: Scan, pairs: Pairs) -> Segments:
    """Cut a scanned text into statements."""
    return _Cutter(scan, pairs).run()


@dataclass
class _Frame:
    body: SegmentBody
    owner: Segment | None


class _Cutter:
    """One walk over the tokens; a method for each kind."""

    def __init__(self, scan: Scan, pairs: Pairs) -> None:
        self.scan = scan
        self.pairs = pairs
        self.frames = [_Frame(SegmentBody(-1), None)]
        self.current: Segment | None = None
        self.last: Segment | None = None  # a statement that ended on this line
        self.pending: list[str] = []  # comments waiting for their statement
        self.blank_above = False
        self.empty_line = True
        self.depth = 0
        self.line_start = 0
        self.count = 0

    def run(self) -> Segments:
        actions = {
            "blank": self.blank,
            "newline": self.newline,
            "comment": self.comment,
            "semicolon": self.semicolon,
            "bracket": self.bracket,
            "open_string": self.open_string,
        }
        for token in self.scan.tokens:
            actions.get(token.kind, self.text)(token)
            if self.count > MAXIMUM_STATEMENTS:
                return Segments([], [], overflow=token.start)
        self.end_statement()
        while len(self.frames) > 1:
            self.leave_body(len(self.scan.text))
            self.end_statement()
        self.flush_tail()
        root = self.frames[0].body
        return Segments(root.items, root.tail)

    def text(self, token: Token) -> None:
        self.empty_line = False
        if self.current is None:
            self.leave_unclosed(token)
            self.begin()
        self.add(token)

    def open_string(self, token: Token) -> None:
        self.text(token)
        self.spoil()

    def blank(self, token: Token) -> None:
        self.add(token)

    def semicolon(self, token: Token) -> None:
        self.empty_line = False
        if self.depth:
            self.add(token)
        else:
            self.end_statement()

    def newline(self, token: Token) -> None:
        self.line_start = token.end
        if self.depth:
            self.add(token)
            return
        self.end_statement()
        self.last = None
        if self.empty_line:
            self.note_empty_line()
        self.empty_line = True

    def comment(self, token: Token) -> None:
        raw = self.scan.text[token.start : token.end]
        words = raw[2 if raw.startswith("//") else 1 :].rstrip()
        self.empty_line = False
        owner = self.comment_owner()
        if self.depth and self.current is not None:
            self.current.before.append(words)  # inside brackets: moved above
        elif owner is not None and owner.after is None:
            owner.after = words
        else:
            self.pending.append(words)

    def bracket(self, token: Token) -> None:
        sign = self.scan.clean[token.start]
        self.empty_line = False
        if sign == "}":
            self.close_brace(token)
            return
        if self.current is None:
            self.begin()
        self.add(token)
        if sign == "{":
            self.open_brace(token)
        elif token.start in self.pairs.unclosed:
            self.spoil()
        elif sign in "([":
            self.depth += 1
        elif self.depth:
            self.depth -= 1

    def leave_unclosed(self, token: Token) -> None:
        """A body that is never closed ends where what cannot stand in it begins."""
        while self.cannot_stand(token):
            self.leave_body(token.start)
            self.end_statement()

    def cannot_stand(self, token: Token) -> bool:
        frame = self.frames[-1]
        if frame.owner is None or frame.body.opening not in self.pairs.unclosed:
            return False
        leaf = _LEAF.match(frame.owner.pieces[0][1]) is not None
        refused = _NOT_IN_LEAF if leaf else _TOP
        return refused.match(self.scan.clean, token.start) is not None

    def begin(self) -> None:
        frame = self.frames[-1]
        first = frame.owner is not None and not frame.body.items
        blank = self.blank_above and not first
        self.current = Segment(before=self.pending, blank=blank)
        frame.body.items.append(self.current)
        self.pending, self.blank_above = [], False
        self.count += 1

    def add(self, token: Token) -> None:
        if self.current is not None:
            text = self.scan.clean[token.start : token.end]
            self.current.pieces.append((token.start, text))

    def spoil(self) -> None:
        if self.current is not None:
            self.current.spoiled = True

    def end_statement(self) -> None:
        self.last = self.current or self.last
        self.current = None
        self.depth = 0

    def note_empty_line(self) -> None:
        """An empty line stands above the comments or among them."""
        if not self.pending:
            self.blank_above = True
        elif self.pending[-1] != BLANK_LINE:
            self.pending.append(BLANK_LINE)

    def comment_owner(self) -> Segment | None:
        """The statement whose first line this comment ends."""
        ended = self.current or self.last
        if ended is not None:
            began_here = ended.pieces[0][0] >= self.line_start
            return ended if began_here or not ended.bodies else None
        frame = self.frames[-1]
        opened_here = frame.body.opening >= self.line_start
        fresh = not frame.body.items and not self.pending
        if opened_here and fresh and frame.owner and len(frame.owner.bodies) == 1:
            return frame.owner
        return None

    def open_brace(self, token: Token) -> None:
        assert self.current is not None
        body = SegmentBody(token.start)
        self.current.bodies.append(body)
        self.frames.append(_Frame(body, self.current))
        self.current = self.last = None
        self.blank_above = False

    def close_brace(self, token: Token) -> None:
        self.end_statement()
        if token.start in self.pairs.stray:
            return
        opening = self.pairs.closes[token.start]
        while self.frames[-1].body.opening != opening:
            self.leave_body(token.start)
            self.end_statement()
        self.leave_body(token.start)

    def leave_body(self, place: int) -> None:
        """The owner goes on after the brace, which is supplied if it is missing."""
        self.flush_tail()
        self.current, self.last = self.frames.pop().owner, None
        assert self.current is not None
        self.current.pieces.append((place, "}"))

    def flush_tail(self) -> None:
        body = self.frames[-1].body
        if self.pending and self.blank_above and body.items:
            self.pending.insert(0, BLANK_LINE)
        while self.pending and self.pending[-1] == BLANK_LINE:
            self.pending.pop()
        body.tail = self.pending
        self.pending, self.blank_above = [], False
