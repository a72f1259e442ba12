"""The parts of a file, each after those it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specfit.model import ir
from specfit.model.chained import rests_on


@dataclass(frozen=True)
class Part:
    """A model or an analysis: its name, and the parts whose answers are its data."""

    name: str
    kind: str
    title: str
    rests_on: tuple[str, ...]
    analysis: bool = False


def parts_of(document: ir.Document[Any]) -> tuple[Part, ...]:
    """The parts in the order in which they can be run."""
    models = [
        Part(model.name, model.kind, model.title, _below(model.sources))
        for model in document.models
    ]
    analyses = [
        Part(one.name, one.kind, one.title, _below([one.source]), analysis=True)
        for one in document.analyses
    ]
    return _ordered([*models, *analyses])


def _below(sources: Sequence[ir.DataSource]) -> tuple[str, ...]:
    every = [name for source in sources for name in rests_on(source)]
    return tuple(dict.fromkeys(every))


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
