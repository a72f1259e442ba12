"""What an identification is asked for: one spectrum, its temperature, which phases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from specfit.identify.formulas import ELEMENTS
from specfit.identify.patterns import PhasePattern, patterns
from specfit.model import records


class NotAnElement(Exception):
    """A symbol that is none of an element."""


def listed(text: str) -> tuple[str, ...]:
    """The words of "a, b c"."""
    return tuple(word for word in re.split(r"[,;\s]+", text) if word)


def elements_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The symbols of "Fe, O, Na!", and those marked as surely in a phase with iron.

    Raises `NotAnElement`.
    """
    words = listed(text)
    symbols = [word.rstrip("!") for word in words]
    for symbol in sorted(set(symbols) - ELEMENTS):
        raise NotAnElement(symbol)
    marked = (word.rstrip("!") for word in words if word.endswith("!"))
    return frozenset(symbols), frozenset(marked)


def candidates(
    temperature: float, names: Sequence[str], elements: Iterable[str]
) -> tuple[PhasePattern, ...]:
    """The phases to consider at a temperature (K).

    names: only these; all where it is empty.  elements: only phases whose formula holds
    no other; phases without a formula that can be read are then left out.  Raises
    `RecordError` for an unknown phase.
    """
    allowed = frozenset(elements)
    entries = [records.aliases().get(name, name).partition(".")[0] for name in names]
    found, _ = patterns(temperature, tuple(dict.fromkeys(entries)))
    if not allowed:
        return found
    return tuple(p for p in found if p.elements and p.elements <= allowed | {"Fe"})
