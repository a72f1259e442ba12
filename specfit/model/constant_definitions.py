"""Numbers known before any model: said at the top of a file, or offered by its data."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.language import tree
from specfit.model import ir
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults
from specfit.model.levels import Levels
from specfit.model.names import Names
from specfit.model.quantities import Context
from specfit.model.typed import Typer
from specfit.model.walk import paths
from specfit.units import DIMENSIONLESS, Dimension

Constants = dict[str, tuple[float, Dimension]]


def constants_of(
    definitions: Mapping[str, tree.Let], data: Mapping[str, DataBlock], faults: Faults
) -> tuple[Constants, set[str]]:
    """The constants by name, and which of them other constants use."""
    known: Constants = {}
    used: set[str] = set()
    for name, block in data.items():
        if len(block.levels.labels) == 1:
            for key, value in block.levels.conditions[0].items():
                known[f"{name}.{key}"] = value
    waiting = {
        name: item
        for name, item in definitions.items()
        if not isinstance(item.value, tree.String | tree.ListOf | tree.Range)
    }
    while ready := [n for n, item in waiting.items() if not _needs(item, waiting)]:
        for name in ready:
            _define(name, waiting.pop(name), known, used, faults)
    _report_circles(waiting, faults)
    return known, used


def _needs(item: tree.Let, waiting: Mapping[str, tree.Let]) -> list[str]:
    return [path.text for path in paths(item.value) if path.text in waiting]


def _define(
    name: str, item: tree.Let, known: Constants, used: set[str], faults: Faults
) -> None:
    if any(path.text not in known for path in paths(item.value)):
        if not any(faults.excuses(path.text) for path in paths(item.value)):
            faults.add("not-constant", item.value.span, name=name)
        faults.lose(name)
        return
    names = Names(faults, "", {}, Levels(), known)
    typer = Typer(names, faults, lambda entry: DIMENSIONLESS)
    typed = typer.expression(item.value, Context())
    used |= names.used
    if typed is not None and isinstance(typed.value, ir.Const):
        known[name] = (typed.value.value, typed.dimension)
        return
    if typed is not None:
        faults.add("not-constant", item.value.span, name=name)
    faults.lose(name)


def _report_circles(waiting: dict[str, tree.Let], faults: Faults) -> None:
    """What is left needs itself: follow each name to where it comes round."""
    for start in waiting:
        trail = [start]
        while (following := _needs(waiting[trail[-1]], waiting)[0]) not in trail:
            trail.append(following)
        circle = trail[trail.index(following) :]
        faults.circle(circle, waiting[circle[0]].span)
        faults.lose(start)
