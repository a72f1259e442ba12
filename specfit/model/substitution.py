"""Names replaced in a tree: loop variables, and the arguments of templates.

Templates are hygienic: arguments are marked (`^`) to be looked up where they were
written, not inside the component that the template makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from specfit.language import tree

OUTER = "^"

Replacements = Mapping[str, tree.Expr]
T = TypeVar("T")


def substitute(node: T, names: Replacements) -> T:
    """`node` with every name in `names` replaced, block names and targets included."""
    result: Any = _substitute(node, names)
    return result  # type: ignore[no-any-return]


def _substitute(node: Any, names: Replacements) -> Any:
    if isinstance(node, tree.Path):
        return _path(node, names)
    if isinstance(node, tuple):
        return tuple(_substitute(item, names) for item in node)
    if isinstance(node, tree.Block) and node.name is not None:
        value = names.get(node.name)
        if isinstance(value, tree.Path):
            node = replace(node, name=value.text)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {}
    for spec in fields(node):
        value = getattr(node, spec.name)
        if isinstance(value, tuple) or is_dataclass(value):
            defines = spec.name in ("target", "targets")
            new = _substitute(value, _paths_only(names) if defines else names)
            if new is not value:
                changed[spec.name] = new
    return replace(node, **changed) if changed else node


def _paths_only(names: Replacements) -> Replacements:
    """What is defined is a name: a number in its place would mean nothing."""
    return {n: value for n, value in names.items() if isinstance(value, tree.Path)}


def _path(node: tree.Path, names: Replacements) -> tree.Expr:
    head, *rest = node.parts
    parts = tuple(_substitute(part, names) for part in node.parts)
    value = names.get(head.name)
    if value is None or head.index is not None:
        return replace(node, parts=parts)
    if isinstance(value, tree.Path):
        return replace(node, parts=(*value.parts, *parts[1:]))
    return node if rest else value


def outer(node: T) -> T:
    """`node` with every path marked to be looked up outside the site it is put into."""
    result: Any = _outer(node)
    return result  # type: ignore[no-any-return]


def _outer(node: Any) -> Any:
    if isinstance(node, tree.Path):
        head = node.parts[0]
        if not head.name.startswith(OUTER):
            head = replace(head, name=OUTER + head.name)
        return replace(node, parts=(head, *node.parts[1:]))
    if isinstance(node, tuple):
        return tuple(_outer(item) for item in node)
    if isinstance(node, tree.Call):
        return replace(node, arguments=_outer(node.arguments))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {
        spec.name: _outer(getattr(node, spec.name))
        for spec in fields(node)
        if isinstance(getattr(node, spec.name), tuple)
        or is_dataclass(getattr(node, spec.name))
    }
    return replace(node, **changed) if changed else node
