"""`observe cube.counts ~ poisson(pre + sum(C[*, k] * S[*, k] over k))`: which is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from specfit.language import tree
from specfit.model.constants import Quantity, constant
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, nearest
from specfit.model.map_words import usage


class Names(NamedTuple):
    """What the user calls maps, spectra, the number of a component and the background."""

    maps: str = "C"
    spectra: str = "S"
    number: str = "k"
    background: str = ""


def of_pixels(target: tree.Path, data: str) -> bool:
    """Is something said of every pixel: `C[cube.pixel, k]`?"""
    index = target.parts[-1].index or ()
    first = index[0] if index else None
    return isinstance(first, tree.Path) and first.text == f"{data}.pixel"


class Observed:
    """Reads the one `observe` of a factorisation."""

    def __init__(
        self, data: DataBlock, index: str, constants: Mapping[str, Any], faults: Faults
    ) -> None:
        self.data, self.index = data, index
        self.constants, self.faults = constants, faults

    def read(
        self, items: Sequence[tree.AnyStatement]
    ) -> tuple[Names, dict[str, Any]] | None:
        """The names, and the law of the noise; None where either is at fault."""
        found = [item for item in items if isinstance(item, tree.Observe)]
        for item in found[1:]:
            self.faults.add("observe-twice", item.span)
        if not found:
            return None
        item, reading = found[0], f"{self.data.name}.{self.data.reading}"
        call = item.prior.centre
        if item.target.text != reading:
            near = nearest(item.target.text, [reading])
            words = {"name": item.target.text, "known": near}
            self.faults.say("unknown-name", item.target.span, words)
            return None
        if not isinstance(call, tree.Call):
            usage(self.faults, "observe", item.span)
            return None
        names, noise = self._mean(call, items), self._noise(call)
        if names is None or noise is None:
            usage(self.faults, "observe", item.span)
            return None
        return names, noise

    def _noise(self, call: tree.Call) -> dict[str, Any] | None:
        """The likelihood: of counts, or of numbers with a known spread."""
        law = call.function.text
        if law == "poisson" and len(call.arguments) == 1:
            if self.data.reading != "counts":
                self.faults.add("map-counts", call.function.span, name=self.data.name)
            return {}
        sd = call.arguments[1].value if len(call.arguments) == 2 else None
        number = constant(sd, self.constants)
        wanted = self.data.columns[self.data.reading]
        known = isinstance(number, Quantity) and number.dimension == wanted
        if law not in ("normal", "gaussian") or not known or number <= 0:
            return None
        return {"likelihood": "normal", "sd": float(number)}

    def _mean(
        self, call: tree.Call, items: Sequence[tree.AnyStatement]
    ) -> Names | None:
        """What is expected: the background and the sum, in either order."""
        node: tree.Expr | None = call.arguments[0].value if call.arguments else None
        background = ""
        if isinstance(node, tree.Binary) and node.operator == "+":
            ends = (node.left, node.right)
            alone = [one.text for one in ends if isinstance(one, tree.Path)]
            node = next((one for one in ends if isinstance(one, tree.Call)), None)
            if len(alone) != 1:
                return None
            background = alone[0]
        sides = self._factors(node)
        if sides is None:
            return None
        targets = [i.targets[0] for i in items if isinstance(i, tree.Sample)]
        maps = {t.text for t in targets if of_pixels(t, self.data.name)}
        first, second = sides if sides[1] not in maps else sides[::-1]
        return Names(first, second, self.index, background)

    def _factors(self, node: tree.Expr | None) -> tuple[str, str] | None:
        """The two names of `sum(C[*, k] * S[*, k] over k)`."""
        if not isinstance(node, tree.Call) or node.function.text != "sum":
            return None
        inside = node.arguments[0] if len(node.arguments) == 1 else None
        if inside is None or inside.over != (self.index,):
            return None
        product = inside.value
        if not isinstance(product, tree.Binary) or product.operator != "*":
            return None
        left, right = product.left, product.right
        if not (isinstance(left, tree.Path) and isinstance(right, tree.Path)):
            return None
        return (left.text, right.text) if left.text != right.text else None
