"""`run map { … }` and `report maps { … }` of a file with a factorisation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import constant
from specfit.model.factorising import MapReport, MapRun
from specfit.model.faults import Faults, nearest
from specfit.model.map_words import Names, plain_number
from specfit.model.places import place

_NUMBERS = {"restarts": (1, 1000), "steps": (10, 1_000_000), "seed": (0, 2**63 - 1)}
_WORDS = {
    "optimizer": ("multiplicative", "ard_so", "scikit_learn"),
    "then": ("laplace", "none"),
}
ENGINES = ("map", "auto")
"""What `run` may be called: there is one way to find a factorisation."""
PLOTS = (
    *("map", "uncertainty", "spectra", "relevance"),
    *("residual_image", "residual_spectrum", "overlay", "windows", "drift"),
)
_FOLDER = re.compile(r"\w[\w.-]{0,79}(/\w[\w.-]{0,79})*")


def map_run(block: tree.Block, faults: Faults, texts: Mapping[str, str]) -> MapRun:
    """How to look for the factorisation."""
    values: dict[str, Any] = {}
    if block.name not in (None, *ENGINES):
        words = {"name": block.name or ""}
        faults.say("map-run-engine", block.name_span, words)
    for key, item in _settings(block, "not-in-map-run", faults):
        if key in _NUMBERS:
            low, high = _NUMBERS[key]
            number = plain_number(constant(item.value, {}))
            if number is not None and number == int(number) and low <= number <= high:
                values[key] = int(number)
                continue
            words = {"key": key, "low": str(low), "high": str(high)}
            faults.say("whole-number", item.value.span, words)
        elif key in _WORDS:
            values |= _word(key, item.value, faults)
        else:
            known = nearest(key, [*_NUMBERS, *_WORDS])
            faults.add("unknown-key", item.target.span, key=key, known=known)
    return MapRun(**values, place=place(block.span, texts))


def _word(key: str, value: tree.Expr, faults: Faults) -> dict[str, str]:
    word = constant(value, {}) or print_expression(value)
    if word in _WORDS[key]:
        return {key: str(word)}
    known = nearest(str(word), _WORDS[key])
    faults.add("unknown-word", value.span, key=key, word=str(word), known=known)
    return {}


def map_report(
    block: tree.Block,
    names: Names,
    relevance: str,
    faults: Faults,
    absent: tuple[str, ...] = (),
) -> MapReport:
    """What to show, and where arrays are saved below the run folder.

    absent: figures of what the model does not have.
    """
    values: dict[str, Any] = {}
    of = {
        "map": names.maps, "uncertainty": names.maps, "overlay": names.maps,
        "spectra": names.spectra, "relevance": relevance,
    }  # fmt: skip
    for key, item in _settings(block, "not-in-report", faults):
        if key == "plots":
            listed = item.value.items if isinstance(item.value, tree.ListOf) else ()
            found = [_plot(one, of, faults) for one in listed or (item.value,)]
            for one, word in zip(listed or (item.value,), found, strict=True):
                if word in absent:
                    faults.add("map-plot-absent", one.span, name=word)
            values["plots"] = tuple(one for one in found if one)
        elif key == "save":
            text = item.value.value if isinstance(item.value, tree.String) else ""
            if _FOLDER.fullmatch(text):
                values["save"] = text
            else:
                faults.add("save-outside", item.value.span, path=text)
        else:
            known = nearest(key, ["plots", "save"])
            faults.add("unknown-key", item.target.span, key=key, known=known)
    return MapReport(**values)


def _plot(node: tree.Expr, of: Mapping[str, str], faults: Faults) -> str:
    """A figure by its word; what it is said to be of must be what it is of."""
    word = node.function.text if isinstance(node, tree.Call) else print_expression(node)
    given = [a.value for a in node.arguments] if isinstance(node, tree.Call) else []
    names = [one.text for one in given if isinstance(one, tree.Path)]
    if word not in PLOTS:
        faults.add("map-plot", node.span, name=word, known=nearest(word, PLOTS))
        return ""
    if names and names != [of.get(word)]:
        known = nearest(names[0], [of[word]] if of.get(word) else [])
        faults.add("unknown-name", given[0].span, name=names[0], known=known)
        return ""
    return word


def _settings(
    block: tree.Block, code: str, faults: Faults
) -> list[tuple[str, tree.Let]]:
    """The `key = value` of a block, each once."""
    seen: dict[str, Span] = {}
    found = []
    for item in block.body.items if block.body else ():
        if not isinstance(item, tree.Let):
            faults.add(code, item.span)
            continue
        key = item.target.text
        first = seen.setdefault(key, item.span)
        if first is not item.span:
            note = (first, "first-here", dict[str, str]())
            faults.add("duplicate-statement", item.span, name=key, note=note)
            continue
        found.append((key, item))
    return found
