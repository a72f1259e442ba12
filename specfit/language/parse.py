"""Text to `Spec`: every fault reported, every good statement kept.

Characters are put right and cut into tokens (`scanner`), brackets are paired (`pairs`),
the text is cut into statements (`segments`), and each statement is parsed by the same
grammar.  A fault that is certain to be a slip is parsed as if put right, so that it
earns one message and no echo.
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from specfit.assets import folder
from specfit.diagnostics import Diagnostic, Fix, Span
from specfit.language.mistakes import recognise
from specfit.language.pairs import pair
from specfit.language.scanner import scan
from specfit.language.segments import Line, Segment, SegmentBody, segment
from specfit.language.statements import Builder
from specfit.language.tree import AnyStatement, Body, Spec

EDITION = 1
MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_NODES = 5_000
MAXIMUM_DEPTH = 200
_REPAIRS = 8  # slips put right in one statement before we stop
_FIRST = re.compile(r"\s*(\w+)\s+(?![=~])")
BEGINNINGS = (
    *("specfit", "title", "use", "data", "model", "site", "peak", "path"),
    *(
        "component",
        "baseline",
        "analysis",
        "method",
        "run",
        "report",
        "variant",
        "template",
    ),
    *("observe", "override", "require", "expect", "check", "for", "if"),
)
"""Words that begin a statement."""
_WORD = re.compile(r'"[^"]*"|\w+|[^\w\s]')
_DEFINES = re.compile(
    r"(?:(?:data|model|site|peak|path|component|baseline|analysis|method|variant|template)"
    r"\s+)?(\w[\w.]*)"
)
_WRAPPERS = {"part", "unit", "argument", "body", "entry", "caption", "source", "on"}
_EXPECTED = (  # the first whose terminal was acceptable names what was expected
    ("NUMBER", "@expects-value"),
    ("STRING", "@expects-string"),
    ("EQUAL", "@expects-sign"),
    ("TILDE", "@expects-tilde"),
    ("NAME", "@expects-name"),
    ("RPAR", "@expects-closing"),
    ("RSQB", "@expects-closing"),
    ("LBRACE", "@expects-body"),
    ("$END", "@expects-end"),
)


@lru_cache(maxsize=1)
def grammar() -> Lark:
    """The parser of one statement, built on first use."""
    return Lark(
        (folder("grammars") / "spec.lark").read_text("utf-8"),
        parser="lalr",
        start=["statement", "header"],
        propagate_positions=True,
        maybe_placeholders=False,
    )


def parse(text: str, file: str = "") -> tuple[Spec, list[Diagnostic]]:
    """The tree of a whole file, and all that is wrong with it, in order of place.

    Never raises for what the text says.  Spans count characters of `text` as given.  A
    statement at fault is left out, its inner statements are still looked at; the words
    of its diagnostic then hold `defines`, the name it would have brought, so that the
    next room need not complain of that name.
    """
    return _Parser(text, file).run()


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.found: list[Diagnostic] = []

    def run(self) -> tuple[Spec, list[Diagnostic]]:
        spec = self.spec()
        return spec, sorted(self.found, key=lambda fault: fault.span)

    def report(self, code: str, span: Span, **words: str) -> None:
        self.found.append(Diagnostic(code, span, words))

    def spec(self) -> Spec:
        whole = Span(self.file, 0, len(self.text))
        if len(self.text.encode("utf-8", "replace")) > MAXIMUM_BYTES:
            self.report("file-too-large", Span(self.file), most="1 MiB")
            return Spec(EDITION, span=whole)
        scanned = scan(self.text, self.file)
        pairs = pair(scanned)
        self.found += [*scanned.diagnostics, *pairs.diagnostics(scanned, self.file)]
        if pairs.too_deep is not None:
            return Spec(EDITION, span=whole)
        segments = segment(scanned, pairs)
        if segments.overflow is not None:
            place = Span(self.file, segments.overflow, segments.overflow + 1)
            self.report("too-many-statements", place, most="20 000")
            return Spec(EDITION, span=whole)
        items = segments.items
        head = self.header(items)
        spec = Spec(
            EDITION, self.statements(items), tail=tuple(segments.tail), span=whole
        )
        if head is not None:
            spec = replace(spec, head=tuple(head.before), head_after=head.after)
        return spec

    # ------------------------------------------------------------------- header

    def header(self, items: list[Segment]) -> Segment | None:
        """Take the header off the statements, or say that it is missing."""
        if items and re.match(r"specfit\b(?!\s*[=~.\[])", items[0].line().text):
            head = items.pop(0)
            if not head.spoiled:
                self.edition(head.line())
            return head
        line = items[0].line() if items else None
        place = line.span(self.file, 0, len(line.text)) if line else Span(self.file)
        fix = Fix(Span(self.file, 0, 0), f"specfit {EDITION}\n", safe=True)
        self.found.append(Diagnostic("header-missing", place, fix=fix))
        return None

    def edition(self, line: Line) -> None:
        span = line.span(self.file, 0, len(line.text))
        try:
            tree = grammar().parse(line.text, start="header")
        except UnexpectedInput:
            self.report("header-malformed", span)
            return
        token = tree.children[0]
        assert isinstance(token, Token)
        if token != str(EDITION):
            start = token.start_pos or 0
            place = line.span(self.file, start, start + len(token))
            self.report("edition-unknown", place, found=str(token)[:40])

    # --------------------------------------------------------------- statements

    def statements(self, segments: list[Segment]) -> tuple[AnyStatement, ...]:
        built = (self.statement(piece) for piece in segments)
        return tuple(statement for statement in built if statement is not None)

    def body(self, body: SegmentBody) -> Body:
        items = self.statements(body.items)
        return Body(items, tuple(body.tail), span=Span(self.file, body.opening))

    def statement(self, piece: Segment) -> AnyStatement | None:
        bodies = {body.opening: self.body(body) for body in piece.bodies}
        if piece.spoiled:
            return None
        line = piece.line()
        if len(_WORD.findall(line.text)) > 4 * MAXIMUM_NODES:
            self.too_large(line)
            return None
        trivia = {
            "before": tuple(piece.before),
            "after": piece.after,
            "blank": piece.blank,
        }
        for _ in range(_REPAIRS):
            try:
                tree = grammar().parse(line.text, start="statement")
            except UnexpectedInput as fault:
                repaired = self.syntax(line, fault)
                if repaired is None or not repaired.text.strip():
                    return None
                line = repaired
            else:
                return self.build(tree, line, bodies, trivia)
        return None

    def build(
        self,
        tree: Tree[Token],
        line: Line,
        bodies: dict[int, Body],
        trivia: dict[str, Any],
    ) -> AnyStatement | None:
        nodes, depth = _size(tree)
        if nodes > MAXIMUM_NODES:
            self.too_large(line)
            return None
        if depth > MAXIMUM_DEPTH:
            span = line.span(self.file, 0, len(line.text))
            self.report("expression-too-deep", span, most=str(MAXIMUM_DEPTH))
            return None
        builder = Builder(line, self.file, bodies, trivia)
        statement: AnyStatement = builder.transform(tree)
        self.found += builder.diagnostics
        return None if builder.refused else statement

    def too_large(self, line: Line) -> None:
        span = line.span(self.file, 0, len(line.text))
        self.report("expression-too-large", span, most="5 000")

    # ------------------------------------------------------------- syntax faults

    def syntax(self, line: Line, fault: UnexpectedInput) -> Line | None:
        """Report a fault; the line put right, where that is certain enough."""
        position = _position(fault, line.text)
        known = recognise(line, position, self.file)
        if known is not None and known.repaired is not None:
            self.found.append(known.diagnostic)
            return known.repaired
        diagnostic = (
            known.diagnostic
            if known
            else _misspelt(line, position, self.file)
            or _unexpected(line, fault, position, self.file)
        )
        defines = _DEFINES.match(line.text)
        words = {**diagnostic.words, "defines": defines[1] if defines else ""}
        self.found.append(replace(diagnostic, words=words))
        return None


def _position(fault: UnexpectedInput, text: str) -> int:
    """Where the parser stopped; the end of the text if it wanted more."""
    if isinstance(fault, UnexpectedToken) and fault.token.type == "$END":
        return len(text)
    position: int | None = fault.pos_in_stream
    return len(text) if position is None else position


def _misspelt(line: Line, position: int, file: str) -> Diagnostic | None:
    """A first word that is almost one which begins a statement."""
    first = _FIRST.match(line.text)
    if first is None or first.end() != position or first[1] in BEGINNINGS:
        return None
    similar = get_close_matches(first[1], BEGINNINGS, 1, cutoff=0.7)
    if not similar:
        return None
    words = {"found": first[1], "similar": similar[0]}
    return Diagnostic("statement-misspelt", line.span(file, *first.span(1)), words)


def _unexpected(
    line: Line, fault: UnexpectedInput, position: int, file: str
) -> Diagnostic:
    wanted = getattr(fault, "accepts", None) or getattr(fault, "allowed", None) or set()
    expected = next(
        (term for name, term in _EXPECTED if name in wanted), "@expects-end"
    )
    found = _WORD.match(line.text, position)
    if found is None:
        span = line.span(file, position, position)
        return Diagnostic("statement-incomplete", span, {"expected": expected})
    span = line.span(file, position, found.end())
    words = {"found": found.group(), "expected": expected}
    return Diagnostic("unexpected-text", span, words)


def _size(tree: Tree[Token]) -> tuple[int, int]:
    """Number of nodes and depth of a parse tree, without recursion."""
    nodes, deepest = 0, 0
    stack = [(tree, 1)]
    while stack:
        branch, depth = stack.pop()
        nodes += branch.data not in _WRAPPERS
        deepest = max(deepest, depth)
        stack += [(c, depth + 1) for c in branch.children if isinstance(c, Tree)]
    return nodes, deepest
