"""The last step of a model block: entries → the flat, frozen `Model[Declared]`."""

from __future__ import annotations

from dataclasses import dataclass

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.component_files import sources_with
from specfit.model.components import Component
from specfit.model.densities import Expected, fits
from specfit.model.elaborate import Elaborator
from specfit.model.names import Entry
from specfit.model.observed import noise_of
from specfit.model.places import place
from specfit.model.quantities import Context
from specfit.model.shares import determined, joints


@dataclass
class Pieces:
    """What the entries turn into."""

    parameters: list[ir.Parameter[ir.Declared]]
    definitions: list[ir.Definition]


def assemble(work: Elaborator) -> ir.Model[ir.Declared] | None:
    """The typed model, or None when anything in it is at fault."""
    work.meanings.settle()
    _all_said(work)
    levels = range(len(work.names.levels.labels))
    noises = [noise_of(work, level) for level in levels]
    pieces = Pieces([], [])
    for entry in list(work.names.entries.values()):
        for level in work.meanings.contexts(entry.local):
            _piece(work, entry, level, pieces)
    rules = work.rulebook.read(work.rules)
    joint = joints(work)
    determined(work, pieces.definitions, rules, joint)
    if work.faults.errors or None in noises:
        return None
    return ir.Model[ir.Declared](
        name=work.block.name or work.kind.name,
        kind=work.kind.name,
        title=work.block.title or "",
        parameters=tuple(pieces.parameters),
        definitions=tuple(pieces.definitions),
        joints=joint,
        rules=rules,
        spectra=_spectra(work, [noise for noise in noises if noise]),
        sources=_sources(work),
        settings=_settings(work),
        bases=work.basis.sources if work.basis else (),
    )


def _all_said(work: Elaborator) -> None:
    """Report parameters that have no default and that nobody spoke of."""
    for component in work.components.found.values():
        for parameter in component.signature.parameters:
            entry = work.names.entries[f"{component.name}.{parameter.symbol}"]
            said = entry.statement or entry.record or entry.origin != "default"
            if said or parameter.symbol == work.kind.fraction:
                continue
            span, symbol = component.block.name_span, parameter.symbol
            words = {"component": component.name, "symbol": symbol}
            work.faults.say("parameter-unsaid", span, words)
    for signature in work.scalar_signatures():
        entry = work.names.entries[signature.symbol]
        if entry.statement is None and entry.origin == "default":
            words = {"component": work.block.name or "", "symbol": signature.symbol}
            work.faults.say("parameter-unsaid", work.block.name_span, words)


def _sources(work: Elaborator) -> tuple[ir.DataSource, ...]:
    """The files, with the column that is observed where the data block does not say."""
    if work.kind.files:
        found, own = work.components.found, work.own
        return sources_with(work.data.sources, found, own, work.texts)
    if work.data.reading or not work.observed:
        return work.data.sources
    reading = {"reading": work.observed[0].target.text.partition(".")[2]}
    return tuple(
        source.model_copy(update={"options": {**source.options, **reading}})
        for source in work.data.sources
    )


def _settings(work: Elaborator) -> dict[str, str | float]:
    """The settings of the model, those that nobody spoke of included."""
    usual = {key: words[0] for key, words in work.kind.settings.items()}
    return {**usual, **work.own.known}


# ----------------------------------------------------- parameters, definitions


def _piece(work: Elaborator, entry: Entry, level: int | None, into: Pieces) -> None:
    dimension = work.meanings.dimension_of(entry)
    if dimension is None or entry.record == "joint":
        return
    if entry.origin == "file":
        into.definitions.append(_of_file(work, entry, level, dimension))
        return
    statement = entry.statement
    context = Context(entry.scope, level)
    citation = work.citations.prior(entry, context)
    if citation is not None:
        into.parameters.append(_parameter(work, entry, level, citation, dimension))
    elif isinstance(statement, tree.Sample):
        expected = Expected(entry.name, dimension, entry.convention, entry.signature)
        declared = work.priors.read(statement.prior, context, expected)
        if declared is not None:
            prior = declared.prior
            into.parameters.append(_parameter(work, entry, level, prior, dimension))
    elif isinstance(statement, tree.Let):
        definition = _definition(work, entry, level, dimension)
        if definition is not None:
            into.definitions.append(definition)


