"""Files that a component is read from: `file = "feff0001.dat"` inside a `path`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from specfit.language import tree
from specfit.model.faults import Faults


def is_file(item: tree.AnyStatement, keys: tuple[str, ...]) -> TypeGuard[tree.Let]:
    """Does a statement name one of these files?"""
    return isinstance(item, tree.Let) and item.target.text in keys


def files_of(
    keys: tuple[str, ...],
    block: tree.Block,
    items: Iterable[tree.AnyStatement],
    faults: Faults,
) -> dict[str, tree.Let]:
    """The statements that name the files of a component; each is needed, as a text."""
    name, found = block.name or "", dict[str, tree.Let]()
    for item in (i for i in items if is_file(i, keys)):
        key = item.target.text
        if isinstance(item.value, tree.String):
            found[key] = item
        else:
            faults.add("text-expected", item.value.span, key=key)
            faults.lose(f"{name}.{key}")
    for key in keys:
        if key not in found and not faults.excuses(f"{name}.{key}"):
            faults.add("path-file", block.name_span, key=key, name=name)
    return found
