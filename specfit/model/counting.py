"""`site X[n = 1..4] : doublet { … }`: an open number of like components.

Each number is a model of its own, with the components X1, X2, …; which of them the data
want is for the evidence to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specfit.language import tree
from specfit.model.constants import constant
from specfit.model.expand import loop_values
from specfit.model.faults import Faults

MOST = 16


def spelt_out(
    block: tree.Block, keyword: str, constants: Mapping[str, Any], faults: Faults
) -> dict[str, tree.Block]:
    """The model block for each number, by `n=2`; empty where no number is open."""
    items = block.body.items if block.body else ()
    opened = [
        item
        for item in items
        if isinstance(item, tree.Block) and item.keyword == keyword and item.binders
    ]
    if not opened:
        return {}
    for other in opened[1:]:
        faults.add("count-once", other.name_span, name=other.name or "")
    first = opened[0]
    numbers = _numbers(first, constants)
    if numbers is None:
        faults.add(
            "count-values", first.name_span, name=first.name or "", most=str(MOST)
        )
        numbers = [1]
    body = block.body or tree.Body()
    return {
        f"{first.binders[0].name}={number}": replace(
            block, body=replace(body, items=_copied(items, first, number))
        )
        for number in numbers
    }


def _numbers(item: tree.Block, constants: Mapping[str, Any]) -> list[int] | None:
    """The numbers of components that are tried, rising; None where they are none."""
    if len(item.binders) != 1:
        return None
    values = loop_values(item.binders[0].values, constants)
    found = [constant(value, constants) for value in values or ()]
    whole = sorted({int(n) for n in found if isinstance(n, float) and n == int(n)})
    usable = len(whole) == len(found) > 0 and whole[0] >= 0 and whole[-1] <= MOST
    return whole if usable else None


def _copied(
    items: tuple[tree.AnyStatement, ...], item: tree.Block, number: int
) -> tuple[tree.AnyStatement, ...]:
    """The statements with `item` as so many components, its name numbered from 1."""
    title = item.title or item.name or ""
    copies = tuple(
        replace(item, name=f"{item.name}{i}", title=f"{title} {i}", binders=())
        for i in range(1, number + 1)
    )
    place = next(i for i, other in enumerate(items) if other is item)
    rest = tuple(
        other
        for other in items[place + 1 :]
        if not (isinstance(other, tree.Block) and other.binders)
    )
    return (*items[:place], *copies, *rest)
