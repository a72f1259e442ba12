"""Numbers of the file that divide by nothing, found before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from specfit.model.expressions import evaluate, nodes, references, substitute, to_text
from specfit.model.ir import Apply, Expression, Model, Prior
from specfit.model.known import arguments_of
from specfit.model.peak_remarks import Remark


def by_zero(model: Model[Prior]) -> Iterator[Remark]:
    """Priors in which a number that the file fixes is divided by 0."""
    known = {d.name: d.value for d in model.definitions}
    for parameter in model.parameters:
        for argument in arguments_of(parameter.prior.dist):
            if found := _divided(argument, known):
                words = {"name": parameter.name, "below": to_text(found)}
                yield "divided-by-zero", words, parameter.place, "error"


def _divided(
    expression: Expression, known: Mapping[str, Expression]
) -> Expression | None:
    """What is divided by in the expression and is 0, whatever is drawn."""
    for node in nodes(expression):
        if isinstance(node, Apply) and node.function == "/":
            below = node.arguments[1]
            whole = below
            for _ in range(len(known)):
                whole = substitute(whole, known)
            if not references(whole) and _nothing(whole):
                return below
    return None


def _nothing(whole: Expression) -> bool:
    try:
        return bool(evaluate(whole, {}, np) == 0)
    except (KeyError, ZeroDivisionError):  # a statistic of the data; another division
        return False
