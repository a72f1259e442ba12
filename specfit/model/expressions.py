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

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, cast

from specfit.model.ir import Apply, Const, Definition, Expression, Ref

Meaning = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """An operator or function: how many arguments it takes and what it means.

    `meaning(xp, *arguments)`: `xp` is NumPy or jax.numpy; `most` is None without limit.
    """

    least: int
    most: int | None
    meaning: Meaning


def _voigt_fwhm(xp: Any, gauss: Any, lorentz: Any) -> Any:
    """Full width of a Voigt profile from those of its parts, good to 0.02 %.

    Source: J. J. Olivero, R. L. Longbothum, J. Quant. Spectrosc. Radiat. Transfer 17,
    233 (1977), equation 10.
    """
    return 0.5346 * lorentz + xp.sqrt(0.2166 * lorentz**2 + gauss**2)


def _fold(name: str) -> Meaning:
    def meaning(xp: Any, first: Any, *rest: Any) -> Any:
        for item in rest:
            first = getattr(xp, name)(first, item)
        return first

    return meaning


def _plain(name: str) -> Meaning:
    return lambda xp, x: getattr(xp, name)(x)


def _of_degrees(name: str) -> Meaning:
    return lambda xp, x: getattr(xp, name)(xp.deg2rad(x))


FUNCTIONS: dict[str, Function] = {
    "+": Function(2, 2, lambda xp, a, b: a + b),
    "-": Function(2, 2, lambda xp, a, b: a - b),
    "*": Function(2, 2, lambda xp, a, b: a * b),
    "/": Function(2, 2, lambda xp, a, b: a / b),
    "^": Function(2, 2, lambda xp, a, b: a**b),
    "neg": Function(1, 1, lambda xp, a: -a),
    "<": Function(2, 2, lambda xp, a, b: a < b),
    "<=": Function(2, 2, lambda xp, a, b: a <= b),
    ">": Function(2, 2, lambda xp, a, b: a > b),
    ">=": Function(2, 2, lambda xp, a, b: a >= b),
    "==": Function(2, 2, lambda xp, a, b: xp.isclose(a, b, rtol=1e-9, atol=1e-12)),
    "!=": Function(2, 2, lambda xp, a, b: ~xp.isclose(a, b, rtol=1e-9, atol=1e-12)),
    "and": Function(2, None, _fold("logical_and")),
    "or": Function(2, None, _fold("logical_or")),
    "not": Function(1, 1, _plain("logical_not")),
    "within": Function(
        3, 3, lambda xp, x, low, high: xp.logical_and(low <= x, x <= high)
    ),
    "exp": Function(1, 1, _plain("exp")),
    "log": Function(1, 1, _plain("log")),
    "log10": Function(1, 1, _plain("log10")),
    "sqrt": Function(1, 1, _plain("sqrt")),
    "abs": Function(1, 1, _plain("abs")),
    "sin": Function(1, 1, _of_degrees("sin")),
    "cos": Function(1, 1, _of_degrees("cos")),
    "tan": Function(1, 1, _of_degrees("tan")),
    "min": Function(1, None, _fold("minimum")),
    "max": Function(1, None, _fold("maximum")),
    "sum": Function(1, None, _fold("add")),
    "mean": Function(1, None, lambda xp, *items: sum(items) / len(items)),
    "median": Function(1, 1, lambda xp, x: x),
    "quantile": Function(2, 2, lambda xp, x, level: x),
    "voigt_fwhm": Function(2, 2, _voigt_fwhm),
}
"""Every function of the language.  Angles are in degrees, the canonical unit.  Equality
has a relative tolerance of 1e-9, because both sides are computed."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "within")
CONNECTIVES = ("and", "or", "not")
STATISTICS = ("mean", "max", "min", "median", "quantile", "sum")


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
