"""`feature = columns(1..44)` and `group = names.group`: the features of a table."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import constant
from specfit.model.expand import loop_values
from specfit.model.faults import Faults
from specfit.model.regression_kinds import MOST_FEATURES

GROUP = "group"
"""Of the features, as a file of names has them; or a column of the rows like any other."""
FEATURE_KEYS = ("feature", GROUP)
FEATURE = "feature"
"""The matrix of features, as expressions name it."""

Option = str | float | tuple[float, ...]


def feature_key(key: str, value: tree.Expr, faults: Faults) -> dict[str, Option]:
    """The options that a statement of features makes; none where it is at fault.

    "feature": numbers of columns, or the words that head them, one a line; "group": the
    column of the file of names that says to which group each feature belongs;
    "posterior": what other models find, one a line.
    """
    if key == GROUP:
        parts = value.parts if isinstance(value, tree.Path) else ()
        if len(parts) == 2 and parts[0].name == "names":
            return {GROUP: parts[1].name}
        faults.add("group-expected", value.span)
        return {}
    if isinstance(value, tree.Call) and value.function.text == "posterior":
        return _found_by_models(value, faults)
    items = _items(value)
    found = [constant(item, {}) for item in items]
    if found and all(isinstance(one, str) and one for one in found):
        if len(set(found)) == len(found):
            return {"feature": "\n".join(found)}
    elif found and all(_is_column(one) for one in found):
        numbers = tuple(float(one) for one in found)
        if len(set(numbers)) == len(numbers) <= MOST_FEATURES:
            return {"feature": numbers}
    faults.add("features-expected", value.span, most=str(MOST_FEATURES))
    return {}


def _found_by_models(value: tree.Call, faults: Faults) -> dict[str, Option]:
    """`posterior(ni.w, lattice.a)`: quantities of models, each named with its model."""
    texts = []
    for argument in value.arguments:
        path = argument.value
        if argument.name or not isinstance(path, tree.Path) or len(path.parts) < 2:
            faults.add("posterior-expected", argument.span)
            return {}
        texts.append(print_expression(path))
    if not texts:
        faults.add("posterior-expected", value.span)
        return {}
    return {"posterior": "\n".join(texts)}


def _items(value: tree.Expr) -> list[tree.Expr]:
    """The arguments of `columns(…)`, ranges spelt out."""
    if not (isinstance(value, tree.Call) and value.function.text == "columns"):
        return []
    items: list[tree.Expr] = []
    for argument in value.arguments:
        spread = loop_values(argument.value, {})
        items += [argument.value] if spread is None else spread
    return items


def _is_column(value: object) -> bool:
    return isinstance(value, float) and value >= 1 and value == int(value)


def feature_labels(options: Mapping[str, Option]) -> tuple[str, ...]:
    """What each feature is called in the language, `β[1]`: its place from 1."""
    said = options.get("feature", ())
    count = said.count("\n") + 1 if isinstance(said, str) else 0
    count = len(said) if isinstance(said, tuple) else count
    return tuple(str(number) for number in range(1, count + 1))
