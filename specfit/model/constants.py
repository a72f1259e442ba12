"""Values known at compile time: numbers with units, words, lists and conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from specfit import units
from specfit.language import tree

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
    """The value of `expression` (float, str, bool or list), None when it is not constant.

    Numbers come in canonical units; dimensions are the business of `typed.py`.
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
            return -value if isinstance(value, float) else None
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


def _scaled(value: float, unit: str | None) -> float | None:
    if unit is None:
        return value
    try:
        return value * units.parse_unit(unit).scale
    except units.UnitError:
        return None


def _binary(node: tree.Binary, known: Mapping[str, Any]) -> Any:
    left, right = constant(node.left, known), constant(node.right, known)
    if node.operator in ("and", "or"):
        if not (isinstance(left, bool) and isinstance(right, bool)):
            return None
        return (left and right) if node.operator == "and" else (left or right)
    if not (isinstance(left, float) and isinstance(right, float)):
        return None
    try:
        value = _ARITHMETIC[node.operator](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return value if isinstance(value, float) else None


def _comparison(node: tree.Compare, known: Mapping[str, Any]) -> bool | None:
    values = [constant(operand, known) for operand in node.operands]
    if None in values or len({type(value) for value in values}) > 1:
        return None
    pairs = zip(values, values[1:], strict=False)
    return all(
        _COMPARE[op](a, b) for op, (a, b) in zip(node.operators, pairs, strict=True)
    )


def _within(
    operand: tree.Expr, interval: tree.Interval, known: Mapping[str, Any]
) -> bool | None:
    value = constant(operand, known)
    ends = [constant(end, known) for end in (interval.low, interval.high)]
    if not all(isinstance(v, float) for v in (value, *ends)):
        return None
    factor = _scaled(1.0, interval.unit)
    if factor is None:
        return None
    return bool(ends[0] * factor <= value <= ends[1] * factor)
