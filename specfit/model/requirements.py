"""A `require` taken apart: conjunctions, chains and bounds become single relations.

What is left is of three sorts: `left ≥ right`, `left == right`, or a condition that is
no conjunction (`or`), kept whole as a slack that is not negative where it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from specfit.model.enclosure import Box
from specfit.model.ir import Apply, Const, Expression, Model, Place, Prior

_NEGATION = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_LARGER_FIRST = (">", ">=")


class PlanError(Exception):
    """Rules that cannot be kept: a code of `messages.toml`, its words and the place."""

    def __init__(self, code: str, words: dict[str, str], place: Place) -> None:
        super().__init__(f"{code}: {words}")
        self.code, self.words, self.place = code, words, place


@dataclass(frozen=True)
class Relation:
    """One relation that must hold; `rule` is its index in `Model.rules`, −1 for none.

    `kind`: "ge" is left ≥ right, "eq" left == right; "slack" is left ≥ right with
    `left` the slack of a condition that is not a plain comparison.
    """

    rule: int
    kind: Literal["ge", "eq", "slack"]
    left: Expression
    right: Expression


def circular(model: Model[Prior], names: tuple[str, ...]) -> PlanError:
    """The error for definitions that need one another, in the order of the circle."""
    place = next(d.place for d in model.definitions if d.name == names[0])
    return PlanError("circular-definition", {"chain": " → ".join(names)}, place)


def relations(rule: int, expression: Expression) -> Iterator[Relation]:
    """The relations that together say what `expression` says."""
    for part in _conjuncts(expression):
        if not isinstance(part, Apply):
            yield Relation(rule, "slack", slack(part), Const(value=0.0))
            continue
        match part.function:
            case "<" | "<=" | ">" | ">=":
                a, b = part.arguments
                larger_first = part.function in _LARGER_FIRST
                yield from _ordered(rule, *((a, b) if larger_first else (b, a)))
            case "==":
                yield Relation(rule, "eq", *part.arguments)
            case "!=":
                continue  # leaves out a set without volume
            case _:
                yield Relation(rule, "slack", slack(part), Const(value=0.0))


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    if not isinstance(expression, Apply):
        yield expression
    elif expression.function == "and":
        for item in expression.arguments:
            yield from _conjuncts(item)
    elif expression.function == "within":
        value, low, high = expression.arguments
        yield _apply(">=", value, low)
        yield _apply("<=", value, high)
    elif expression.function == "not" and _opposite(expression.arguments[0]):
        yield from _conjuncts(_opposite(expression.arguments[0]) or expression)
    else:
        yield expression


def _opposite(expression: Expression) -> Expression | None:
    """The negation without `not`, where it is a conjunction again."""
    if not isinstance(expression, Apply):
        return None
    if expression.function in _NEGATION:
        return _apply(_NEGATION[expression.function], *expression.arguments)
    if expression.function == "not":
        return expression.arguments[0]
    if expression.function == "or":
        return _apply("and", *(_apply("not", item) for item in expression.arguments))
    return None


def _ordered(rule: int, larger: Expression, smaller: Expression) -> Iterator[Relation]:
    """The relation larger ≥ smaller; |x|, max and min opened into conjunctions."""
    if isinstance(smaller, Apply) and smaller.function == "abs":
        inner = smaller.arguments[0]
        yield from _ordered(rule, larger, inner)
        yield from _ordered(rule, inner, _apply("neg", larger))
    elif isinstance(smaller, Apply) and _many(smaller, "max"):
        for item in smaller.arguments:
            yield from _ordered(rule, larger, item)
    elif isinstance(larger, Apply) and _many(larger, "min"):
        for item in larger.arguments:
            yield from _ordered(rule, item, smaller)
    else:
        yield Relation(rule, "ge", larger, smaller)


def _many(node: Apply, function: str) -> bool:
    return node.function == function and len(node.arguments) > 1


def slack(expression: Expression) -> Expression:
    """A number that is not negative exactly where the condition holds.

    `and` is the smallest of its parts, `or` the largest; an equality can only touch 0.
    A name alone stands for a condition that is true when it is not negative.
    """
    if not isinstance(expression, Apply):
        return expression
    arguments = expression.arguments
    match expression.function:
        case "<" | "<=":
            return _apply("-", arguments[1], arguments[0])
        case ">" | ">=":
            return _apply("-", arguments[0], arguments[1])
        case "==":
            return _apply("neg", _apply("abs", _apply("-", *arguments)))
        case "!=":
            return _apply("abs", _apply("-", *arguments))
        case "and":
            return _apply("min", *(slack(item) for item in arguments))
        case "or":
            return _apply("max", *(slack(item) for item in arguments))
        case "not":
            return _apply("neg", slack(arguments[0]))
        case "within":
            value, low, high = arguments
            return _apply("min", _apply("-", value, low), _apply("-", high, value))
    return expression


def _apply(function: str, *arguments: Expression) -> Apply:
    return Apply(function=function, arguments=arguments)


def gap(relation: Relation) -> Expression:
    """The left side less the right, not negative where the relation holds."""
    if isinstance(relation.right, Const) and relation.right.value == 0.0:
        return relation.left
    return _apply("-", relation.left, relation.right)


def bounded(rule: int, expression: Expression, box: Box) -> Iterator[Relation]:
    """The relations that keep an expression in an interval."""
    low, high = box
    if isfinite(low):
        yield Relation(rule, "ge", expression, Const(value=low))
    if isfinite(high):
        yield Relation(rule, "ge", Const(value=high), expression)
