"""`run ENGINE { … }` and `report NAME { … }`: how to look and what to show."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
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
from specfit.model.scores import without_scores
from specfit.model.typed import Typer

ENGINES = ("auto", "nuts", "smc", "slice", "metropolis", "map", "likelihood", "laplace")
_OWN = {"metropolis": {"warmup": 900_000, "draws": 100_000}}
"""Lengths of an engine that needs others than the usual ones."""
_NUMBERS = {
    "chains": (1, 1024),
    "warmup": (20, 1_000_000),
    "draws": (10, 10_000_000),
    "seed": (0, 2**63 - 1),
}
_PART = re.compile(r"\w[\w.-]{0,79}")
"""A part of a path that stays where it is written: no `..`, no root, no drive."""


def run_settings(
    block: tree.Block,
    faults: Faults,
    sources: Mapping[str, str],
    dimensions: Collection[str] = (),
) -> ir.RunSettings:
    """The settings of a `run` block; unknown engines and keys are faults.

    dimensions: of the data, whose levels `batch` may have fitted one by one.
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
        if not _first(key, item, seen, faults):
            continue
        if key == "batch":
            values[key] = _dimension(item, dimensions, faults)
        else:
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


def _dimension(
    item: tree.Let, dimensions: Collection[str], faults: Faults
) -> str | None:
    """`batch = stage`: a dimension of the data."""
    word = item.value.text if isinstance(item.value, tree.Path) else ""
    if word in dimensions:
        return word
    known = nearest(word, dimensions)
    faults.add("unknown-dimension", item.value.span, name=word, known=known)
    return None


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
    known = nearest(key, [*_NUMBERS, "target_accept", "precision", "batch"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def report_settings(
    block: tree.Block,
    faults: Faults,
    typers: Mapping[str, Typer],
    scores: Sequence[str] = (),
    variants: Sequence[str] = (),
) -> ir.ReportSettings:
    """The settings of a `report` block, its names checked against a model.

    typers: of the models by name, none where the file has analyses only; the block says
    `of` which it is, else it is the first.  scores: `redox.score`.
    """
    items = block.body.items if block.body else ()
    of = _of(items, typers, faults)
    typer = typers.get(of or next(iter(typers), ""))
    known = (*typers, *variants)
    values: dict[str, Any] = {"of": of}
    seen: dict[str, Span] = {}
    for item in items:
        if not isinstance(item, tree.Let):
            faults.add("not-in-report", item.span)
            continue
        key = item.target.text
        if not _first(key, item, seen, faults):
            continue
        if key in ("table", "also"):
            item, found = without_scores(item, scores)
            values["scores"] = (*values.get("scores", ()), *found)
        shown = _shown(key, item, faults, typer, known)
        values |= {} if shown is None else {key: shown}
    if isinstance(values.get("rows"), str):
        values["levels"] = values.pop("rows")
    return ir.ReportSettings(name=block.name or "report", **values)


def _of(
    items: Sequence[tree.AnyStatement], typers: Mapping[str, Typer], faults: Faults
) -> str:
    """The model that a `report` block is of; empty where it does not say."""
    for item in items:
        if isinstance(item, tree.Let) and item.target.text == "of":
            known = _known((item.value,), list(typers), faults)
            return known[0] if known else ""
    return ""


def _shown(
    key: str,
    item: tree.Let,
    faults: Faults,
    typer: Typer | None,
    models: tuple[str, ...],
) -> Any:
    value = item.value
    items = value.items if isinstance(value, tree.ListOf) else (value,)
    if key == "of":
        return None  # read before the others
    if typer is None and key in ("rows", "table", "also"):
        return _known(items, [], faults) and ()
    if typer is None:
        return _plain(key, item, items, faults, models)
    if key == "rows":
        return _rows(items, typer, faults)
    if key == "table":
        return _columns(items, typer, faults)
    if key == "also":
        return _expressions(items, typer)
    return _plain(key, item, items, faults, models)


def _plain(
    key: str,
    item: tree.Let,
    items: tuple[tree.Expr, ...],
    faults: Faults,
    models: tuple[str, ...],
) -> Any:
    """What needs no model to be understood."""
    value = item.value
    if key == "plots":
        return tuple(print_expression(plot) for plot in items)
    if key == "compare":
        return _compared(value, faults, models)
    if key == "save":
        return _file(value, faults)
    known = nearest(key, ["of", "rows", "table", "also", "plots", "save", "compare"])
    faults.add("unknown-key", item.target.span, key=key, known=known)
    return None


def _rows(
    items: tuple[tree.Expr, ...], typer: Typer, faults: Faults
) -> tuple[str, ...] | str:
    """The components that are rows, or the dimension whose levels are: `rows = stage`."""
    known, dimension = [*typer.names.components], typer.names.levels.dimension
    words = [item.text for item in items if isinstance(item, tree.Path)]
    if dimension and words == [dimension] and dimension not in known:
        return dimension
    if len(words) == 1 and dimension:
        known.append(dimension)  # to be offered for a word that is neither
    return _known(items, known, faults)


def _file(value: tree.Expr, faults: Faults) -> str | None:
    """The name of a CSV file; it may be in a folder, which stays inside the run's."""
    if not isinstance(value, tree.String):
        faults.add("text-expected", value.span, key="save")
        return None
    path = PurePosixPath(value.value)
    if not path.parts or not all(_PART.fullmatch(part) for part in path.parts):
        faults.add("save-outside", value.span, path=value.value)
        return None
    return str(path if path.suffix == ".csv" else path.with_name(f"{path.name}.csv"))


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
