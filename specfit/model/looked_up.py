"""`soc = lookup("coulometry.csv", stage) %`: a condition of each level, from a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from specfit import units
from specfit.language import tree
from specfit.model.faults import Faults, nearest
from specfit.model.levels import Levels
from specfit.model.quantities import known_unit, wrong_unit
from specfit.readers.errors import ReaderError
from specfit.readers.keyed import Keyed
from specfit.units import Dimension

Tables = Callable[[str], Keyed]
"""The table in a file by its name; raises `ReaderError`."""


def no_tables(name: str) -> Keyed:
    """For texts that stand in no folder."""
    raise ReaderError("data-missing", {"file": name, "root": "."})


def is_lookup(value: tree.Expr) -> bool:
    """Is it a value from a table?"""
    return isinstance(value, tree.Call) and value.function.text == "lookup"


class Lookups:
    """The conditions of a data block that stand in tables."""

    def __init__(self, name: str, tables: Tables, faults: Faults) -> None:
        self.name, self.tables, self.faults = name, tables, faults
        self.calls: dict[str, tree.Call] = {}

    def add(self, key: str, call: tree.Expr) -> None:
        """Remember it until the levels are known."""
        assert isinstance(call, tree.Call)
        self.calls[key] = call

    def filled(self, levels: Levels, wanted: Mapping[str, str]) -> Levels:
        """The levels with the values of all tables; `wanted` says what conditions are."""
        for key, call in self.calls.items():
            found = self._values(key, call, levels, wanted.get(key))
            if found is None:
                self.faults.lose(f"{self.name}.{key}")
                continue
            pairs = zip(levels.conditions, found, strict=True)
            conditions = tuple({**one, key: value} for one, value in pairs)
            known = levels.looked_up | {key}
            levels = replace(levels, conditions=conditions, looked_up=known)
        return levels

    def _values(
        self,
        key: str,
        call: tree.Call,
        levels: Levels,
        wanted: str | None,
    ) -> list[tuple[float, Dimension]] | None:
        name = self._asked(call, levels)
        unit = units.Unit("", 1.0, ())
        if call.unit is not None:
            known = known_unit(self.faults, call.unit, call.unit_span)
            if known is None:
                return None
            unit = known
        if name is None or not self._suits(key, call, unit.dimension, wanted):
            return None
        try:
            table = self.tables(name).values(levels.dimension, key)
        except ReaderError as error:
            self.faults.say(error.code, call.arguments[0].span, error.words)
            return None
        found = []
        for label in levels.labels:
            number = _number(table, label)
            if number is None:
                words = {"label": label, "file": name, "name": levels.dimension}
                words["known"] = nearest(label, table)
                self.faults.say("lookup-no-row", call.span, words)
                return None
            found.append((number * unit.scale, unit.dimension))
        return found

    def _asked(self, call: tree.Call, levels: Levels) -> str | None:
        """The file, where the call is well-formed."""
        given = [argument.value for argument in call.arguments]
        plain = all(a.name is None and not a.over for a in call.arguments)
        if plain and len(given) == 2 and isinstance(given[0], tree.String):
            by = given[1]
            if isinstance(by, tree.Path) and by.text == levels.dimension != "":
                return given[0].value
        words = {"dimension": levels.dimension or "stage"}
        self.faults.say("lookup-usage", call.span, words)
        return None

    def _suits(
        self, key: str, call: tree.Call, found: Dimension, wanted: str | None
    ) -> bool:
        if wanted is None or units.DIMENSIONS[wanted] == found:
            return True
        dimension = units.DIMENSIONS[wanted]
        if call.unit is None:
            unit = units.canonical_unit(dimension)
            self.faults.add("unit-missing", call.span, unit=unit)
        else:
            wrong_unit(self.faults, call.unit_span, key, key, dimension, found)
        return False


def _number(table: Mapping[str, str], label: str) -> float | None:
    """The value of a label, also where that is the same number written otherwise."""
    text = table.get(label)
    if text is None:
        text = next((v for k, v in table.items() if _same(k, label)), None)
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
