"""`redox.score` and `inclusion(β, by = group)` in a report: figures of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specfit.language import tree
from specfit.language.printer import print_expression

INCLUSION = "inclusion"


def without_scores(
    item: tree.Let, scores: Sequence[str]
) -> tuple[tree.Let, tuple[str, ...]]:
    """The statement without the scores in its list, and these as text."""
    value = item.value
    every = value.items if isinstance(value, tree.ListOf) else (value,)
    if not scores:
        return item, ()
    found = [one for one in every if _is_score(one, scores)]
    left = tuple(one for one in every if not any(one is each for each in found))
    texts = tuple(print_expression(one) for one in found)
    return replace(item, value=tree.ListOf(left, span=value.span)), texts


def _is_score(node: tree.Expr, scores: Sequence[str]) -> bool:
    if isinstance(node, tree.Path):
        return node.text in scores
    return isinstance(node, tree.Call) and node.function.text == INCLUSION
