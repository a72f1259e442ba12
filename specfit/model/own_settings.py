"""Settings of a model and its baseline, which decide what names the model has."""

from __future__ import annotations

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.faults import Faults, nearest
from specfit.model.kinds import ModelKind
from specfit.model.numeric_settings import interval, number
from specfit.model.peak_kinds import MOST_ORDER

CHEBYSHEV, ORDER = "chebyshev", 3
"""The baseline that has an order, and the order where none is said."""


class OwnSettings:
    """Reads the settings of one model; `known` holds those that are said."""

    def __init__(self, kind: ModelKind, faults: Faults) -> None:
        self.kind, self.faults = kind, faults
        self.known: dict[str, str | float] = {}
        self.said: dict[str, Span] = {}
        self.spans: dict[str, Span] = {}  # of the statement that holds

    @property
    def baseline(self) -> str:
        """The word for the baseline."""
        return str(self.known.get("baseline", "constant"))

    @property
    def order(self) -> int:
        """Of a Chebyshev baseline."""
        return int(self.known.get("order", ORDER))

    def read(self, item: tree.AnyStatement) -> None:
        """Settings and the baseline, which decide what names the model has."""
        if isinstance(item, tree.Block) and item.keyword == "baseline":
            self._baseline(item)
        elif isinstance(item, tree.Let) and item.target.text in self.kind.settings:
            self._word(item)
        elif isinstance(item, tree.Let) and item.target.text in self.kind.numbers:
            self._once(item.target.text, item)
            allowed = self.kind.numbers[item.target.text]
            self.known |= number(item, allowed, self.faults)
        elif isinstance(item, tree.Let) and item.target.text in self.kind.ranges:
            self._once(item.target.text, item)
            of = self.kind.ranges[item.target.text]
            self.known |= interval(item, of, self.faults)

    def _word(self, item: tree.Let) -> None:
        key, value = item.target.text, item.value
        word = value.value if isinstance(value, tree.String) else ""
        word = value.text if isinstance(value, tree.Path) else word
        self._once(key, item)
        known = self.kind.settings[key]
        if word not in known:
            near = nearest(word, known)
            self.faults.add("unknown-word", value.span, key=key, word=word, known=near)
            return
        self.known[key] = word

    def _once(self, key: str, item: tree.Let | tree.Block) -> None:
        self.spans[key] = item.span
        first = self.said.setdefault(key, item.span)
        if first != item.span:
            note = (first, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", item.span, name=key, note=note)

    def _baseline(self, item: tree.Block) -> None:
        kind = item.kind.function if isinstance(item.kind, tree.Call) else item.kind
        word = kind.text if kind is not None else ""
        self._once("baseline", item)
        if word not in self.kind.baselines:
            span = item.kind.span if item.kind else item.span
            known = nearest(word, self.kind.baselines)
            self.faults.add("unknown-kind", span, name=word, known=known)
            return
        self.known["baseline"] = word
        if isinstance(item.kind, tree.Call):
            self._order(item.kind, word)

    def _order(self, call: tree.Call, word: str) -> None:
        """`chebyshev(order = 3)`."""
        given = call.arguments
        value = given[0].value if len(given) == 1 else None
        number = value.value if isinstance(value, tree.Number) else -1.0
        named = bool(given) and given[0].name in (None, "order")
        if word != CHEBYSHEV or not named or number not in range(MOST_ORDER + 1):
            usage = f"{CHEBYSHEV}(order = {ORDER})"
            self.faults.add("baseline-order", call.span, usage=usage)
            return
        self.known["order"] = number
