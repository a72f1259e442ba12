"""Expressions: one fixed table of functions, and what can be asked of a tree of them.

An expression is a tree of `ir.Const`, `ir.Ref` and `ir.Apply`.  It is evaluated by
looking every function up in `FUNCTIONS`; each meaning is written once against an array
module, so that NumPy (checking, prior draws) and `jax.numpy` (the density) cannot
disagree.  Nothing is ever turned into Python source.

Names in an environment: parameters, definitions and joint members by qualified name,
conditions of the data (`spectrum.T`) and statistics of a data column
(`mean(spectrum.counts)`), the last under the text of the call; see `statistics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, cast

from specfit.model.functions import (
    COMPARISONS,
    CONNECTIVES,
    FUNCTIONS,
    STATISTICS,
    Function,
)
from specfit.model.ir import Apply, Const, Definition, Expression, Ref

__all__ = [
    "COMPARISONS",
    "CONNECTIVES",
    "FUNCTIONS",
    "STATISTICS",
    "CircularTie",
    "Function",
    "LinearForm",
    "add",
    "evaluate",
    "is_statistic",
    "linear_form",
    "missing",
    "nodes",
    "references",
    "statistics",
    "substitute",
    "to_text",
    "topological",
]


class CircularTie(Exception):
    """Definitions that need one another: `names` in the order of the circle."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(" → ".join(names))
        self.names = names


class LinearForm(NamedTuple):
    """constant + Σ coefficient × name; no coefficient is zero."""

    coefficients: dict[str, float]
    constant: float


# ------------------------------------------------------------------- questions


def nodes(expression: Expression) -> Iterator[Expression]:
    """Every node of the tree, parents first."""
    stack: list[Expression] = [expression]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Apply):
            stack.extend(reversed(node.arguments))


def references(expression: Expression) -> set[str]:
    """The names that `expression` needs; a statistic counts as its column."""
    return {node.name for node in nodes(expression) if isinstance(node, Ref)}


def is_statistic(node: Expression) -> bool:
    """Whether the node has the form of a column's statistic: `max(spectrum.counts)`."""
    if not isinstance(node, Apply) or node.function not in STATISTICS:
        return False
    rest = node.arguments[1:]
    if node.function == "quantile":
        rest = tuple(item for item in rest if not isinstance(item, Const))
    return isinstance(node.arguments[0], Ref) and not rest


def statistics(expression: Expression) -> dict[str, Apply]:
    """The statistics in `expression`, by the name each has in an environment."""
    found = (cast(Apply, n) for n in nodes(expression) if is_statistic(n))
    return {to_text(node): node for node in found}


def evaluate(expression: Expression, environment: Mapping[str, Any], xp: Any) -> Any:
    """The value of `expression`; `xp` is NumPy or jax.numpy, arrays broadcast.

    A statistic is looked up under its own text first; where that is absent its argument
    is an ordinary scalar and the function is applied to it.

    Raises
    ------
    KeyError
        A name is not in the environment.

    """
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    values: list[Any] = []
    while stack:
        node, ready = stack.pop()
        if isinstance(node, Const):
            values.append(node.value)
        elif isinstance(node, Ref):
            values.append(environment[node.name])
        elif ready:
            count = len(node.arguments)
            arguments, values[-count:] = values[-count:], []
            values.append(FUNCTIONS[node.function].meaning(xp, *arguments))
        elif is_statistic(node) and (text := to_text(node)) in environment:
            values.append(environment[text])
        else:
            stack.append((node, True))
            stack.extend((item, False) for item in reversed(node.arguments))
    return values[0]


def missing(expression: Expression, environment: Mapping[str, Any]) -> set[str]:
    """The names without which `expression` cannot be evaluated."""
    lacking: set[str] = set()
    stack: list[Expression] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Ref) and node.name not in environment:
            lacking.add(node.name)
        elif isinstance(node, Apply) and not (
            is_statistic(node) and to_text(node) in environment
        ):
            stack.extend(node.arguments)
    return lacking


def substitute(
    expression: Expression, replacements: Mapping[str, Expression]
) -> Expression:
    """`expression` with names replaced, once: a replacement is not searched again."""
    if isinstance(expression, Ref):
        return replacements.get(expression.name, expression)
    if isinstance(expression, Const):
        return expression
    arguments = tuple(substitute(item, replacements) for item in expression.arguments)
    return Apply(function=expression.function, arguments=arguments)


