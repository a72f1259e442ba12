"""The parts of a file, each after those it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specfit.model import ir


@dataclass(frozen=True)
class Part:
    """A model of a document: its name, and the parts whose answers are its data."""

    name: str
    kind: str
    title: str
    rests_on: tuple[str, ...]


def parts_of(document: ir.Document[Any]) -> tuple[Part, ...]:
    """The parts in the order in which they can be run."""
    models = [
        Part(model.name, model.kind, model.title, _below(model.sources))
        for model in document.models
    ]
    return _ordered(models)


def _below(sources: Sequence[ir.DataSource]) -> tuple[str, ...]:
    return ()


def _ordered(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts in the order of the file, as far as what they rest on allows.

    That no part rests on itself is settled where the file is checked.
    """
    known: Mapping[str, Part] = {part.name: part for part in parts}
    found: dict[str, Part] = {}

    def add(part: Part) -> None:
        for name in part.rests_on:
            if name not in found:
                add(known[name])
        found.setdefault(part.name, part)

    for part in parts:
        add(part)
    return tuple(found.values())
