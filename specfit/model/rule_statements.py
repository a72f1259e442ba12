"""`require`, `expect` and `check` → rules, one for each level they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from specfit.language import tree
from specfit.model import ir
from specfit.model.declared import Expected, Priors
from specfit.model.meanings import Meanings
from specfit.model.places import place
from specfit.model.quantities import BOOLEAN, Context, Typed

KINDS: dict[str, Literal["require", "expect", "check"]] = {
    "require": "require",
    "expect": "expect",
    "check": "check",
}


class RuleReader:
    """Reads the rules of one model."""

    def __init__(
        self, priors: Priors, meanings: Meanings, texts: Mapping[str, str]
    ) -> None:
        self.priors, self.meanings, self.texts = priors, meanings, texts
        self.typer, self.faults = priors.typer, priors.faults

    def read(
        self, rules: Iterable[tuple[tree.RuleStatement, str]]
    ) -> tuple[ir.Rule, ...]:
        """Every rule with its scope → the rules; faulty ones are reported, left out."""
        return tuple(
            rule
            for item, scope in rules
            for level in self._levels(item, scope)
            if (rule := self._rule(item, scope, level)) is not None
        )

    def _levels(self, item: tree.RuleStatement, scope: str) -> list[int | None]:
        local = self.meanings.is_local(item.expression, scope)
        return self.meanings.contexts(local)

    def _rule(
        self, item: tree.RuleStatement, scope: str, level: int | None
    ) -> ir.Rule | None:
        context = Context(scope, level, posterior=item.keyword == "check")
        if item.keyword != "check" and not item.because:
            self.faults.add("because-missing", item.span, keyword=item.keyword)
        typed = self.typer.expression(item.expression, context)
        if typed is None:
            return None
        dist = None
        if item.keyword == "expect":
            dist = self._expected(item, typed, context)
            if dist is None:
                return None
        elif typed.dimension != BOOLEAN:
            self.faults.add("condition-expected", item.expression.span)
            return None
        return ir.Rule(
            kind=KINDS[item.keyword],
            expression=typed.value,
            dist=dist,
            because=item.because or "",
            place=place(item.span, self.texts),
        )

    def _expected(
        self, item: tree.RuleStatement, typed: Typed, context: Context
    ) -> ir.Dist | None:
        assert item.prior is not None  # the grammar sees to it
        if typed.dimension == BOOLEAN:
            self.faults.add("number-expected", item.expression.span)
            return None
        expected = Expected("expect", typed.dimension, typed.convention)
        declared = self.priors.read(item.prior, context, expected)
        if declared is None:
            return None
        if not isinstance(declared.prior, ir.Dist):
            self.faults.add("expect-cites", item.prior.span)
            return None
        return declared.prior
