"""`db("magnetite.B", T = 295 K, widen = 4)` → citations, one for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from specfit import units
from specfit.contracts import ParameterSignature
from specfit.diagnostics import Span
from specfit.isotopes import IRON
from specfit.language import tree
from specfit.model import ir, recoil_free
from specfit.model.cited_numbers import WIDEN, CitedNumbers
from specfit.model.components import Component
from specfit.model.declared import Cited, Expected
from specfit.model.faults import Faults, listing
from specfit.model.kind import ModelKind
from specfit.model.lookup import SiteRecord, record_for
from specfit.model.names import Entry, Names
from specfit.model.path_sources import PathReader, place_of
from specfit.model.quantities import Context, Typed, conventions
from specfit.model.records import RecordError
from specfit.model.shelf_citations import cited_from, shelf_cited
from specfit.model.typed import Typer

Parameter = Literal["IS", "QS", "Bint", "f", "f_ratio"]
PARAMETERS: tuple[Parameter, ...] = ("IS", "QS", "Bint")


@dataclass(frozen=True)
class Asked:
    """What a call of `db` asks for; `parameter` is "" where that is a whole site."""

    key: str
    parameter: str
    temperature: float
    widen: float


_PATTERNS = {
    "relaxing": "sextet",
    "sextet_distribution": "sextet",
    "doublet_distribution": "doublet",
    "czjzek": "doublet",
}
"""What records of a site look like that is described by another kind."""


class Citations:
    """The database citations of one model."""

    def __init__(self, typer: Typer, faults: Faults, kind: ModelKind) -> None:
        self.typer, self.faults, self.isotope = typer, faults, kind.isotope
        wanted = {"T": units.DIMENSIONS["temperature"], WIDEN: units.DIMENSIONLESS}
        self.numbers = CitedNumbers(typer, faults, wanted, "db-number")
        self.paths = PathReader.of(typer, faults)
        self.of_paths = kind.component == "path"
        self._cited: dict[tuple[str, int | None], Cited] = {}
        self._records: dict[str, str] = {}

    def record(self, component: str) -> str | None:
        """The record a component was drawn from."""
        return self._records.get(component)

    def offered(self, component: str, level: int) -> dict[str, ir.Citation]:
        """What the component's record says at a level, by symbol, overridden or not."""
        return {
            name.removeprefix(f"{component}."): citation
            for (name, at), citation in self._cited.items()
            if at == level and name.startswith(f"{component}.")
            if isinstance(citation, ir.Citation)
        }

    def prior(self, entry: Entry, context: Context) -> Cited | None:
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
            self.faults.add("unknown-function", span, name=name, known="@near|`db`")
            return
        labels = names.levels.labels
        contexts = [Context(level=i) for i in range(len(labels))]
        cited = [self._citations(component, context) for context in contexts]
        if any(found is None for found in cited):
            return
        per_level = [found for found in cited if found is not None]
        places = {place_of(c) for found in per_level for c in found.values()}
        local = len(places) > 1 or any(
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
    ) -> Mapping[str, Cited] | None:
        call = component.source
        assert call is not None
        if self.of_paths:
            return self.paths.whole(call, component.signature, context)
        read = self._arguments(call, context)
        if read is None:
            return None
        asked, found = read
        assert found is not None  # a whole site is asked for
        self._records[component.name] = asked.key
        same = found.pattern == _PATTERNS.get(component.kind, component.kind)
        if not same:
            self.faults.add(
                "pattern-differs",
                call.span,
                severity="warning",
                record=asked.key,
                temperature=f"{asked.temperature:g}",
                pattern=f"@{found.pattern}",
                kind=f"@{component.kind}",
            )
        return {
            name: _citation(asked, name, component.signature.parameter(name))
            for name in PARAMETERS
            if name in found.parameters
            and component.signature.parameter(name) is not None
            and (name != "QS" or same)
        }

    def read(
        self, call: tree.Call, context: Context, expected: Expected
    ) -> Cited | None:
        """A prior written `IS ~ db("magnetite.B.IS", …)`, or `a ~ db("YIG.a")`."""
        if self.of_paths:
            return self.paths.one(call, context, expected.signature)
        if (shelf := shelf_cited(call)) is not None:
            known = None if context.level is None and self._several() else context
            there = self.numbers.condition("T", known) if known else None
            return cited_from(shelf, call, expected, self.typer, context, there)
        read = self._arguments(call, context, one_parameter=True)
        if read is None:
            return None
        asked, found = read
        if found is None:
            return self._recoil_free(asked, call.arguments[0].span, expected)
        parameter = next((p for p in PARAMETERS if p == asked.parameter), None)
        span = call.arguments[0].span
        if parameter is None or parameter not in found.parameters:
            self.faults.add(
                "db-no-parameter",
                span,
                record=asked.key,
                parameter=asked.parameter,
                pattern=f"@{found.pattern}",
                temperature=f"{asked.temperature:g}",
                known=listing(found.parameters),
            )
            return None
        signature = expected.signature
        if signature is not None and signature.symbol != parameter:
            name, key = signature.symbol, asked.key
            self.faults.add(
                "db-other-parameter", span, name=name, parameter=parameter, record=key
            )
            return None
        if parameter == "QS" and not self._same_splitting(found, expected, span):
            return None
        return _citation(asked, parameter, signature)

    def _recoil_free(
        self, asked: Asked, span: Span, expected: Expected
    ) -> ir.Citation | None:
        """A prior written `f_B ~ db("magnetite.B.f", …)`: of no parameter of a site."""
        if expected.signature is not None:
            name = expected.signature.symbol
            parameter, key = asked.parameter, asked.key
            self.faults.add(
                "db-other-parameter", span, name=name, parameter=parameter, record=key
            )
            return None
        return _citation(asked, "f" if asked.parameter == "f" else "f_ratio", None)

    def _same_splitting(
        self, found: SiteRecord, expected: Expected, span: Span
    ) -> bool:
        """Is the record's QS, ΔEQ or 2ε, the one of the site it is given to?"""
        recorded = "2ε" if found.pattern == "sextet" else "ΔEQ"
        wanted = Typed(ir.Const(value=0.0), convention=expected.convention)
        return conventions(self.faults, wanted, recorded, span)

    # ------------------------------------------------------------------ arguments

    def _arguments(
        self, call: tree.Call, context: Context, one_parameter: bool = False
    ) -> tuple[Asked, SiteRecord | None] | None:
        """What is asked for, and what the database has there; no site for an f."""
        if self.isotope != IRON:
            code = "isotope-database" if self.isotope else "db-record-of-sites"
            self.faults.add(code, call.span, isotope=self.isotope)
            return None
        first = call.arguments[0] if call.arguments else None
        if first is None or first.name or not isinstance(first.value, tree.String):
            self.faults.add("db-record", call.span)
            return None
        given = self.numbers.read(call.arguments[1:], context)
        if given is None:
            return None
        if "T" not in given and context.level is None and self._several():
            self.faults.add("db-temperatures", call.span, record=first.value.value)
            return None
        temperature = given.get("T") or self.numbers.condition("T", context)
        if temperature is None:
            if not self.faults.excuses("T"):
                self.faults.add("db-temperature", call.span)
            return None
        key, parameter = first.value.value, ""
        if one_parameter:
            key, _, parameter = key.rpartition(".")
            if parameter not in (*PARAMETERS, *recoil_free.PARAMETERS):
                record = first.value.value
                self.faults.add("db-parameter-needed", first.span, record=record)
                return None
        try:
            if parameter in recoil_free.PARAMETERS:
                found, _ = None, recoil_free.find(key, parameter)
            else:
                found = record_for(key, temperature)
        except RecordError as error:
            self.faults.say(error.code, first.span, error.words)
            return None
        return Asked(key, parameter, temperature, given.get(WIDEN, 1.0)), found

    def _several(self) -> bool:
        """Do the levels of the data differ in their temperature?"""
        return len({level.get("T") for level in self.typer.names.levels.conditions}) > 1


def _citation(
    asked: Asked, parameter: Parameter, signature: ParameterSignature | None
) -> ir.Citation:
    return ir.Citation(
        record=asked.key,
        parameter=parameter,
        temperature=asked.temperature,
        widen=asked.widen,
        low=signature.low if signature else None,
        high=signature.high if signature else None,
    )
