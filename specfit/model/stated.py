"""Every relation that a model states, by its rules, its priors and what it computes."""

from __future__ import annotations

from collections.abc import Iterator

from specfit.model.ir import Const, Model, Prior, Ref
from specfit.model.linear import NO_RULE, moving_ends, support_of
from specfit.model.ranges import physical_ranges
from specfit.model.reflections import NO_REFLECTION, margins
from specfit.model.requirements import Relation, bounded, relations


def stated(model: Model[Prior]) -> Iterator[Relation]:
    """The relations, those of the rules first."""
    for index, rule in enumerate(model.rules):
        if rule.kind == "require":
            yield from relations(index, rule.expression)
        elif rule.kind == "expect" and rule.dist is not None:
            yield from bounded(index, rule.expression, support_of(rule.dist))
    for parameter in model.parameters:
        yield from moving_ends(parameter.name, parameter.prior.dist)
    for name, low, high in physical_ranges(model):
        yield from bounded(NO_RULE, Ref(name=name), (low, high))
    for margin in margins(model):
        yield Relation(NO_REFLECTION, "slack", margin, Const(value=0.0))
