"""`observe cube.counts ~ poisson(pre + sum(C[*, k] * S[*, k] over k))`: which is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specfit import units
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import Quantity, constant
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, nearest
from specfit.model.map_words import Names, usage

_LAWS = ("normal", "poisson")


def of_pixels(target: tree.Path, data: str) -> bool:
    """Is something said of every pixel: `C[cube.pixel, k]`?"""
    index = target.parts[-1].index or ()
    first = index[0] if index else None
    return isinstance(first, tree.Path) and first.text == f"{data}.pixel"


class Observed:
    """Reads the one `observe` of a factorisation; `names` as far as they are known."""

    def __init__(
        self,
        data: DataBlock,
        names: Names,
        constants: Mapping[str, Any],
        faults: Faults,
    ) -> None:
        self.data, self.names = data, names
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
        likely = self.likely(items)
        if not isinstance(call, tree.Call):
            usage(self.faults, "observe", item.span, likely)
            return None
        if not self._law(call):
            return None
        names = self._mean(call, items)
        if names is None:
            usage(self.faults, "observe", item.span, likely)
            return None
        noise = self._noise(call)
        return None if noise is None else (names, noise)

    def likely(self, items: Sequence[tree.AnyStatement]) -> Names:
        """The names as other statements say them, for what to write in its place."""
        names = self.names
        for item in items:
            if isinstance(item, tree.Block) and item.keyword == "baseline":
                names = names._replace(background=item.name or "")
            elif isinstance(item, tree.Sample):
                target = item.targets[0]
                index = target.parts[-1].index or ()
                if of_pixels(target, self.data.name):
                    names = names._replace(maps=target.text)
                elif len(index) == 2 or (index and isinstance(index[0], tree.Number)):
                    names = names._replace(spectra=target.text)
        return names

    def _law(self, call: tree.Call) -> bool:
        """Is the noise one that maps have?  Another is reported."""
        law = call.function.text
        if law in (*_LAWS, "gaussian"):
            return True
        words = {"name": law, "known": nearest(law, _LAWS)}
        self.faults.say("map-noise", call.function.span, words)
        return False

    def _noise(self, call: tree.Call) -> dict[str, Any] | None:
        """The likelihood: of counts, or of numbers with a known spread."""
        given = call.arguments
        if call.function.text == "poisson" and len(given) == 1:
            if self.data.reading != "counts":
                self.faults.add("map-counts", call.function.span, name=self.data.name)
            return {}
        sd = given[1].value if len(given) == 2 else None
        number = constant(sd, self.constants)
        wanted = self.data.columns[self.data.reading]
        known = isinstance(number, Quantity) and number.dimension == wanted
        if call.function.text != "poisson" and known and number > 0:
            return {"likelihood": "normal", "sd": float(number)}
        self._noise_fault(call, isinstance(number, Quantity), units.said(wanted))
        return None

    def _noise_fault(self, call: tree.Call, number: bool, unit: str) -> None:
        mean = print_expression(call.arguments[0].value)
        sd = f"3 {self.data.reading}" if self.data.reading == "counts" else "3"
        words = {"mean": mean, "sd": sd, "unit": unit}
        if call.function.text == "poisson":
            self.faults.say("map-poisson", call.span, words)
        elif len(call.arguments) == 2:
            span = call.arguments[1].value.span
            self.faults.say("map-sd" if number else "map-sd-open", span, words)
        else:
            self.faults.say("map-sd", call.span, words)

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
        spectra = {t.text for t in targets if _of_axis(t)}
        swapped = sides[1] in maps or (sides[0] in spectra and sides[0] not in maps)
        first, second = sides[::-1] if swapped else sides
        return self.names._replace(maps=first, spectra=second, background=background)

    def _factors(self, node: tree.Expr | None) -> tuple[str, str] | None:
        """The two names of `sum(C[*, k] * S[*, k] over k)`."""
        if not isinstance(node, tree.Call) or node.function.text != "sum":
            return None
        inside = node.arguments[0] if len(node.arguments) == 1 else None
        if inside is None or inside.over != (self.names.number,):
            return None
        product = inside.value
        if not isinstance(product, tree.Binary) or product.operator != "*":
            return None
        left, right = product.left, product.right
        if not (isinstance(left, tree.Path) and isinstance(right, tree.Path)):
            return None
        return (left.text, right.text) if left.text != right.text else None


def _of_axis(target: tree.Path) -> bool:
    """Is something said of a spectrum: `S[*, k]`, `S[1]`?"""
    index = target.parts[-1].index or ()
    return bool(index) and not isinstance(index[0], tree.Path)
