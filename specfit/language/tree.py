"""The syntax tree: one frozen dataclass for each rule of the grammar.

It mirrors the text.  Names are not looked up, units are not converted, kinds are not
known here.  Two trees are equal when they say the same thing: spans never take part in
the comparison, so that `parse(print(spec)) == spec`.
"""

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
class Prior(Node):
    """The right-hand side of `~`: a centre and optional bounds.

    `centre` is `PlusMinus`, `Free`, a `Call` of a distribution, or a concise `Number`.
    """

    centre: Expr | PlusMinus | Free
    bounds: Interval | None = None


# ----------------------------------------------------------------- statements


@dataclass(frozen=True)
class Statement(Node):
    """Any statement; comments ride along so that `fmt` loses none.

    `before`: comment lines above it, without `#` but as written (leading blank kept);
    `after`: the comment at the end of its (first) line; `blank`: an empty line stood above.
    """

    before: tuple[str, ...] = field(default=(), kw_only=True)
    after: str | None = field(default=None, kw_only=True)
    blank: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Title(Statement):
    """`title "…"`."""

    value: str


@dataclass(frozen=True)
class Use(Statement):
    """`use "file" as name`."""

    path: str
    alias: str | None = None


@dataclass(frozen=True)
class Binder(Node):
    """`stage = 1..16`: a dimension and its labels."""

    name: str
    values: Expr


@dataclass(frozen=True)
class Body(Node):
    """`{ … }`; `tail` holds the comments before the closing brace."""

    items: tuple[AnyStatement, ...] = ()
    tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block(Statement):
    """`site B "title" : sextet from db(…) { … }` and every other braced statement.

    `keyword`: data, model, site, peak, component, baseline, analysis, method, run,
    report, variant or template.  `kind` is the callee after the colon, a `Path` or a
    `Call`.  `parameters` are a template's: `template line(pos)`.
    """

    keyword: str
    name: str | None = None
    binders: tuple[Binder, ...] = ()
    parameters: tuple[str, ...] = ()
    title: str | None = None
    kind: Path | Call | None = None
    source: Call | None = None
    on: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    body: Body | None = None
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Let(Statement):
    """`x = expr`: known or computed.  `(a, b) = …` is not in the language."""

    target: Path
    value: Expr
    per: tuple[str, ...] = ()
    because: str | None = None


@dataclass(frozen=True)
class Sample(Statement):
    """`x ~ prior`, or `(x, y) ~ dirichlet(1, 1)` with several targets."""

    targets: tuple[Path, ...]
    prior: Prior
    per: tuple[str, ...] = ()
    because: str | None = None


@dataclass(frozen=True)
class Observe(Statement):
    """`observe spectrum.counts ~ poisson`."""

    target: Path
    prior: Prior


@dataclass(frozen=True)
class RuleStatement(Statement):
    """`require`, `expect` or `check`; `prior` is set for `expect E ~ D`."""

    keyword: str
    expression: Expr
    prior: Prior | None = None
    because: str | None = None


@dataclass(frozen=True)
class Loop(Statement):
    """`for s in [...] { … }`, expanded at compile time."""

    variable: str
    values: Expr
    body: Body


@dataclass(frozen=True)
class Condition(Statement):
    """`if test { … } else { … }`, decided at compile time."""

    test: Expr
    then: Body
    otherwise: Body | None = None


AnyStatement = (
    Title | Use | Block | Let | Sample | Observe | RuleStatement | Loop | Condition
)


@dataclass(frozen=True)
class Spec(Node):
    """A whole file: `specfit 1` and its statements."""

    edition: int
    items: tuple[AnyStatement, ...] = ()
    head: tuple[str, ...] = ()  # comments above the header line
    head_after: str | None = None
    tail: tuple[str, ...] = ()  # comments after the last statement
