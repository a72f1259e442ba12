"""`K = 6` and `k = 1..K` of a factorisation: constants, and the range of the components."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import constant
from specfit.model.faults import Faults
from specfit.model.map_words import MOST, USAGE, plain_number

_OFFSETS = ("shift", "drift")


class NumberReader:
    """Reads what is said with `=`; faults are reported."""

    def __init__(
        self,
        items: Sequence[tree.AnyStatement],
        constants: Mapping[str, Any],
        first: Callable[[tree.Let], bool],
        faults: Faults,
    ) -> None:
        self.items, self.faults = items, faults
        self.lets = [i for i in items if isinstance(i, tree.Let) and first(i)]
        self.constants = dict(constants)
        self.components: int | None = None
        self.written = dict.fromkeys(_written(items))

    def read(self) -> str | None:
        """What components are numbered by; None where nothing says it."""
        ranges = [one for one in self.lets if isinstance(one.value, tree.Range)]
        single = None
        for item in self.lets:
            if isinstance(item.value, tree.Range):
                continue
            name = item.target.text
            if not ranges and name in (self.written or {"k": None}):
                single = item
            elif name in _OFFSETS:
                self._offset(item)
            else:
                self._constant(item)
        for item in ranges[1:]:
            self.faults.add("not-in-map-model", item.span)
        if ranges:
            return self._range(ranges[0])
        if single is None:
            return None
        count = plain_number(constant(single.value, self.constants))
        words = {"name": single.target.text, "count": f"{count or 3:g}"}
        self.faults.say("map-range-number", single.span, words)
        return words["name"]

    def _constant(self, item: tree.Let) -> None:
        found = constant(item.value, self.constants)
        if found is None:
            self.faults.add("not-in-map-model", item.span)
        self.constants[item.target.text] = found

    def _offset(self, item: tree.Let) -> None:
        """`shift = 0.2 eV`: it is found, with an error; its spread is what is said."""
        name, value = item.target.text, print_expression(item.value)
        words = {"name": name, "usage": USAGE[name], "value": value}
        self.faults.say("map-offset-fixed", item.span, words)

    def _range(self, item: tree.Let) -> str:
        value, name = item.value, item.target.text
        assert isinstance(value, tree.Range)
        used = self._called(name)
        if used != name:
            words = {"name": name, "used": used, "range": print_expression(value)}
            self.faults.say("map-range-name", item.span, words)
        ends = [constant(end, self.constants) for end in (value.low, value.high)]
        low, high = (plain_number(end) for end in ends)
        words = {"name": name, "most": str(MOST)}
        if low == 1 and high is not None and high == int(high) and 1 <= high <= MOST:
            self.components = int(high)
        elif low is not None and low != 1 and high is not None and high >= low:
            words |= {"low": f"{low:g}", "count": f"{high:g}"}
            self.faults.say("map-range-first", value.span, words)
        else:
            self.faults.say("map-range", value.span, words)
        return used

    def _called(self, name: str) -> str:
        """What statements number components by, if that is one other name."""
        if name in self.written or len(self.written) != 1:
            return name
        return next(iter(self.written))


def _written(items: Sequence[tree.AnyStatement]) -> Iterator[str]:
    """What stands as the number of a component: `C[…, k]`, `S[*, k]`, `λ[k]`, `over k`."""
    for item in items:
        if isinstance(item, tree.Sample):
            index = item.targets[0].parts[-1].index or ()
            if index and isinstance(index[-1], tree.Path) and len(index[-1].parts) == 1:
                yield index[-1].text
        if isinstance(item, tree.Observe):
            yield from _over(item.prior.centre)


def _over(node: object) -> Iterator[str]:
    """Names that sums in this expression run over."""
    if isinstance(node, tree.Binary):
        yield from (*_over(node.left), *_over(node.right))
    for argument in node.arguments if isinstance(node, tree.Call) else ():
        yield from argument.over
        yield from _over(argument.value)
