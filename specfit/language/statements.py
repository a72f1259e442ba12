"""Parse tree to syntax tree, second half: statements and their clauses."""

# ruff: noqa: D102 - each public method builds the grammar rule of its name

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lark import Token, v_args
from lark.tree import Meta

from specfit.diagnostics import NOWHERE, Span
from specfit.language import tree
from specfit.language.expressions import Children, Expressions
from specfit.language.segments import Line


@dataclass(frozen=True)
class _Entry:
    """`xanes[stage = 1..16]`, `line(pos)`, or nothing."""

    name: str | None = None
    span: Span = NOWHERE
    binders: tuple[tree.Binder, ...] = ()
    parameters: tuple[str, ...] = ()


@v_args(meta=True)
class Builder(Expressions):
    """Builds one statement.

    `bodies` are its bodies, parsed already, by the place of their opening brace;
    `trivia` its comments, as the fields of `tree.Statement`.
    """

    def __init__(
        self,
        line: Line,
        file: str,
        bodies: dict[int, tree.Body],
        trivia: dict[str, Any],
    ) -> None:
        super().__init__(line, file)
        self._bodies = bodies
        self._trivia = trivia

    def _common(self, meta: Meta) -> dict[str, Any]:
        return {"span": self._span(meta), **self._trivia}

    def names(self, meta: Meta, children: Children) -> tuple[str, ...]:
        return tuple(self._name(token) for token in children)

    on = per = parameters = names

    def because(self, meta: Meta, children: Children) -> str | None:
        return str(children[0])[1:-1] if children else None

    caption = because

    def kind(self, meta: Meta, children: Children) -> tree.Path | tree.Call | None:
        return children[0] if children else None

    source = kind

    def binder(self, meta: Meta, children: Children) -> tree.Binder:
        name, values = children
        return tree.Binder(self._name(name), values, span=self._span(meta))

    def binders(self, meta: Meta, children: Children) -> Children:
        return children

    def entry(self, meta: Meta, children: Children) -> _Entry:
        if not children:
            return _Entry()
        token, *rest = children
        name, span = self._name(token), self._place(token)
        if not rest:
            return _Entry(name, span)
        if isinstance(rest[0], tuple):
            return _Entry(name, span, parameters=rest[0])
        return _Entry(name, span, binders=tuple(rest[0]))

    def body(self, meta: Meta, children: Children) -> tree.Body:
        return self._bodies[self._span(meta).start]

    def targets(self, meta: Meta, children: Children) -> tuple[tree.Path, ...]:
        return tuple(children)

    def title(self, meta: Meta, children: Children) -> tree.Title:
        return tree.Title(str(children[0])[1:-1], **self._common(meta))

    def use(self, meta: Meta, children: Children) -> tree.Use:
        alias = self._name(children[1]) if len(children) > 1 else None
        return tree.Use(str(children[0])[1:-1], alias, **self._common(meta))

    def override(self, meta: Meta, children: Children) -> tree.Override:
        target, value, because = children
        return tree.Override(target, value, because, **self._common(meta))

    def block(self, meta: Meta, children: Children) -> tree.Block:
        keyword, entry, caption, kind, source, on, per, *body = children
        return tree.Block(
            keyword=str(keyword),
            name=entry.name,
            binders=entry.binders,
            parameters=entry.parameters,
            title=caption,
            kind=kind,
            source=source,
            on=on,
            per=per,
            body=body[0] if body else None,
            name_span=entry.span,
            **self._common(meta),
        )

    def plain_block(self, meta: Meta, children: Children) -> tree.Block:
        keyword, entry, caption, source, on, per, body = children
        return tree.Block(
            keyword=str(keyword),
            name=entry.name,
            binders=entry.binders,
            parameters=entry.parameters,
            title=caption,
            source=source,
            on=on,
            per=per,
            body=body,
            name_span=entry.span,
            **self._common(meta),
        )

    def let(self, meta: Meta, children: Children) -> tree.Let:
        target, value, per, because = children
        return tree.Let(target, value, per, because, **self._common(meta))

    def sample(self, meta: Meta, children: Children) -> tree.Sample:
        targets, prior, per, because = children
        return tree.Sample(targets, prior, per, because, **self._common(meta))

    def observe(self, meta: Meta, children: Children) -> tree.Observe:
        target, prior = children
        return tree.Observe(target, prior, **self._common(meta))

    def rule(self, meta: Meta, children: Children) -> tree.RuleStatement:
        keyword, expression, because = children
        return tree.RuleStatement(
            str(keyword), expression, None, because, **self._common(meta)
        )

    def expect(self, meta: Meta, children: Children) -> tree.RuleStatement:
        expression, prior, because = children
        return tree.RuleStatement(
            "expect", expression, prior, because, **self._common(meta)
        )

    def loop(self, meta: Meta, children: Children) -> tree.Loop:
        variable, values, body = children
        return tree.Loop(self._name(variable), values, body, **self._common(meta))

    def condition(self, meta: Meta, children: Children) -> tree.Condition:
        test, then, *otherwise = children
        return tree.Condition(
            test, then, otherwise[0] if otherwise else None, **self._common(meta)
        )

    def header(self, meta: Meta, children: Children) -> Token:
        token: Token = children[0]
        return token
