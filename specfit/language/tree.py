"""The syntax tree: one frozen dataclass for each rule of the grammar.

It mirrors the text.  Names are not looked up, units are not converted, kinds are not
known here.  Two trees are equal when they say the same thing: spans never take part in
the comparison, so that `parse(print(spec)) == spec`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from specfit.diagnostics import NOWHERE, Span
from specfit.language.terms import (
    Argument,
    Binary,
    Call,
    Compare,
    Expr,
    Free,
    Interval,
    Like,
    ListOf,
    Node,
    Number,
    Part,
    Path,
    PlusMinus,
    Prior,
    Range,
    Star,
    String,
    Unary,
    Within,
)

__all__ = [
    "AnyStatement",
    "Argument",
    "Binary",
    "Binder",
    "Block",
    "Body",
    "Call",
    "Compare",
    "Condition",
    "Expr",
    "Free",
    "Interval",
    "Let",
    "Like",
    "ListOf",
    "Loop",
    "Node",
    "Number",
    "Observe",
    "Override",
    "Part",
    "Path",
    "PlusMinus",
    "Prior",
    "Range",
    "RuleStatement",
    "Sample",
    "Spec",
    "Star",
    "Statement",
    "String",
    "Title",
    "Unary",
    "Use",
    "Within",
]


# ----------------------------------------------------------------- statements


@dataclass(frozen=True)
class Statement(Node):
    """Any statement; comments ride along so that `fmt` loses none.

    `before`: comment lines above it, without `#` but as written (leading blank kept),
    a lone line end standing for an empty line among them; `after`: the comment at the
    end of its (first) line; `blank`: an empty line stood above.
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
class Override(Statement):
    """`override linewidth = warning because "…"`: a rule of the library, or its threshold."""

    target: Path
    value: Expr
    because: str | None = None


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

    `keyword`: data, model, site, peak, path, component, baseline, analysis, method, run,
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
    Title
    | Use
    | Override
    | Block
    | Let
    | Sample
    | Observe
    | RuleStatement
    | Loop
    | Condition
)


@dataclass(frozen=True)
class Spec(Node):
    """A whole file: `specfit 1` and its statements."""

    edition: int
    items: tuple[AnyStatement, ...] = ()
    head: tuple[str, ...] = ()  # comments above the header line
    head_after: str | None = None
    tail: tuple[str, ...] = ()  # comments after the last statement
