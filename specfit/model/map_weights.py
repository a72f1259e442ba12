"""Priors of the weights of a factorisation: `exponential(λ[k])`, and the levels `λ[k]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit import units
from specfit.language import tree
from specfit.model.constants import Quantity, constant
from specfit.model.data_columns import DataBlock
from specfit.model.factorising import Relevance, Scale
from specfit.model.faults import Faults, nearest
from specfit.model.map_words import Names, plain_number, usage
from specfit.model.places import place
from specfit.model.quantities import wrong_unit


class WeightReader:
    """Reads what weights are drawn from; faults are reported."""

    def __init__(
        self,
        data: DataBlock,
        names: Names,
        constants: Mapping[str, Any],
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.data, self.names, self.constants = data, names, constants
        self.faults, self.texts = faults, texts
        self.values: dict[str, Any] = {}
        self.level = ""  # what the maps' prior is told by

    @property
    def symbol(self) -> str:
        """What levels of the maps are called, "" without any."""
        found = self.values.get("relevance")
        return found.symbol if found is not None else ""

    def maps(self, item: tree.Sample) -> None:
        """`exponential(λ[k])`, or `gamma(2, λ[k])` for maps that are seldom empty.

        In place of a level that is learned, a number of counts: `exponential(1000 counts)`.
        """
        call = item.prior.centre
        given = call.arguments if isinstance(call, tree.Call) else ()
        word = call.function.text if isinstance(call, tree.Call) else ""
        shape = constant(given[0].value, self.constants) if len(given) == 2 else 1.0
        right = (word, len(given)) in (("exponential", 1), ("gamma", 2))
        number = plain_number(shape) if not isinstance(shape, float) else float(shape)
        if not right or not number or number <= 0 or item.prior.bounds is not None:
            return usage(self.faults, "maps", item.span, self.names)
        level = given[-1].value
        self.values["maps"] = number
        if isinstance(level, tree.Path) and level.text not in self.constants:
            self.level = level.text
            return None
        assert isinstance(call, tree.Call)
        return self._fixed(call, level, item)

    def _fixed(self, call: tree.Call, level: tree.Expr, item: tree.Sample) -> None:
        """The scale of every map as a number in the unit of the data."""
        number, wanted = constant(level, self.constants), self._dimension
        if (
            isinstance(number, Quantity)
            and number.dimension != wanted
            and not call.unit
        ):
            name = self.names.maps
            said = (level.span, name, "", wanted, number.dimension)
            return wrong_unit(self.faults, *said)
        found = self._scale(level)
        if found is None:
            return usage(self.faults, "maps", item.span, self.names)
        at = place(item.span, self.texts)
        self.values["scale"] = Scale(value=found[0], of_mean=found[1], place=at)
        return None

    @property
    def _dimension(self) -> units.Dimension:
        return self.data.columns[self.data.reading]

    def relevance(self, name: str, item: tree.Sample) -> None:
        """`λ[k] ~ inverse_gamma(1.5, 0.5 * mean(cube.counts)) counts`."""
        call = item.prior.centre
        given = call.arguments if isinstance(call, tree.Call) else ()
        word = call.function.text if isinstance(call, tree.Call) else ""
        shape = (
            plain_number(constant(given[0].value, self.constants)) if given else None
        )
        scale = self._scale(given[1].value) if len(given) == 2 else None
        if word != "inverse_gamma" or shape is None or shape <= 0 or scale is None:
            names = self.names._replace(level=name)
            usage(self.faults, "relevance", item.span, names)
            return
        self.values["relevance"] = Relevance(
            symbol=name, shape=shape, scale=scale[0], of_mean=scale[1],
            place=place(item.span, self.texts),
        )  # fmt: skip

    def _scale(self, node: tree.Expr) -> tuple[float, bool] | None:
        """A number of counts, or so many means of the data."""
        factor, rest = 1.0, node
        if isinstance(node, tree.Binary) and node.operator == "*":
            left = plain_number(constant(node.left, self.constants))
            factor, rest = left or 0.0, node.right
        if isinstance(rest, tree.Call) and rest.function.text == "mean":
            return (factor, True) if self._mean(rest) and factor > 0 else None
        number = constant(node, self.constants)
        counts = isinstance(number, Quantity) and number > 0
        return (float(number), False) if counts else None

    def _mean(self, call: tree.Call) -> bool:
        """Is it of what is observed?  Another name is reported."""
        inside = [a.value for a in call.arguments]
        named = [one for one in inside if isinstance(one, tree.Path)]
        known = f"{self.data.name}.{self.data.reading}"
        if len(named) == len(inside) == 1 and named[0].text != known:
            near, name = nearest(named[0].text, [known]), named[0].text
            self.faults.add("unknown-name", named[0].span, name=name, known=near)
        return [one.text for one in named] == [known]