def topological(definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions, each after those it needs, otherwise in the order given.

    Raises
    ------
    CircularTie
        Some of them need one another.

    """
    table = {definition.name: definition for definition in definitions}
    graph = {
        name: [n for n in table if n in references(definition.value)]
        for name, definition in table.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise CircularTie(tuple(reversed(error.args[1]))) from None
    return [table[name] for name in order]


# ------------------------------------------------------------------ linearity


def linear_form(
    expression: Expression, constants: Mapping[str, float | LinearForm]
) -> LinearForm | None:
    """`expression` as a linear function of its names, None where it is not linear.

    `constants` gives known values, and linear forms of names that stand for others.
    """
    if isinstance(expression, Const):
        return LinearForm({}, expression.value)
    if isinstance(expression, Ref):
        known = constants.get(expression.name, LinearForm({expression.name: 1.0}, 0.0))
        return known if isinstance(known, LinearForm) else LinearForm({}, float(known))
    if is_statistic(expression) and (text := to_text(expression)) in constants:
        return linear_form(Ref(name=text), constants)
    parts = [linear_form(item, constants) for item in expression.arguments]
    known_parts = [part for part in parts if part is not None]
    if len(known_parts) < len(parts):
        return None
    return _combine(expression.function, known_parts)


def _combine(function: str, parts: list[LinearForm]) -> LinearForm | None:
    if function in ("+", "sum"):
        return add([(1.0, part) for part in parts])
    if function == "-":
        return add([(1.0, parts[0]), (-1.0, parts[1])])
    if function == "neg":
        return add([(-1.0, parts[0])])
    if function == "mean":
        return add([(1.0 / len(parts), part) for part in parts])
    if function == "*" and not (parts[0].coefficients and parts[1].coefficients):
        number, form = sorted(parts, key=lambda part: bool(part.coefficients))
        return add([(number.constant, form)])
    if function == "/" and not parts[1].coefficients and parts[1].constant:
        return add([(1.0 / parts[1].constant, parts[0])])
    if any(part.coefficients for part in parts):
        return None
    import numpy as np

    with np.errstate(all="ignore"):
        value = FUNCTIONS[function].meaning(
            np, *(np.float64(p.constant) for p in parts)
        )
    return LinearForm({}, float(value)) if np.isfinite(value) else None


def add(terms: Iterable[tuple[float, LinearForm]]) -> LinearForm:
    """Σ factor × form."""
    total: dict[str, float] = {}
    constant = 0.0
    for factor, form in terms:
        constant += factor * form.constant
        for name, coefficient in form.coefficients.items():
            total[name] = total.get(name, 0.0) + factor * coefficient
    return LinearForm({n: c for n, c in total.items() if c != 0.0}, constant)


# ------------------------------------------------------------------------ text

_STRENGTH = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "neg": 7}
_STRENGTH |= {"^": 8} | dict.fromkeys(COMPARISONS, 4)
_ATOM = 9


def to_text(expression: Expression) -> str:
    """The expression as the language writes it, with only the brackets it needs."""
    return _text(expression)[0]


def _text(expression: Expression) -> tuple[str, int]:
    if isinstance(expression, Ref):
        return expression.name, _ATOM
    if isinstance(expression, Const):
        return f"{expression.value:.12g}", _ATOM if expression.value >= 0 else 7
    name, arguments = expression.function, expression.arguments
    if name not in _STRENGTH:
        inside = ", ".join(to_text(item) for item in arguments)
        return f"{name}({inside})", _ATOM
    strength = _STRENGTH[name]
    if name == "within":
        value, low, high = (_bracketed(item, 5) for item in arguments)
        return f"{value} in [{low}, {high}]", strength
    if len(arguments) == 1:
        sign = "-" if name == "neg" else "not "
        return sign + _bracketed(arguments[0], strength), strength
    first = _bracketed(arguments[0], strength + (name == "^" or strength == 4))
    rest = [_bracketed(item, strength + (name != "^")) for item in arguments[1:]]
    return f" {name} ".join((first, *rest)), strength


def _bracketed(expression: Expression, least: int) -> str:
    text, strength = _text(expression)
    return text if strength >= least else f"({text})"
