"""What a further kind of record of the database is to the rest of the house.

Sites of Mössbauer spectra have records of their own (`records`); whatever else the
database knows stands on a shelf: a few symbols, such as `a` and `c` of a lattice, that
`db("NMC111.x1.0.a")` cites.  The symbol says which shelf is meant, so that no two
shelves share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from specfit.model.ir import Citation, Prior


@dataclass(frozen=True)
class Shelf:
    """Records of one kind: how they are found, told, and turned into a prior.

    symbols: name → its dimension, by name.  given: plain numbers that a citation may
    state, as `x = 0.5`; `key` puts them into the name of the record.
    temperature: K, of the record called so; raises `RecordError` where there is none.
    lines_of: what stands behind a prior; rows: the records that have every word of a
    text, under a header; shown: lines of one record, None where it is not here.
    causes: what usually stands behind a conflict, by symbol.
    """

    name: str
    title: str
    symbols: Mapping[str, str]
    given: tuple[str, ...]
    key: Callable[[str, Mapping[str, float]], str]
    temperature: Callable[[str, str], float]
    resolve: Callable[[Citation], Prior]
    lines_of: Callable[[Prior], list[str]]
    rows: Callable[[str], list[tuple[str, ...]]]
    shown: Callable[[str], list[str] | None]
    causes: str
