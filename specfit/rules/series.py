"""The same site at two temperatures: what its parameters do in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.lookup import MAGNETIC, locate, sides, transitions_of
from specfit.model.rule_library import source_of
from specfit.rules.block import Block, Outcomes, worst
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws
from specfit.rules.strength import many, one, strength

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


@dataclass(frozen=True)
class Law:
    """What a symbol must do from each temperature of a series to the next, as a rule.

    `breach(model, step, change)`: the share of the draws (…, n) of the cold value minus
    the warm one that break it; `says` the same for one posterior, in words.
    """

    name: str
    symbol: str
    holds: str
    detail: str
    breach: Callable[[Model[Prior], Step, FloatArray], FloatArray]
    says: Callable[[Model[Prior], Step, float], str]
    concerns: Callable[[Step], bool] = lambda step: True

    def rule(self) -> PhysicsRule:
        """As the registry lists it."""
        return PhysicsRule(self.name, source_of(self.name), self._judge, self._outcomes)

    def _changes(
        self, model: Model[Prior], draws: Draws
    ) -> Iterator[tuple[Step, FloatArray]]:
        for step in steps(model, self.symbol):
            change = step.change(draws) if self.concerns(step) else None
            if change is not None:
                yield step, change

    def _judge(
        self, model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
    ) -> Sequence[Finding]:
        """Flag sites that break it; passed where there are any steps and none does."""
        changes = list(
            self._changes(
                model, lambda item: symbol_draws(fit, model, item, self.symbol)
            )
        )
        found = [f for change in changes for f in self._flagged(model, *change)]
        if found or not changes:
            return found
        return [passed(self.name, self.holds, source_of(self.name))]

    def _outcomes(self, block: Block) -> Outcomes:
        """Of many spectra at once."""
        model = block.model
        changes = self._changes(model, lambda item: block.symbol(item, self.symbol))
        breaches = [self.breach(model, *change) for change in changes]
        return worst(block, [many(b, strength(model, self.name)) for b in breaches])

    def _flagged(
        self, model: Model[Prior], step: Step, change: FloatArray
    ) -> list[Finding]:
        breach = float(self.breach(model, step, change))
        outcome = one(breach, strength(model, self.name))
        if outcome == "passed":
            return []
        mean = float(change.mean())
        text, source = self.says(model, step, mean), source_of(self.name)
        return [
            Finding(
                self.name,
                "physics",
                outcome,
                text,
                probability=1.0 - breach,
                value=mean,
                detail=self.detail,
                source=source,
            )
        ]
