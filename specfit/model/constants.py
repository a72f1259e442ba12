"""Values known at compile time: numbers with units, words, lists and conditions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeGuard

from specfit import units
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.units import DIMENSIONLESS, Dimension


class Quantity(float):
    """A number in canonical units that knows its dimension."""

    dimension: Dimension

    def __new__(cls, value: float, dimension: Dimension = DIMENSIONLESS) -> Quantity:
        """`value` in canonical units."""
        made = super().__new__(cls, value)
        made.dimension = dimension
        return made


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def constant(expression: tree.Expr | None, known: Mapping[str, Any]) -> Any:
    """The value of `expression` (float, str, bool or list), None when it is not known.

    Numbers are `Quantity`, in canonical units.
    """
    match expression:
        case tree.Number(value=value, unit=unit):
            return _scaled(value, unit)
        case tree.String(value=value):
            return value
        case tree.Path():
            return known.get(expression.text)
        case tree.ListOf(items=items):
            values = [constant(item, known) for item in items]
            return None if None in values else values
        case tree.Unary(operator="-", operand=operand):
            value = constant(operand, known)
            return Quantity(-value, value.dimension) if _number(value) else None
        case tree.Unary(operator="not", operand=operand):
            value = constant(operand, known)
            return not value if isinstance(value, bool) else None
        case tree.Binary():
            return _binary(expression, known)
        case tree.Compare():
            return _comparison(expression, known)
        case tree.Within(operand=operand, interval=interval):
            return _within(operand, interval, known)
    return None


def _number(value: object) -> TypeGuard[Quantity]:
    return isinstance(value, Quantity)


def _scaled(value: float, unit: str | None) -> Quantity | None:
    if unit is None:
        return Quantity(value)
    try:
        known = units.parse_unit(unit)
    except units.UnitError:
        return None
    return Quantity(value * known.scale, known.dimension)


def _binary(node: tree.Binary, known: Mapping[str, Any]) -> Any:
    left, right = constant(node.left, known), constant(node.right, known)
    if node.operator in ("and", "or"):
        if not (isinstance(left, bool) and isinstance(right, bool)):
            return None
        return (left and right) if node.operator == "and" else (left or right)
    if not (_number(left) and _number(right)):
        return None
    dimension = _dimension(node.operator, left, right)
    if dimension is None:
        return None
    try:
        value = _ARITHMETIC[node.operator](float(left), float(right))
    except (ZeroDivisionError, OverflowError):
        return None
    finite = isinstance(value, float) and math.isfinite(value)
    return Quantity(value, dimension) if finite else None


def _dimension(operator: str, left: Quantity, right: Quantity) -> Dimension | None:
    """The dimension of a result, None where the operation has no meaning."""
    if operator in "+-":
        return left.dimension if left.dimension == right.dimension else None
    if operator == "^":
        plain = right.dimension == DIMENSIONLESS
        return units.power(left.dimension, right) if plain else None
    return units.multiply(left.dimension, right.dimension, 1 if operator == "*" else -1)


def disagreement(
    test: tree.Expr, known: Mapping[str, Any]
) -> tuple[str, Span, dict[str, str]] | None:
    """A comparison in `test` of quantities that cannot be compared: what to say."""
    match test:
        case tree.Binary(left=left, right=right):
            return disagreement(left, known) or disagreement(right, known)
        case tree.Unary(operand=operand):
            return disagreement(operand, known)
        case tree.Compare(operands=operands):
            pairs = list(pairwise(operands))
        case tree.Within(operand=operand, interval=ends):
            unit, place = ends.unit, ends.unit_span
            ends_with_unit = (_with_unit(e, unit, place) for e in (ends.low, ends.high))
            pairs = [(operand, end) for end in ends_with_unit]
        case _:
            return None
    return next((c for a, b in pairs if (c := _clash(a, b, known))), None)


def _clash(
    left: tree.Expr, right: tree.Expr, known: Mapping[str, Any]
) -> tuple[str, Span, dict[str, str]] | None:
    one, other = constant(left, known), constant(right, known)
    if not (_number(one) and _number(other)) or one.dimension == other.dimension:
        return None
    for node, mine, its in ((left, one, other), (right, other, one)):
        if mine.dimension == DIMENSIONLESS and isinstance(node, tree.Number):
            unit = units.canonical_unit(its.dimension)
            return "unit-missing", node.span, {"unit": unit}
    words = {"wanted": one.dimension, "found": other.dimension}
    named = {key: units.said(dimension) for key, dimension in words.items()}
    return "dimension-mismatch", right.span, named


def _with_unit(node: tree.Expr, unit: str | None, place: Span) -> tree.Expr:
    """An end of an interval, with the unit written after the bracket."""
    if isinstance(node, tree.Unary):
        return replace(node, operand=_with_unit(node.operand, unit, place))
    if unit is not None and isinstance(node, tree.Number) and node.unit is None:
        return replace(node, unit=unit, unit_span=place)
    return node


def _comparison(node: tree.Compare, known: Mapping[str, Any]) -> bool | None:
    values = [constant(operand, known) for operand in node.operands]
    if None in values or len({type(value) for value in values}) > 1:
        return None
    pairs = zip(node.operators, pairwise(values), strict=True)
    return all(_COMPARE[operator](a, b) for operator, (a, b) in pairs)


def _within(
    operand: tree.Expr, interval: tree.Interval, known: Mapping[str, Any]
) -> bool | None:
    value = constant(operand, known)
    ends = [
        constant(_with_unit(end, interval.unit, interval.unit_span), known)
        for end in (interval.low, interval.high)
    ]
    if not all(_number(v) for v in (value, *ends)):
        return None
    return bool(ends[0] <= value <= ends[1])
