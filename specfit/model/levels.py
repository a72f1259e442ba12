"""The dimension of a data block: its labels, and the conditions at each level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specfit import units
from specfit.language import tree
from specfit.model.constants import Quantity, constant
from specfit.model.expand import loop_values
from specfit.model.faults import Faults
from specfit.model.quantities import wrong_unit
from specfit.units import DIMENSIONLESS, Dimension

Conditions = Mapping[str, tuple[float, Dimension]]


@dataclass(frozen=True)
class Levels:
    """The levels of the data: labels ("" without dimensions) and their conditions.

    looked_up: conditions from tables, which the typed model has by name.
    """

    dimension: str = ""
    labels: tuple[str, ...] = ("",)
    conditions: tuple[Conditions, ...] = ({},)
    looked_up: frozenset[str] = frozenset()


def read_levels(
    block: tree.Block,
    conditions: Conditions,
    wanted: Mapping[str, str],
    constants: Mapping[str, Any],
    faults: Faults,
) -> Levels:
    """The levels of `data spectrum[T = [77, 295] K]`; one without name if it has none.

    The labels of a dimension are a condition of their level, unless the block states
    that condition itself; `wanted` says what each known condition is.
    """
    if not block.binders:
        return Levels("", ("",), (conditions,))
    if len(block.binders) > 1:
        faults.add("one-dimension", block.binders[1].span)
    binder = block.binders[0]
    values = loop_values(binder.values, constants)
    if not values:
        faults.add("dimension-values", binder.span, name=binder.name)
        return Levels(binder.name, ("",), (conditions,))
    labels = tuple(_label(value) for value in values)
    for label, value in zip(labels, values, strict=True):
        if labels.count(label) > 1:
            faults.add("duplicate-definition", value.span, name=label)
            break
    known = tuple(_at_level(conditions, binder.name, value) for value in values)
    if binder.name in wanted and binder.name not in conditions:
        _check_condition(binder, known, units.DIMENSIONS[wanted[binder.name]], faults)
    return Levels(binder.name, labels, known)


def _check_condition(
    binder: tree.Binder,
    known: tuple[Conditions, ...],
    wanted: Dimension,
    faults: Faults,
) -> None:
    """A dimension named like a condition has its unit; kelvin are positive."""
    name = binder.name
    for level in known:
        value, dimension = level.get(name, (0.0, DIMENSIONLESS))
        if dimension == DIMENSIONLESS != wanted:
            faults.add("unit-missing", binder.span, unit=units.canonical_unit(wanted))
        elif dimension != wanted:
            wrong_unit(faults, binder.span, name, name, wanted, dimension)
        elif name == "T" and value <= 0:
            faults.add("temperature-not-positive", binder.span)


def _at_level(conditions: Conditions, name: str, value: tree.Expr) -> Conditions:
    number = constant(value, {})
    if not isinstance(number, Quantity):
        return conditions
    return {name: (float(number), number.dimension), **conditions}


def _label(value: tree.Expr) -> str:
    match value:
        case tree.Number(text=text):
            return text
        case tree.String(value=text):
            return text
        case tree.Path():
            return value.text
    return "?"
