"""`db("magnetite.B", T = 295 K, widen = 4)` → citations, one for each parameter."""

from __future__ import annotations

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.components import Component
from specfit.model.declared import Expected
from specfit.model.faults import Faults, nearest
from specfit.model.lookup import record_for
from specfit.model.names import Entry, Names
from specfit.model.records import RecordError
from specfit.model.typed import Context, Typer

PARAMETERS = ("IS", "QS", "Bint")


class Citations:
    """The database citations of one model."""

    def __init__(self, typer: Typer, faults: Faults) -> None:
        self.typer, self.faults = typer, faults
        self._cited: dict[tuple[str, int | None], ir.Citation] = {}
        self._records: dict[str, str] = {}

    def record(self, component: str) -> str | None:
        """The record a component was drawn from."""
        return self._records.get(component)

    def prior(self, entry: Entry, context: Context) -> ir.Citation | None:
        """The citation of an entry whose origin is the database."""
        if entry.origin != "database":
            return None
        return self._cited.get((entry.name, context.level))

    def enter(self, component: Component, names: Names) -> None:
        """Enter what `from db(…)` knows of a component."""
        if component.source is None:
            return
        if component.source.function.text != "db":
            span = component.source.function.span
            name = component.source.function.text
            self.faults.add("unknown-function", span, name=name, known="`db`")
            return
        labels = names.levels.labels
        contexts = [Context(level=i) for i in range(len(labels))]
        cited = [self._citations(component, context) for context in contexts]
        if any(found is None for found in cited):
            return
        per_level = [found for found in cited if found is not None]
        temperatures = {c.temperature for found in per_level for c in found.values()}
        local = len(temperatures) > 1 or any(
            bool(names.entries[f"{component.name}.{s}"].local) for s in per_level[0]
        )
        for symbol in set.intersection(*(set(found) for found in per_level)):
            name = f"{component.name}.{symbol}"
            names.add(
                Entry(
                    name=name,
                    role=symbol,
                    scope=component.name,
                    origin="database",
                    local=local,
                )
            )
            for level, found in enumerate(per_level):
                self._cited[(name, level)] = found[symbol]
            self._cited[(name, None)] = per_level[0][symbol]

    def _citations(
        self, component: Component, context: Context
    ) -> dict[str, ir.Citation] | None:
        call = component.source
        assert call is not None
        read = self._arguments(call, context)
        if read is None:
            return None
        key, temperature, widen = read
        try:
            found = record_for(key, temperature)
        except RecordError as error:
            self.faults.add(error.code, call.span, **error.words)
            return None
        self._records[component.name] = key
        symbols = {p.symbol: p for p in component.signature.parameters}
        if found.pattern != component.kind:
            self.faults.add(
                "pattern-differs",
                call.span,
                severity="warning",
                record=key,
                temperature=f"{temperature:g}",
                pattern=f"@{found.pattern}",
                kind=f"@{component.kind}",
            )
        return {
            name: ir.Citation(
                record=key,
                parameter=name,
                temperature=temperature,
                widen=widen,
                low=symbols[name].low,
                high=symbols[name].high,
            )
            for name in PARAMETERS
            if name in found.parameters
            and name in symbols
            and (name != "QS" or found.pattern == component.kind)
        }

    def read(
        self, call: tree.Call, context: Context, expected: Expected
    ) -> ir.Citation | None:
        """A prior written `IS ~ db("magnetite.B.IS", …)`."""
        read = self._arguments(call, context)
        if read is None:
            return None
        key, temperature, widen = read
        key, _, parameter = key.rpartition(".")
        if parameter not in PARAMETERS:
            known = nearest(parameter, PARAMETERS)
            self.faults.add("db-parameter", call.span, name=parameter, known=known)
            return None
        try:
            found = record_for(key, temperature)
        except RecordError as error:
            self.faults.add(error.code, call.span, **error.words)
            return None
        if parameter not in found.parameters:
            known = nearest(parameter, found.parameters)
            self.faults.add("db-parameter", call.span, name=parameter, known=known)
            return None
        signature = expected.signature
        return ir.Citation(
            record=key,
            parameter=parameter,
            temperature=temperature,
            widen=widen,
            low=signature.low if signature else None,
            high=signature.high if signature else None,
        )

    def _arguments(
        self, call: tree.Call, context: Context
    ) -> tuple[str, float, float] | None:
        """Record key, temperature (the data's unless said), widen."""
        first = call.arguments[0] if call.arguments else None
        if first is None or first.name or not isinstance(first.value, tree.String):
            self.faults.add("db-record", call.span)
            return None
        given: dict[str, float] = {}
        wanted = {"T": units.DIMENSIONS["temperature"], "widen": units.DIMENSIONLESS}
        for argument in call.arguments[1:]:
            name = argument.name or ""
            if name not in wanted:
                known = nearest(name, wanted)
                self.faults.add("unknown-key", argument.span, key=name, known=known)
                return None
            value = self._number(argument.value, wanted[name], context)
            if value is None:
                return None
            given[name] = value
        temperature = given.get("T") or self._data_temperature(context)
        if temperature is None:
            self.faults.add("db-temperature", call.span)
            return None
        return first.value.value, temperature, given.get("widen", 1.0)

    def _number(
        self, node: tree.Expr, wanted: units.Dimension, context: Context
    ) -> float | None:
        typed = self.typer.expression(node, context)
        if typed is None:
            return None
        if typed.dimension != wanted:
            self.typer.mismatch(wanted, typed.dimension, node.span)
            return None
        if not isinstance(typed.value, ir.Const) or typed.value.value <= 0:
            self.faults.add("db-number", node.span)
            return None
        return typed.value.value

    def _data_temperature(self, context: Context) -> float | None:
        conditions = self.typer.names.levels.conditions[context.level or 0]
        return conditions["T"][0] if "T" in conditions else None
