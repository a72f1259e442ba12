"""Parse tree to syntax tree, first half: names, numbers, expressions, priors.

One method for each rule of the grammar.  Works bottom-up without recursion, so that the
depth of an expression is limited by a cap with a message and not by Python's stack.
"""

# ruff: noqa: D102 - each public method builds the grammar rule of its name

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from specfit.diagnostics import NOWHERE, Diagnostic, Fix, Span
from specfit.language import tree
from specfit.language.names import SUPERSCRIPT, fold, is_name, latin_twin, script
from specfit.language.segments import Line

MAXIMUM_DIGITS = 40
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?:\((\d+)\))?(?:[eE]([+-]?\d+))?")
_FOLDED = {"≤": "<=", "≥": ">=", "≠": "!="}
Children = list[Any]
_Method = Callable[["Expressions", Meta, Children], tree.Node]


@dataclass(frozen=True)
class _Unit:
    text: str | None
    span: Span


class Places(Transformer_NonRecursive[Token, Any]):
    """Where things stand, and what is wrong with a single name or number.

    `diagnostics` collects what the grammar cannot see; `refused` is set when the
    statement must not be kept.
    """

    def __init__(self, line: Line, file: str) -> None:
        super().__init__()
        self.line = line
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self.refused = False

    def _span(self, meta: Meta) -> Span:
        if meta.empty:
            return NOWHERE
        return self.line.span(self.file, meta.start_pos, meta.end_pos)

    def _place(self, token: Token) -> Span:
        start = token.start_pos or 0
        return self.line.span(self.file, start, start + len(token))

    def _report(
        self, code: str, span: Span, words: dict[str, str], fix: Fix | None = None
    ) -> None:
        self.diagnostics.append(Diagnostic(code, span, words, fix=fix))
        self.refused |= fix is None

    def _name(self, token: Token) -> str:
        """The folded name; a look-alike is reported and read as its Latin twin."""
        name, span = fold(token), self._place(token)
        if SUPERSCRIPT.search(token):
            self._report("superscript", span, {"found": str(token)})
            return name
        if not is_name(name):
            self._report("not-a-name", span, {"found": str(token), "folded": name})
            return name
        twin = latin_twin(name)
        if twin is None:
            return name
        odd = next(a for a, b in zip(name, twin, strict=True) if a != b)
        words = {"found": name, "twin": twin, "letter": odd, "script": script(odd)}
        self._report("look-alike-name", span, words, Fix(span, twin))
        return twin

    def _number(self, token: Token) -> tuple[float, float | None]:
        """The value of a literal, and the sd that its last digits carry."""
        match = _NUMBER.fullmatch(token)
        assert match is not None
        parts = [group or "" for group in match.groups()]
        span = self._place(token)
        if sum(map(len, parts)) > MAXIMUM_DIGITS:
            self._report("number-too-long", span, {"most": str(MAXIMUM_DIGITS)})
            return 0.0, None
        whole, decimals, last, exponent = parts
        value = float(f"{whole}{decimals}e{int(exponent or 0) - len(decimals)}")
        sd = float(f"{last}e{int(exponent or 0) - len(decimals)}") if last else None
        vanished = value == 0.0 and bool((whole + decimals).strip("0"))
        if vanished or not math.isfinite(value) or not math.isfinite(sd or 0.0):
            self._report("number-out-of-range", span, {"found": str(token)})
        return value, sd


def _binary(operator: str) -> _Method:
    def build(self: Expressions, meta: Meta, children: Children) -> tree.Node:
        left, right = children
        return tree.Binary(operator, left, right, span=self._span(meta))

    return build


def _unary(operator: str) -> _Method:
    def build(self: Expressions, meta: Meta, children: Children) -> tree.Node:
        return tree.Unary(operator, children[0], span=self._span(meta))

    return build


@v_args(meta=True)
class Expressions(Places):
    """Builds whatever can stand to the right of `=` or `~`."""

    disjunction, conjunction = _binary("or"), _binary("and")
    add, subtract = _binary("+"), _binary("-")
    multiply, divide, power = _binary("*"), _binary("/"), _binary("^")
    negative, denial = _unary("-"), _unary("not")

    def unit(self, meta: Meta, children: Children) -> _Unit:
        if not children:
            return _Unit(None, NOWHERE)
        return _Unit(str(children[0]), self._place(children[0]))

    def quantity(self, meta: Meta, children: Children) -> tree.Number:
        token, unit = children
        value, sd = self._number(token)
        return tree.Number(
            value,
            str(token),
            unit.text,
            sd,
            span=self._span(meta),
            unit_span=unit.span,
        )

    def string(self, meta: Meta, children: Children) -> tree.String:
        return tree.String(str(children[0])[1:-1], span=self._span(meta))

    def star(self, meta: Meta, children: Children) -> tree.Star:
        return tree.Star(span=self._span(meta))

    def part(self, meta: Meta, children: Children) -> tree.Part:
        index = tuple(children[1:]) or None
        return tree.Part(self._name(children[0]), index, span=self._span(meta))

    def path(self, meta: Meta, children: Children) -> tree.Path:
        return tree.Path(tuple(children), span=self._span(meta))

    def argument(self, meta: Meta, children: Children) -> tree.Argument:
        return tree.Argument(children[0], span=self._span(meta))

    def named(self, meta: Meta, children: Children) -> tree.Argument:
        name, value = children
        return tree.Argument(value, self._name(name), span=self._span(meta))

    def over(self, meta: Meta, children: Children) -> tree.Argument:
        value, *names = children
        over = tuple(self._name(token) for token in names)
        return tree.Argument(value, over=over, span=self._span(meta))

    def call(self, meta: Meta, children: Children) -> tree.Call:
        function, *arguments, unit = children
        return tree.Call(
            function,
            tuple(arguments),
            unit.text,
            span=self._span(meta),
            unit_span=unit.span,
        )

    def list_of(self, meta: Meta, children: Children) -> tree.ListOf:
        *items, unit = children
        return tree.ListOf(
            tuple(items), unit.text, span=self._span(meta), unit_span=unit.span
        )

    def interval(self, meta: Meta, children: Children) -> tree.Interval:
        low, high, unit = children
        return tree.Interval(
            low, high, unit.text, span=self._span(meta), unit_span=unit.span
        )

    def compare(self, meta: Meta, children: Children) -> tree.Compare:
        signs = tuple(_FOLDED.get(sign, str(sign)) for sign in children[1::2])
        return tree.Compare(tuple(children[::2]), signs, span=self._span(meta))

    def within(self, meta: Meta, children: Children) -> tree.Within:
        operand, interval = children
        return tree.Within(operand, interval, span=self._span(meta))

    def range(self, meta: Meta, children: Children) -> tree.Range:
        low, high = children
        return tree.Range(low, high, span=self._span(meta))

    def plus_minus(self, meta: Meta, children: Children) -> tree.PlusMinus:
        centre, sd = children
        return tree.PlusMinus(centre, sd, span=self._span(meta))

    def free(self, meta: Meta, children: Children) -> tree.Free:
        return tree.Free(span=self._span(meta))

    def like(self, meta: Meta, children: Children) -> tree.Like:
        return tree.Like(children[0], span=self._span(meta))

    def bounds(self, meta: Meta, children: Children) -> tree.Interval | None:
        return children[0] if children else None

    def distribution(self, meta: Meta, children: Children) -> tree.Prior:
        centre, bounds = children
        return tree.Prior(centre, bounds, span=self._span(meta))
