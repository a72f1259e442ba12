"""`data NAME[dims] : kind { … }` → the files to read, and the constants they offer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from specfit import units
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model import ir
from specfit.model.belonging import block_of
from specfit.model.clustered import CLUSTER, clustering
from specfit.model.column_calls import told
from specfit.model.constants import Quantity, constant
from specfit.model.data_columns import (
    VOCABULARY,
    DataBlock,
    column_dimensions,
    column_said,
    filled,
    unit_said,
)
from specfit.model.faults import Faults, nearest
from specfit.model.feature_columns import FEATURE_KEYS, GROUP, feature_key
from specfit.model.image_keys import ImageKeys
from specfit.model.intervals import interval, intervals
from specfit.model.kinds import DataKind
from specfit.model.levels import Levels, read_levels
from specfit.model.looked_up import Lookups, Tables, is_lookup, no_tables
from specfit.model.places import place
from specfit.model.quantities import wrong_unit
from specfit.units import Dimension


class DataReader:
    """Reads the statements of one data block."""

    def __init__(
        self,
        block: tree.Block,
        kind: DataKind,
        constants: Mapping[str, Any],
        faults: Faults,
        sources: Mapping[str, str],
        tables: Tables = no_tables,
    ) -> None:
        self.block, self.kind, self.faults = block, kind, faults
        self.lookups = Lookups(block.name or "", tables, faults)
        self.constants, self.texts = constants, sources
        self.images = ImageKeys(kind, constants, faults)
        self.columns: dict[str, tuple[int, str]] = {}
        self.told: dict[str, tuple[str, ...]] = {}
        self.conditions: dict[str, tuple[float, Dimension]] = {}
        self.options: dict[str, str | float | tuple[float, ...]] = {}
        self.window: tuple[float, float] | None = None
        self.mask: tuple[tuple[float, float], ...] = ()
        self.seen: dict[str, Span] = {}

    def read(self) -> DataBlock:
        """The block's sources; every faulty statement is reported and left out."""
        items = self.block.body.items if self.block.body else ()
        for item in sorted(items, key=_after_columns):
            self._statement(item)
        self._missing()
        wanted = self.kind.conditions
        levels = read_levels(
            self.block, self.conditions, wanted, self.constants, self.faults
        )
        levels = self.lookups.filled(levels, wanted)
        made = tuple(self._source(levels, i) for i in range(len(levels.labels)))
        stated = partial(
            column_said, block=self.block, seen=self.seen, faults=self.faults
        )
        axis, reading = (
            map(stated, (self.kind.axes, self.kind.readings), ("1", "2"))
            if CLUSTER not in self.seen
            else ("", "")
        )
        return DataBlock(
            self.block.name or "",
            self.kind,
            levels,
            made,
            column_dimensions(self.kind, self.columns, self.options),
            self.block.span,
            sound=not self.faults.within(self.block.span),
            axis=axis,
            reading=reading,
        )

    def _missing(self) -> None:
        """Report what every block of its kind must say."""
        name = self.block.name or self.block.keyword
        made_of = {"file", CLUSTER} & self.seen.keys()
        if not made_of and not self.faults.excuses("file"):
            self.faults.add("missing-key", self.block.name_span, key="file", name=name)
        self.images.missing(self.seen, self.block.name_span, name)

    # ---------------------------------------------------------------- statements

    def _statement(self, item: tree.AnyStatement) -> None:
        uncertain = isinstance(item, tree.Sample) and len(item.targets) == 1
        if isinstance(item, tree.Sample) and uncertain:
            uncertain = item.targets[0].text == "velocity_max"
        if not (isinstance(item, tree.Let) or uncertain):
            self.faults.add("not-in-data", item.span)
            for target in item.targets if isinstance(item, tree.Sample) else ():
                self._lose(target.text)
            return
        assert isinstance(item, tree.Let | tree.Sample)
        key = item.target.text if isinstance(item, tree.Let) else "velocity_max"
        if key in self.seen:
            note = (self.seen[key], "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", item.span, name=key, note=note)
            return
        self.seen[key] = item.span
        if isinstance(item, tree.Let):
            self._key(key, item)
        else:
            self._uncertain(item)
        said = {**self.conditions, **self.lookups.calls}
        if key in self.kind.conditions and key not in said:
            self._lose(key)

    def _lose(self, key: str) -> None:
        self.faults.lose(key)
        self.faults.lose(f"{self.block.name}.{key}")

    def _key(self, key: str, item: tree.Let) -> None:
        if key == "window":
            self._window(item)
        elif key == "mask":
            self._mask(item)
        elif key == GROUP and self._free_column(item.value):  # of the rows
            self._column(key, item.value)
        elif self.kind.free and key in FEATURE_KEYS:
            self.options |= feature_key(key, item.value, self.faults)
        elif self.images.knows(key):
            said = self.images.read(key, item.value)
            self.columns |= said.columns
            self.options |= said.options
        elif key in self.kind.columns or self._free_column(item.value):
            self._column(key, item.value)
        elif key == CLUSTER and self.kind.clusters:
            self.options |= clustering(item.value, self.faults)
        elif is_lookup(item.value) and key not in self.kind.texts:
            self.lookups.add(key, item.value)
        elif key in self.kind.conditions:
            self._quantity(key, item.value, self.kind.conditions[key])
        elif key in self.kind.quantities:
            self._quantity(key, item.value, self.kind.quantities[key])
        elif key in self.kind.texts:
            self._text(key, item.value)
        else:
            known = [*self.kind.columns, *self.kind.conditions, *self.kind.texts]
            known += FEATURE_KEYS if self.kind.free else ()
            known += [*self.kind.quantities, "window", "mask"]
            span, near = item.target.span, nearest(key, known)
            if (block := block_of(key)) in ("model", "run"):
                self.faults.add("key-elsewhere", span, key=key, block=block)
            else:
                self.faults.add("unknown-key", span, key=key, known=near)

    def _free_column(self, value: tree.Expr) -> bool:
        return self.kind.free and told(value) is not None

    def _column(self, key: str, value: tree.Expr) -> None:
        wanted = units.DIMENSIONS.get(self.kind.columns.get(key, ""))
        found = told(value)
        if found is None:
            self.faults.add("column-expected", value.span, key=key)
            return
        unit = self._unit(found.unit, found.unit_span, value.span, wanted, key)
        if unit is not None:
            self.columns[key] = (found.number, unit)
            if not found.number:
                self.told[key] = found.words

    def _unit(
        self,
        text: str | None,
        unit_span: Span,
        span: Span,
        wanted: Dimension | None,
        key: str,
    ) -> str | None:
        return unit_said(self.faults, text, (unit_span, span), wanted, key)

    def _quantity(self, key: str, value: tree.Expr, dimension: str) -> None:
        wanted = units.DIMENSIONS[dimension]
        node = value.operand if isinstance(value, tree.Unary) else value
        if isinstance(node, tree.Number):
            unit = self._unit(node.unit, node.unit_span, node.span, wanted, key)
            if unit is None:
                return
        number = constant(value, self.constants)
        if not isinstance(number, Quantity):
            self.faults.add("quantity-expected", value.span, key=key)
            return
        if number.dimension != wanted:
            wrong_unit(self.faults, value.span, key, key, wanted, number.dimension)
            return
        if key in self.kind.conditions:
            if key == "T" and number <= 0:
                self.faults.add("temperature-not-positive", value.span)
                return
            self.conditions[key] = (number, wanted)
        else:
            self.options[key] = number

    def _uncertain(self, item: tree.Sample) -> None:
        centre = item.prior.centre
        if isinstance(centre, tree.PlusMinus) and isinstance(centre.sd, tree.Number):
            sd = constant(centre.sd, self.constants)
            number = constant(centre.centre, self.constants)
            factor = constant(
                tree.Number(1.0, "1", centre.sd.unit, span=centre.span), {}
            )
            bare = isinstance(centre.centre, tree.Number) and not centre.centre.unit
            if isinstance(sd, float) and isinstance(number, float):
                wanted = units.DIMENSIONS["velocity"]
                node = centre.sd
                key = "velocity_max"
                if self._unit(node.unit, node.unit_span, node.span, wanted, key):
                    scale = factor if bare and isinstance(factor, float) else 1.0
                    self.options[key] = number * scale
                    self.options["velocity_max_sd"] = sd
                return
        self.faults.add("quantity-expected", item.prior.span, key="velocity_max")

    def _text(self, key: str, value: tree.Expr) -> None:
        text = constant(value, self.constants)
        if isinstance(value, tree.Path) and len(value.parts) == 1 and text is None:
            text = value.text  # `fold = none`: a word of the language
        if not isinstance(text, str):
            self.faults.add("text-expected", value.span, key=key)
            return
        allowed = self.kind.texts[key] or VOCABULARY.get(key, ())
        if allowed and not any(text.startswith(word) for word in allowed):
            near = nearest(text, allowed)
            self.faults.add("unknown-word", value.span, key=key, word=text, known=near)
            return
        self.options[key] = text

    def _axis(self) -> str:
        return next((n for n in self.kind.axes if n in self.columns), self.kind.axes[0])

    def _extent(self) -> Dimension:
        return units.DIMENSIONS[self.kind.columns.get(self._axis(), "number")]

    def _window(self, item: tree.Let) -> None:
        said = (item.value, None, self._extent(), self.constants, self.faults)
        self.window = interval(*said)

    def _mask(self, item: tree.Let) -> None:
        self.mask = intervals(item.value, self._extent(), self.constants, self.faults)

    def _source(self, levels: Levels, index: int) -> ir.DataSource:
        label = levels.labels[index]
        fill = {levels.dimension: label} if levels.dimension else {}
        options = {
            key: filled(value, fill) if isinstance(value, str) else value
            for key, value in self.options.items()
        }
        file = options.pop("file", "")
        conditions = {key: v for key, (v, _) in levels.conditions[index].items()}
        return ir.DataSource(
            data=self.block.name or "",
            label=label,
            kind=self.kind.name,
            file=str(file),
            title=self.block.title or "",
            columns=self.columns,
            told=self.told,
            conditions=conditions,
            options=options,
            window=self.window,
            mask=self.mask,
            place=place(self.seen.get("file", self.block.span), self.texts),
            places={
                key: place(span, self.texts)
                for key, span in {"": self.block.name_span, **self.seen}.items()
            },
        )


def _after_columns(item: tree.AnyStatement) -> bool:
    """Whether a statement needs the columns to be known: order has no meaning."""
    return isinstance(item, tree.Let) and item.target.text in ("window", "mask")
