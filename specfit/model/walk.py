"""All paths in a piece of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from specfit.language import tree


def paths(node: Any) -> Iterator[tree.Path]:
    """Every path that is looked up as a name, function names left out."""
    if isinstance(node, tree.Path):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from paths(item)
    elif isinstance(node, tree.Call):
        yield from paths(node.arguments)
    elif is_dataclass(node) and not isinstance(node, type):
        for spec in fields(node):
            yield from paths(getattr(node, spec.name))
