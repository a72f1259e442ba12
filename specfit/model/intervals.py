"""`[lo, hi] unit`, and several of them: parts of an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit import units
from specfit.language import tree
from specfit.model.constants import constant
from specfit.model.data_columns import unit_said
from specfit.model.faults import Faults
from specfit.units import Dimension

Span = tuple[float, float]


def interval(
    node: tree.Expr,
    unit: str | None,
    wanted: Dimension,
    constants: Mapping[str, Any],
    faults: Faults,
) -> Span | None:
    """`[lo, hi]` as a list of two numbers; `unit` stands after an outer bracket."""
    if not isinstance(node, tree.ListOf) or len(node.items) != 2:
        faults.add("interval-expected", node.span)
        return None
    text = node.unit or unit
    spans = (node.unit_span, node.span)
    if unit_said(faults, text, spans, wanted, "window") is None:
        return None
    ends = [constant(item, constants) for item in node.items]
    factor = units.parse_unit(text).scale if text else 1.0
    if not all(isinstance(end, float) for end in ends) or ends[0] >= ends[1]:
        faults.add("empty-interval", node.span)
        return None
    return ends[0] * factor, ends[1] * factor


def intervals(
    node: tree.Expr, wanted: Dimension, constants: Mapping[str, Any], faults: Faults
) -> tuple[Span, ...]:
    """`[lo, hi] unit`, or a list of such."""
    if not isinstance(node, tree.ListOf):
        faults.add("interval-expected", node.span)
        return ()
    nested = node.items and all(isinstance(i, tree.ListOf) for i in node.items)
    parts = node.items if nested else (node,)
    found = [interval(part, node.unit, wanted, constants, faults) for part in parts]
    return tuple(part for part in found if part is not None)
