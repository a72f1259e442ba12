"""What a run has to tell: every parameter and derived quantity, with its origin.

Collected once; the page, the terminal, `result.json` and the tables all read it, so
that no two of them can disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from specfit import rules
from specfit.contracts import FloatArray, Run
from specfit.model import ir
from specfit.model.expressions import to_text
from specfit.model.kinds import MODEL_KINDS, SIGNATURES
from specfit.model.spelt_features import is_scale
from specfit.model.wording import prior_text
from specfit.report.levels import columns_of, names_by_level
from specfit.report.numbers import Summary, summarise
from specfit.report.words import feature_names
from specfit.rules.posterior import Posterior

USUAL = ("IS", "QS", "Bint", "I")
"""Columns of a paper's table of Mössbauer parameters, shown even where held fixed."""


@dataclass(frozen=True)
class Quantity:
    """One parameter or derived quantity: its draws, figures, prior and origin."""

    name: str
    unit: str
    draws: FloatArray
    summary: Summary
    title: str = ""
    prior: str = ""
    origin: str = ""
    parameter: ir.Parameter[ir.Prior] | None = None
    because: str = ""


@dataclass(frozen=True)
class Cell:
    """One entry of the results table; None where a site has no such parameter."""

    quantity: Quantity | None


@dataclass(frozen=True)
class ResultTable:
    """A table like a paper's: sites or levels by symbols, then further expressions."""

    name: str
    columns: tuple[tuple[str, str], ...]  # symbol, unit
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]  # name, title, cells
    also: tuple[Quantity, ...] = ()
    curve: bool = False  # of a model that has no components
    levels: str = ""  # the dimension whose levels are the rows, in place of sites
    save: str = ""


