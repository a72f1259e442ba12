"""The shelves of the database: records that are not those of Mössbauer sites."""

from __future__ import annotations

from specfit.model import lattice_text
from specfit.model.shelf import Shelf

__all__ = ["SHELVES", "shelf_of"]


def _table(*shelves: Shelf) -> dict[str, Shelf]:
    by_symbol = {symbol: shelf for shelf in shelves for symbol in shelf.symbols}
    if len(by_symbol) < sum(len(shelf.symbols) for shelf in shelves):
        raise ValueError("two shelves have a symbol in common")
    return by_symbol


SHELVES = (lattice_text.SHELF,)
_BY_SYMBOL = _table(*SHELVES)


def shelf_of(symbol: str) -> Shelf | None:
    """The shelf that knows a symbol, None where that is of a Mössbauer site."""
    return _BY_SYMBOL.get(symbol)
