"""`run ENGINE { … }` and `report NAME { … }`: how to look and what to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model import ir
from specfit.model.constants import Quantity, constant
from specfit.model.faults import Faults, nearest
from specfit.model.places import place
from specfit.model.quantities import Context
from specfit.model.scores import without_scores
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
    block: tree.Block, faults: Faults, sources: Mapping[str, str]
) -> ir.RunSettings:
    """The settings of a `run` block; unknown engines and keys are faults."""
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
            values[key] = _setting(key, item, faults)
    values.pop("precision", None)
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


def _setting(key: str, item: tree.Let, faults: Faults) -> float | int | str | None:
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
    known = nearest(key, [*_NUMBERS, "target_accept", "precision"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def report_settings(
    block: tree.Block, faults: Faults, typer: Typer | None, scores: Sequence[str] = ()
) -> ir.ReportSettings:
    """The settings of a `report` block, its names checked against the model.

    typer: of the model, None where the file has analyses only; scores: `redox.score`.
    """
    values: dict[str, Any] = {}
    seen: dict[str, Span] = {}
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add("not-in-report", item.span)
            continue
        key = item.target.text
        if not _first(key, item, seen, faults):
            continue
        if key in ("table", "also"):
            item, found = without_scores(item, scores)
            values["scores"] = (*values.get("scores", ()), *found)
        values[key] = _shown(key, item, faults, typer)
    known = {key: value for key, value in values.items() if value is not None}
    return ir.ReportSettings(name=block.name or "report", **known)


def _shown(key: str, item: tree.Let, faults: Faults, typer: Typer | None) -> Any:
    value = item.value
    items = value.items if isinstance(value, tree.ListOf) else (value,)
    if typer is None and key in ("rows", "table", "also"):
        return _known(items, [], faults) and ()
    if typer is None:
        return _plain(key, item, items, faults)
    if key == "rows":
        return _known(items, list(typer.names.components), faults)
    if key == "table":
        return _columns(items, typer, faults)
    if key == "also":
        return _expressions(items, typer)
    return _plain(key, item, items, faults)


def _plain(
    key: str, item: tree.Let, items: tuple[tree.Expr, ...], faults: Faults
) -> Any:
    """What needs no model to be understood."""
    value = item.value
    if key == "plots":
        return tuple(print_expression(plot) for plot in items)
    if key == "save":
        if isinstance(value, tree.String):
            return value.value
        faults.add("text-expected", value.span, key=key)
        return None
    known = nearest(key, ["rows", "table", "also", "plots", "save"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


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
    return _known(items, [*listed, *typer.names.entries], faults, listed)


def _expressions(
    items: tuple[tree.Expr, ...], typer: Typer
) -> tuple[tuple[str, ir.Expression], ...]:
    found = []
    for item in items:
        typed = typer.expression(item, Context(level=0))
        if typed is not None:
            found.append((print_expression(item), typed.value))
    return tuple(found)
