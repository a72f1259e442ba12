"""The same site at two temperatures: what its parameters do in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from specfit.contracts import FloatArray
from specfit.model.ir import Model, Prior
from specfit.model.lookup import MAGNETIC, locate, sides, transitions_of
from specfit.rules.draws import IronSite, iron_sites

Draws = Callable[[IronSite], FloatArray | None]


@dataclass(frozen=True)
class Step:
    """A site at a temperature and at the next higher one of its series, K."""

    cold: IronSite
    warm: IronSite
    low: float
    high: float

    @property
    def where(self) -> str:
        """The step in words."""
        return f"`{self.cold.site.name}` between {self.low:g} and {self.high:g} K"

    def change(self, draws: Draws) -> FloatArray | None:
        """Draws of the value when cold minus that when warm; None without a symbol."""
        cold, warm = draws(self.cold), draws(self.warm)
        return None if cold is None or warm is None else cold - warm


def steps(model: Model[Prior], symbol: str) -> Iterator[Step]:
    """Neighbouring temperatures of every site with its own value of `symbol` at each."""
    series: dict[str, list[tuple[float, IronSite]]] = {}
    for item in iron_sites(model):
        if item.temperature is not None and symbol in item.site.parameters:
            series.setdefault(item.site.name, []).append((item.temperature, item))
    for entries in series.values():
        entries.sort(key=lambda entry: entry[0])
        for (low, cold), (high, warm) in pairwise(entries):
            own = cold.site.parameters[symbol] != warm.site.parameters[symbol]
            if own and low < high:
                yield Step(cold, warm, low, high)


def crosses(step: Step) -> bool:
    """Does the ion change between them, by spin, charge order or a flop of its moment?"""
    if step.cold.site.record is None:
        return False
    entry, site = locate(step.cold.site.record)
    known = transitions_of(entry, entry.sites[site]) if site else entry.transitions
    return any(
        t.kind not in MAGNETIC and not sides(t, step.low) & sides(t, step.high)
        for t in known
    )
