"""`run ENGINE { … }` and `report NAME { … }`: how to look and what to show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model import ir
from specfit.model.constants import Quantity, constant
from specfit.model.faults import Faults, nearest
from specfit.model.places import place
from specfit.model.quantities import Context
from specfit.model.typed import Typer

ENGINES = ("auto", "nuts", "smc", "metropolis", "map", "likelihood", "laplace")
_OWN = {"metropolis": {"warmup": 900_000, "draws": 100_000}}
"""Lengths of an engine that needs others than the usual ones."""
_NUMBERS = {
    "chains": (1, 1024),
    "warmup": (20, 1_000_000),
    "draws": (10, 10_000_000),
    "seed": (0, 2**63 - 1),
}
_COLUMNS = ("IS", "QS", "Bint", "I", "width", "x", "ratio")


def run_settings(
    block: tree.Block,
    faults: Faults,
    sources: Mapping[str, str],
    dimension: str = "",
) -> ir.RunSettings:
    """The settings of a `run` block; unknown engines and keys are faults.

    dimension: along which the models are fits of their own, if they are.
    """
    engine = block.name or "auto"
    if engine not in ENGINES:
        known = nearest(engine, ENGINES)
        faults.add("unknown-engine", block.name_span, name=engine, known=known)
        engine = "auto"
    values: dict[str, Any] = {}
    seen: dict[str, Span] = {}
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add("not-in-run", item.span)
            continue
        key = item.target.text
        if _first(key, item, seen, faults):
            values[key] = _setting(key, item, faults, dimension)
    for key in ("precision", "batch"):
        values.pop(key, None)
    known_values = {key: value for key, value in values.items() if value is not None}
    known_values = {**_OWN.get(engine, {}), **known_values}
    return ir.RunSettings(
        engine=engine, **known_values, place=place(block.span, sources)
    )


def _first(key: str, item: tree.Let, seen: dict[str, Span], faults: Faults) -> bool:
    """Is this the first statement of `key` in its block?  Another is reported."""
    first = seen.setdefault(key, item.span)
    if first is not item.span:
        note = (first, "first-here", dict[str, str]())
        faults.add("duplicate-statement", item.span, name=key, note=note)
    return first is item.span


def _setting(
    key: str, item: tree.Let, faults: Faults, dimension: str
) -> float | int | str | None:
    value = constant(item.value, {})
    if isinstance(value, Quantity) and value.dimension:
        value = None  # a plain number is wanted
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
    if key == "batch":  # levels that share nothing are fits of their own, unasked
        if not isinstance(item.value, tree.Path) or item.value.text != dimension:
            faults.add("batch-word", item.value.span, dimension=dimension or "stage")
        return None
    known = nearest(key, [*_NUMBERS, "target_accept", "precision", "batch"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def report_settings(
    block: tree.Block, faults: Faults, typer: Typer, models: tuple[str, ...] = ()
) -> ir.ReportSettings:
    """The settings of a `report` block, its names checked against the model."""
    values: dict[str, Any] = {}
    seen: dict[str, Span] = {}
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add("not-in-report", item.span)
            continue
        key = item.target.text
        if _first(key, item, seen, faults):
            values[key] = _shown(key, item, faults, typer, models)
    known = {key: value for key, value in values.items() if value is not None}
    return ir.ReportSettings(name=block.name or "report", **known)


def _shown(
    key: str,
    item: tree.Let,
    faults: Faults,
    typer: Typer,
    known_models: tuple[str, ...],
) -> Any:
    value = item.value
    items = value.items if isinstance(value, tree.ListOf) else (value,)
    if key == "rows":
        levels = [d for d in (typer.names.levels.dimension,) if d]
        return _known(items, [*typer.names.components, *levels], faults)
    if key == "table":
        return _columns(items, typer, faults)
    if key == "also":
        return _expressions(items, typer)
    if key == "plots":
        return tuple(print_expression(plot) for plot in items)
    if key == "compare":
        return _compared(value, faults, known_models)
    if key == "save":
        if isinstance(value, tree.String):
            return _inside(value, faults)
        faults.add("text-expected", value.span, key=key)
        return None
    known = nearest(key, ["rows", "table", "also", "plots", "save", "compare"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def _inside(value: tree.String, faults: Faults) -> str | None:
    """A file name that stays in the folder of the run."""
    path = PurePosixPath(value.value)
    if path.is_absolute() or ".." in path.parts or path.suffix not in ("", ".csv"):
        faults.add("save-name", value.span, name=value.value)
        return None
    return value.value


def _known(
    items: tuple[tree.Expr, ...],
    known: list[str],
    faults: Faults,
    listed: list[str] | None = None,
) -> tuple[str, ...]:
    names = []
    for item in items:
        text = item.text if isinstance(item, tree.Path) else print_expression(item)
        if faults.excuses(text):
            continue
        if text not in known:
            faults.add(
                "unknown-name", item.span, name=text, known=nearest(text, known, listed)
            )
            continue
        names.append(text)
    return tuple(names)


def _columns(
    items: tuple[tree.Expr, ...], typer: Typer, faults: Faults
) -> tuple[str, ...]:
    known = {role for roles in typer.names.components.values() for role in roles}
    listed = sorted(known)
    names = [*typer.names.entries]
    families = sorted({name.partition("[")[0] for name in names})
    return _known(items, [*listed, *names, *families], faults, listed or families)


def _compared(
    value: tree.Expr, faults: Faults, known: tuple[str, ...]
) -> tuple[str, ...] | None:
    """`loo(ni, no_overcharge)`: a model and variants of it."""
    called = isinstance(value, tree.Call) and value.function.text == "loo"
    if not isinstance(value, tree.Call) or not called or len(value.arguments) < 2:
        faults.add("compare-usage", value.span, usage=f"loo({', '.join(known[:2])})")
        return None
    return _known(tuple(a.value for a in value.arguments), list(known), faults)


def _expressions(
    items: tuple[tree.Expr, ...], typer: Typer
) -> tuple[tuple[str, ir.Expression], ...]:
    found = []
    for item in items:
        typed = typer.expression(item, Context(level=0))
        if typed is not None:
            found.append((print_expression(item), typed.value))
    return tuple(found)
