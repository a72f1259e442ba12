"""`run ENGINE { … }` and `report NAME { … }`: how to look and what to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model import ir
from specfit.model.constants import constant
from specfit.model.faults import Faults, nearest
from specfit.model.places import place
from specfit.model.typed import Context, Typer

ENGINES = ("auto", "nuts", "map", "laplace")
PLANNED_ENGINES = ("smc", "metropolis")
_NUMBERS = {
    "chains": (1, 1024),
    "warmup": (10, 1_000_000),
    "draws": (10, 10_000_000),
    "seed": (0, 2**63 - 1),
}
_COLUMNS = ("IS", "QS", "Bint", "I", "width", "x", "ratio")


def run_settings(
    block: tree.Block, faults: Faults, sources: Mapping[str, str]
) -> ir.RunSettings:
    """The settings of a `run` block; unknown engines and keys are faults."""
    engine = block.name or "auto"
    if engine not in ENGINES:
        code = "planned-engine" if engine in PLANNED_ENGINES else "unknown-engine"
        known = nearest(engine, ENGINES)
        faults.add(code, block.name_span, name=engine, known=known)
        engine = "auto"
    values: dict[str, Any] = {}
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add("not-in-run", item.span)
            continue
        key = item.target.text
        if key in values:
            faults.add("duplicate-statement", item.span, name=key)
            continue
        values[key] = _setting(key, item, faults)
    values.pop("precision", None)
    known_values = {key: value for key, value in values.items() if value is not None}
    return ir.RunSettings(
        engine=engine, **known_values, place=place(block.span, sources)
    )


def _setting(key: str, item: tree.Let, faults: Faults) -> float | int | str | None:
    value = constant(item.value, {})
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        if isinstance(value, float) and value == int(value) and low <= value <= high:
            return int(value)
        faults.add(
            "whole-number", item.value.span, key=key, low=f"{low}", high=f"{high}"
        )
        return None
    if key == "target_accept":
        if isinstance(value, float) and 0.5 <= value < 1:
            return value
        faults.add("share-expected", item.value.span, key=key)
        return None
    if key == "precision":
        word = item.value.text if isinstance(item.value, tree.Path) else value
        if word != "float64":
            faults.add("precision", item.value.span)
        return None
    known = nearest(key, [*_NUMBERS, "target_accept", "precision"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def report_settings(
    block: tree.Block, faults: Faults, typer: Typer
) -> ir.ReportSettings:
    """The settings of a `report` block, its names checked against the model."""
    values: dict[str, Any] = {}
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add("not-in-report", item.span)
            continue
        key = item.target.text
        items = (
            item.value.items if isinstance(item.value, tree.ListOf) else (item.value,)
        )
        if key == "rows":
            values[key] = _known(items, list(typer.names.components), faults)
        elif key == "table":
            values[key] = _columns(items, typer, faults)
        elif key == "also":
            values[key] = _expressions(items, typer)
        elif key == "plots":
            values[key] = tuple(print_expression(plot) for plot in items)
        elif key == "save" and isinstance(item.value, tree.String):
            values[key] = item.value.value
        else:
            known = nearest(key, ["rows", "table", "also", "plots", "save"])
            faults.add("unknown-key", item.target.span, key=key, known=known)
    return ir.ReportSettings(name=block.name or "report", **values)


def _known(
    items: tuple[tree.Expr, ...], known: list[str], faults: Faults
) -> tuple[str, ...]:
    names = []
    for item in items:
        text = item.text if isinstance(item, tree.Path) else print_expression(item)
        if text not in known:
            faults.add("unknown-name", item.span, name=text, known=nearest(text, known))
            continue
        names.append(text)
    return tuple(names)


def _columns(
    items: tuple[tree.Expr, ...], typer: Typer, faults: Faults
) -> tuple[str, ...]:
    known = {role for roles in typer.names.components.values() for role in roles}
    known |= set(typer.names.entries)
    return _known(items, sorted(known), faults)


def _expressions(
    items: tuple[tree.Expr, ...], typer: Typer
) -> tuple[tuple[str, ir.Expression], ...]:
    found = []
    for item in items:
        typed = typer.expression(item, Context(level=0))
        if typed is not None:
            found.append((print_expression(item), typed.value))
    return tuple(found)
