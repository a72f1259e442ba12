"""All paths in a piece of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from specfit.diagnostics import Span
from specfit.language import tree


def paths(node: Any) -> Iterator[tree.Path]:
    """Every path that is looked up as a name, function names left out."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tree.Path):
            yield item
        elif isinstance(item, tuple):
            waiting += reversed(item)
        elif isinstance(item, tree.Call):
            waiting.append(item.arguments)
        else:
            names = reversed(_inner(type(item)))
            waiting += [getattr(item, name) for name in names]


_FIELDS: dict[type, tuple[str, ...]] = {}


def _inner(kind: type) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes; looked up once for each."""
    if kind not in _FIELDS:
        node = is_dataclass(kind) and kind is not Span
        names = [f.name for f in fields(kind)] if node else []
        _FIELDS[kind] = tuple(n for n in names if not n.endswith("span"))
    return _FIELDS[kind]


def targets_of(item: tree.AnyStatement) -> tuple[str, ...]:
    """The names that a statement says something of."""
    if isinstance(item, tree.Let):
        return (item.target.text,)
    if isinstance(item, tree.Sample):
        return tuple(target.text for target in item.targets)
    return ()