def _parameter(
    work: Elaborator,
    entry: Entry,
    level: int | None,
    prior: ir.Declared,
    dimension: units.Dimension,
) -> ir.Parameter[ir.Declared]:
    statement = entry.statement
    return ir.Parameter[ir.Declared](
        name=work.names.qualified(entry, level),
        role=entry.role,
        unit=units.canonical_unit(dimension),
        title=entry.title,
        prior=prior,
        origin=entry.origin,
        because=(statement.because or "") if statement else "",
        place=place(entry.span, work.texts),
    )


def _definition(
    work: Elaborator, entry: Entry, level: int | None, dimension: units.Dimension
) -> ir.Definition | None:
    statement = entry.statement
    assert isinstance(statement, tree.Let)
    typed = work.typer.expression(statement.value, Context(entry.scope, level))
    if typed is None:
        return None
    if entry.signature is not None:
        expected = Expected(entry.name, dimension, entry.convention, entry.signature)
        if not fits(work.faults, typed, expected, statement.value):
            return None
        if not _inside(work, entry, typed.value):
            return None
    free = entry.signature is None or entry.signature.computed
    return ir.Definition(
        name=work.names.qualified(entry, level),
        role=entry.role,
        unit=units.canonical_unit(dimension),
        title=entry.title,
        value=typed.value,
        derived=free and not isinstance(typed.value, ir.Const),
        origin=entry.origin,
        because=statement.because or "",
        place=place(entry.span, work.texts),
    )


def _of_file(
    work: Elaborator, entry: Entry, level: int | None, dimension: units.Dimension
) -> ir.Definition:
    """What the file of a component states: known with the data, as a statistic is."""
    label = work.names.levels.labels[level or 0] if entry.local else ""
    data = f"{work.data.name}[{label}]" if label else work.data.name
    column = ir.Ref(name=f"{data}.{entry.name}")
    return ir.Definition(
        name=work.names.qualified(entry, level),
        role=entry.role,
        unit=units.canonical_unit(dimension),
        title=entry.title,
        value=ir.Apply(function="mean", arguments=(column,)),
        origin=entry.origin,
    )


def _inside(work: Elaborator, entry: Entry, value: ir.Expression) -> bool:
    """A fixed value must lie where the parameter can be."""
    signature = entry.signature
    if signature is None or not isinstance(value, ir.Const):
        return True
    low, high = signature.low, signature.high
    number = value.value
    if (low is not None and number < low) or (high is not None and number > high):
        bottom = "−∞" if low is None else f"{low:g}"
        top = "∞" if high is None else f"{high:g}"
        limits = f"[{bottom}, {top}] {signature.unit}".rstrip()
        assert isinstance(entry.statement, tree.Let)
        span = entry.statement.value.span
        work.faults.add("value-outside", span, name=entry.name, range=limits)
        return False
    return True


# ---------------------------------------------------------------------- spectra


def _spectra(work: Elaborator, noises: list[ir.Noise]) -> tuple[ir.Spectrum, ...]:
    spectra = []
    for level, label in enumerate(work.names.levels.labels):
        scalars = {s.symbol: s.symbol for s in work.scalar_signatures()}
        scalars |= {name: f"{work.data.name}.{name}" for name in work.nuisances()}
        spectra.append(
            ir.Spectrum(
                data=work.data.name,
                label=label,
                sites=tuple(_sites(work, level)),
                scalars={
                    key: work.names.qualified(work.names.entries[name], level)
                    for key, name in scalars.items()
                },
                baseline=str(work.own.known.get("baseline", "constant")),
                noise=noises[level],
            )
        )
    return tuple(spectra)


def _said_of(component: Component) -> dict[str, str]:
    """The texts that a component states."""
    said = {"state": component.state} if component.state else {}
    files = component.files.items()
    return said | {
        k: item.value.value for k, item in files if isinstance(item.value, tree.String)
    }


def _sites(work: Elaborator, level: int) -> list[ir.Site]:
    sites = []
    for component in work.components.found.values():
        where = {}
        for parameter in component.signature.parameters:
            entry = work.names.entries[f"{component.name}.{parameter.symbol}"]
            where[parameter.symbol] = work.names.qualified(entry, level)
        sites.append(
            ir.Site(
                name=component.name,
                title=component.block.title or "",
                kind=component.signature.name,
                parameters=where,
                record=work.citations.record(component.name),
                offered=work.citations.offered(component.name, level),
                settings=_said_of(component),
                place=place(component.block.span, work.texts),
            )
        )
    return sites