@dataclass(frozen=True)
class Findings:
    """Everything computed from a run before any of it is shown."""

    run: Run
    posterior: Posterior = field(init=False)

    def __post_init__(self) -> None:
        run = self.run
        posterior = Posterior.of(run.model, run.measurements, run.fit)
        object.__setattr__(self, "posterior", posterior)

    @cached_property
    def parameters(self) -> dict[str, Quantity]:
        """The unknowns: parameters, members of a simplex, nuisances of calibration."""
        model, fit = self.run.model, self.run.fit
        found = {p.name: self._unknown(p) for p in model.parameters}
        for joint in model.joints:
            numbers = ", ".join(f"{c:g}" for c in joint.concentrations)
            prior = f"dirichlet({numbers}) of {', '.join(joint.names)}"
            for name in joint.names:
                found[name] = self._quantity(
                    name, joint.unit, prior=prior, origin=joint.origin
                )
        defined = {definition.name for definition in model.definitions}
        for name in fit.draws:
            if name not in found and name not in defined:
                found[name] = self._quantity(name, "", origin="calibration")
        return found

    @cached_property
    def derived(self) -> dict[str, Quantity]:
        """What follows from the unknowns: definitions with a spread of their own."""
        found = {}
        for item in self.run.model.definitions:
            known = isinstance(item.value, ir.Const | ir.Ref) or item.origin == "file"
            if known and not item.derived:
                continue
            found[item.name] = self._quantity(
                item.name,
                item.unit,
                item.value,
                title=item.title,
                prior=f"= {to_text(item.value)}",
                origin=item.origin,
                because=item.because,
            )
        for text, expression in self._also():
            found.setdefault(text, self._quantity(text, "", expression))
        return found

    def _also(self) -> Iterator[tuple[str, ir.Expression]]:
        for report in self.run.document.reports:
            for text, expression in report.also:
                if not isinstance(expression, ir.Ref):
                    yield text, expression

    def _unknown(self, parameter: ir.Parameter[ir.Prior]) -> Quantity:
        return self._quantity(
            parameter.name,
            parameter.unit,
            title=parameter.title,
            prior=prior_text(parameter.prior.dist, parameter.unit),
            origin=parameter.origin,
            parameter=parameter,
            because=parameter.because,
        )

    def _quantity(
        self,
        name: str,
        unit: str,
        expression: ir.Expression | None = None,
        title: str = "",
        prior: str = "",
        origin: str = "",
        parameter: ir.Parameter[ir.Prior] | None = None,
        because: str = "",
    ) -> Quantity:
        draws = self._draws(name, expression)
        return Quantity(
            name,
            unit,
            draws,
            summarise(draws),
            title or self.features.get(name, ""),
            prior,
            origin,
            parameter,
            because,
        )

    @cached_property
    def features(self) -> dict[str, str]:
        """What the features of coefficients are called."""
        return feature_names(self.run)

    def _draws(self, name: str, expression: ir.Expression | None) -> FloatArray:
        if name in self.run.fit.draws:
            return np.ravel(self.run.fit.draws[name])
        return self.posterior.draws(expression or ir.Ref(name=name))

    def quantity(self, name: str) -> Quantity:
        """Any named quantity; what is known and not reported is made on the spot."""
        found = self.parameters.get(name) or self.derived.get(name)
        if found:
            return found
        for item in self.run.model.definitions:
            if item.name == name:
                return self._quantity(
                    name, item.unit, item.value, item.title, because=item.because
                )
        return self._quantity(name, "")

    @cached_property
    def tables(self) -> tuple[ResultTable, ...]:
        """One table for each `report` block that asks for it, else one of all sites."""
        wanted = [r for r in self.run.document.reports if r.table or r.levels] or [
            ir.ReportSettings(name="results")
        ]
        return tuple(self._table(report) for report in wanted)

    def _table(self, report: ir.ReportSettings) -> ResultTable:
        spectra = self.run.model.spectra
        if report.levels:
            return self._level_table(report)
        sites = [(spectrum, site) for spectrum in spectra for site in spectrum.sites]
        rows = [s for s in sites if not report.rows or s[1].name in report.rows]
        if report.rows:
            rows.sort(key=lambda pair: report.rows.index(pair[1].name))
        symbols = report.table or self._symbols([site for _, site in rows])
        cells = tuple(
            (
                _labelled(site.name, spectrum),
                _labelled(site.title or site.name, spectrum),
                tuple(self._cell(site, symbol) for symbol in symbols),
            )
            for spectrum, site in rows
        )
        units = [_unit(column) for column in zip(*(c for *_, c in cells), strict=True)]
        also = tuple(self._further(text, item) for text, item in report.also)
        also = also if report.table else (*also, *self._own())
        columns = tuple(zip(symbols, units or [""] * len(symbols), strict=True))
        curve = not MODEL_KINDS[self.run.model.kind].component
        return ResultTable(report.name, columns, cells, also, curve, save=report.save)

    def _level_table(self, report: ir.ReportSettings) -> ResultTable:
        """A row for each level of the data, a column for each quantity."""
        symbols = columns_of(self.run.model, report.table)
        names = names_by_level(self.run.model, symbols)
        rows = tuple(
            (label, label, tuple(self._named(name) for name in own))
            for label, own in names.items()
        )
        units = [_unit(column) for column in zip(*(c for *_, c in rows), strict=True)]
        also = tuple(self._further(text, item) for text, item in report.also)
        columns = tuple(zip(symbols, units, strict=True))
        return ResultTable(
            report.name, columns, rows, also, levels=report.levels, save=report.save
        )

    def _named(self, name: str | None) -> Cell:
        return Cell(None if name is None else self.quantity(name))

    def _own(self) -> Iterator[Quantity]:
        """What was inferred that no column shows: of the model, and the file's own names.

        Counts off resonance and what a calibration leaves open tell nothing of a sample.
        """
        spectra = self.run.model.spectra
        shown = {
            n for s in spectra for site in s.sites for n in site.parameters.values()
        }
        for definition in self.run.model.definitions:
            if definition.name in shown and isinstance(definition.value, ir.Ref):
                shown.add(definition.value.name)  # `width = Γ`
        shown |= {spectrum.scalars.get("N0", "") for spectrum in spectra}
        for name, item in {**self.parameters, **self.derived}.items():
            if (
                name not in shown
                and item.origin != "calibration"
                and not is_scale(name)
                and self._varies(item)
            ):
                yield item

    def _varies(self, item: Quantity) -> bool:
        """Was it inferred?  Of a maximum alone, no spread says so."""
        if item.draws.size > 1:
            return not item.summary.fixed
        known = (d.value for d in self.run.model.definitions if d.name == item.name)
        return not isinstance(next(known, None), ir.Const)

    def _further(self, text: str, expression: ir.Expression) -> Quantity:
        if isinstance(expression, ir.Ref):
            return self.quantity(expression.name)
        return self._quantity(text, "", expression)

    def _symbols(self, sites: list[ir.Site]) -> tuple[str, ...]:
        """What a table shows unasked: the usual symbols and all that was inferred."""
        found: dict[str, None] = {}
        for site in sites:
            minor = {p.symbol for p in SIGNATURES[site.kind].parameters if p.minor}
            for symbol, name in site.parameters.items():
                if symbol in minor:
                    continue
                if symbol in USUAL or self._varies(self.quantity(name)):
                    found[symbol] = None
        return tuple(sorted(found, key=lambda s: USUAL.index(s) if s in USUAL else 9))

    def _cell(self, site: ir.Site, symbol: str) -> Cell:
        return self._named(site.parameters.get(symbol))

    @cached_property
    def conflicts(self) -> dict[str, rules.Conflict]:
        """Posterior against records, by parameter."""
        run = self.run
        every = rules.conflicts(run.model, run.measurements, run.fit)
        return {item.parameter.name: item for item in every}

    @cached_property
    def residuals(self) -> tuple[rules.Residuals, ...]:
        """Residual statistics of every spectrum."""
        run = self.run
        return rules.statistics(run.model, run.measurements, run.fit)


def _labelled(text: str, spectrum: ir.Spectrum) -> str:
    return f"{text} [{spectrum.label}]" if spectrum.label else text


def _unit(column: tuple[Cell, ...]) -> str:
    return next((c.quantity.unit for c in column if c.quantity), "")
