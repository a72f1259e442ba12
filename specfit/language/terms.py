"""The syntax tree, first half: expressions and distributions, inside a statement."""

from __future__ import annotations

from dataclasses import dataclass, field

from specfit.diagnostics import NOWHERE, Span


@dataclass(frozen=True)
class Node:
    """Anything that has a place in the text."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Number(Node):
    """A literal number, with its unit as written: `0.67 mm/s`, `0.67(2)`.

    `text` is the number as the user wrote it (so that `fmt` keeps digits); `sd` is set
    for the concise form `1.23(4)` only, already scaled to the last digits (0.04).
    """

    value: float
    text: str
    unit: str | None = None
    sd: float | None = None
    unit_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class String(Node):
    """Quoted free text."""

    value: str


@dataclass(frozen=True)
class Star(Node):
    """`*` as an index: all of a dimension."""


@dataclass(frozen=True)
class Part(Node):
    """One link of a path: `S[1]` in `model.S[1]`."""

    name: str
    index: tuple[Expr, ...] | None = None


@dataclass(frozen=True)
class Path(Node):
    """A dotted name: `A.IS`, `spectrum.T`, `w[soc]`."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The dotted name without indices."""
        return ".".join(part.name for part in self.parts)


@dataclass(frozen=True)
class Argument(Node):
    """An argument of a call, a list or a template: `T = 295 K`, `C[*, k] over k`."""

    value: Expr
    name: str | None = None
    over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Call(Node):
    """`db("magnetite.B", T = 295 K)`, with an optional unit after the bracket."""

    function: Path
    arguments: tuple[Argument, ...]
    unit: str | None = None
    unit_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class ListOf(Node):
    """`[0, 20, 40] %`."""

    items: tuple[Expr, ...]
    unit: str | None = None
    unit_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Unary(Node):
    """`-x` or `not x`; `operator` is "-" or "not"."""

    operator: str
    operand: Expr


@dataclass(frozen=True)
class Binary(Node):
    """`a + b`; `operator` is one of + - * / ^ and or."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Compare(Node):
    """A chain `a < b <= c`; operators are < <= > >= == != (≤ ≥ are folded)."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Interval(Node):
    """`[lo, hi] unit`; the unit covers both ends."""

    low: Expr
    high: Expr
    unit: str | None = None
    unit_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Within(Node):
    """`x in [lo, hi]`."""

    operand: Expr
    interval: Interval


@dataclass(frozen=True)
class Range(Node):
    """`1..16`."""

    low: Expr
    high: Expr


Expr = (
    Number
    | String
    | Star
    | Path
    | Call
    | ListOf
    | Unary
    | Binary
    | Compare
    | Within
    | Range
)


# -------------------------------------------------------------- distributions


@dataclass(frozen=True)
class PlusMinus(Node):
    """`centre ± sd`; a unit after the sd covers both."""

    centre: Expr
    sd: Expr


@dataclass(frozen=True)
class Free(Node):
    """`free`: uniform over the bounds that must follow."""


@dataclass(frozen=True)
class Like(Node):
    """`like db("MnO.L23")`: about as a curve is that is known from elsewhere."""

    curve: Call


@dataclass(frozen=True)
class Prior(Node):
    """The right-hand side of `~`: a centre and optional bounds.

    `centre` is `PlusMinus`, `Free`, `Like`, a `Call` of a distribution, or a concise
    `Number`.
    """

    centre: Expr | PlusMinus | Free | Like
    bounds: Interval | None = None
