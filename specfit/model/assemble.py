"""The last step of a model block: entries → the flat, frozen `Model[Declared]`."""

from __future__ import annotations

from dataclasses import dataclass

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.declared import Expected
from specfit.model.declared import FAMILIES as PRIOR_FAMILIES
from specfit.model.elaborate import Elaborator
from specfit.model.expressions import linear_form, references
from specfit.model.names import Entry
from specfit.model.places import place
from specfit.model.typed import Context
from specfit.model.faults import nearest


@dataclass
class Pieces:
    """What the entries turn into."""

    parameters: list[ir.Parameter[ir.Declared]]
    definitions: list[ir.Definition]


def assemble(work: Elaborator) -> ir.Model[ir.Declared] | None:
    """The typed model, or None when anything in it is at fault."""
    work.settle()
    noise = _noise(work)
    pieces = Pieces([], [])
    for entry in list(work.names.entries.values()):
        for level in work.contexts(entry):
            _piece(work, entry, level, pieces)
    rules = work.built_rules()
    joints = _joints(work)
    _unused(work)
    _fractions_determined(work, pieces, rules, joints)
    if work.faults.errors or noise is None:
        return None
    return ir.Model[ir.Declared](
        name=work.block.name or work.kind.name,
        kind=work.kind.name,
        title=work.block.title or "",
        parameters=tuple(pieces.parameters),
        definitions=tuple(pieces.definitions),
        joints=joints,
        rules=rules,
        spectra=_spectra(work, noise),
        sources=work.data.sources,
        settings=work.settings,
    )


# ----------------------------------------------------- parameters, definitions


def _piece(work: Elaborator, entry: Entry, level: int | None, into: Pieces) -> None:
    dimension = work.dimension_of(entry)
    if dimension is None or entry.record == "joint":
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
    prior: ir.Dist | ir.Citation,
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
        if not work.priors.fits(typed, expected, statement.value):
            return None
        if not _inside(work, entry, typed.value):
            return None
    return ir.Definition(
        name=work.names.qualified(entry, level),
        role=entry.role,
        unit=units.canonical_unit(dimension),
        title=entry.title,
        value=typed.value,
        derived=entry.signature is None and not isinstance(typed.value, ir.Const),
        origin=entry.origin,
        because=statement.because or "",
        place=place(entry.span, work.texts),
    )


def _inside(work: Elaborator, entry: Entry, value: ir.Expression) -> bool:
    """A fixed value must lie where the parameter can be."""
    signature = entry.signature
    if signature is None or not isinstance(value, ir.Const):
        return True
    low, high = signature.low, signature.high
    number = value.value
    if (low is not None and number < low) or (high is not None and number > high):
        work.faults.add(
            "value-outside",
            entry.span,
            name=entry.name,
            low="−∞" if low is None else f"{low:g}",
            high="∞" if high is None else f"{high:g}",
            unit=signature.unit,
        )
        return False
    return True


# ------------------------------------------------------------ joints, fractions


def _joints(work: Elaborator) -> tuple[ir.Joint, ...]:
    made = []
    for names, _, joint in work.fractions.joints:
        first = work.names.entries.get(names[0])
        if first is None:
            continue
        for level in work.contexts(first):
            entries = [work.names.entries[name] for name in names]
            qualified = tuple(work.names.qualified(e, level) for e in entries)
            total = _total(work, names)
            made.append(joint.model_copy(update={"names": qualified, "total": total}))
    return tuple(made)


def _total(work: Elaborator, names: tuple[str, ...]) -> float:
    """What is left for the members of a joint once fixed fractions are taken away."""
    total = 1.0
    for component in work.components.found:
        name = f"{component}.{work.kind.fraction}"
        entry = work.names.entries.get(name)
        if entry is None or name in names or not isinstance(entry.statement, tree.Let):
            continue
        typed = work.typer.expression(entry.statement.value, Context(entry.scope, 0))
        if typed is not None and isinstance(typed.value, ir.Const):
            total -= typed.value.value
    if total <= 0:
        span = work.names.entries[names[0]].span
        work.faults.add("fractions-exceed-one", span)
        return 1.0
    return total


def _fractions_determined(
    work: Elaborator,
    pieces: Pieces,
    rules: tuple[ir.Rule, ...],
    joints: tuple[ir.Joint, ...],
) -> None:
    """The fractions must sum to one by what was said, or by a `require`."""
    names = [f"{c}.{work.kind.fraction}" for c in work.components.found]
    entries = [work.names.entries[name] for name in names if name in work.names.entries]
    if not entries or work.faults.errors:
        return
    level = 0 if work.names.levels.labels == ("",) or entries[0].local else None
    qualified = [work.names.qualified(entry, level) for entry in entries]
    total: ir.Expression = ir.Const(value=0.0)
    for name in qualified:
        term: ir.Expression = ir.Ref(name=name)
        total = ir.Apply(function="+", arguments=(total, term))
    values = {d.name: d.value for d in pieces.definitions}
    for joint in joints:
        rest: ir.Expression = ir.Const(value=joint.total)
        for other in joint.names[:-1]:
            rest = ir.Apply(function="-", arguments=(rest, ir.Ref(name=other)))
        values[joint.names[-1]] = rest
    form = linear_form(_inlined(total, values, 8), {})
    if form is not None and _is_one(form):
        return
    equal = [r for r in rules if r.kind == "require" and _equality(r.expression)]
    if any(references(rule.expression) & set(qualified) for rule in equal):
        return
    work.faults.add("fractions-not-one", entries[0].span, names=", ".join(qualified))


def _inlined(
    value: ir.Expression, values: dict[str, ir.Expression], depth: int
) -> ir.Expression:
    if isinstance(value, ir.Ref) and value.name in values and depth:
        return _inlined(values[value.name], values, depth - 1)
    if isinstance(value, ir.Apply):
        arguments = tuple(_inlined(a, values, depth) for a in value.arguments)
        return ir.Apply(function=value.function, arguments=arguments)
    return value


def _is_one(form: object) -> bool:
    coefficients = getattr(form, "coefficients", {})
    rest = getattr(form, "constant", 0.0)
    return abs(rest - 1.0) < 1e-9 and all(abs(c) < 1e-12 for c in coefficients.values())


def _equality(value: ir.Expression) -> bool:
    return isinstance(value, ir.Apply) and (
        value.function == "=="
        or (value.function == "and" and any(_equality(a) for a in value.arguments))
    )


# ------------------------------------------------------------- noise, spectra


def _noise(work: Elaborator) -> tuple[str, tuple[ir.Expression, ...], tree.Span] | None:
    """The noise law, with an anonymous parameter where its argument is a prior."""
    if len(work.observed) != 1:
        code = "observe-missing" if not work.observed else "observe-twice"
        span = work.observed[1].span if work.observed else work.block.name_span
        column = f"{work.data.name}.{work.kind.observed}"
        work.faults.add(code, span, column=column)
        return None
    item = work.observed[0]
    column = f"{work.data.name}.{work.kind.observed}"
    if item.target.text != column:
        known = nearest(item.target.text, [column])
        span = item.target.span
        work.faults.add("observe-target", span, name=item.target.text, known=known)
        return None
    law = item.prior.centre
    name = law.function.text if isinstance(law, tree.Call) else ""
    name = law.text if isinstance(law, tree.Path) else name
    if name not in work.kind.noises:
        known = nearest(name, work.kind.noises)
        work.faults.add("unknown-noise", item.prior.span, name=name, known=known)
        return None
    arguments = law.arguments if isinstance(law, tree.Call) else ()
    if len(arguments) != (name == "negative_binomial"):
        count = "1" if name == "negative_binomial" else "0"
        work.faults.add("argument-count", item.prior.span, name=name, count=count)
        return None
    values = tuple(_noise_argument(work, argument) for argument in arguments)
    if any(value is None for value in values):
        return None
    return name, tuple(v for v in values if v is not None), item.span


def _noise_argument(work: Elaborator, argument: tree.Argument) -> ir.Expression | None:
    value = argument.value
    if isinstance(value, tree.Call) and value.function.text in PRIOR_FAMILIES:
        name = f"{work.data.name}.{argument.name or 'excess'}"
        target = tree.Path((tree.Part(name),))
        statement = tree.Sample((target,), tree.Prior(value), span=argument.span)
        work.names.add(Entry(name=name, role="excess", statement=statement))
        work.names.used.add(name)
        return ir.Ref(name=name)
    typed = work.typer.expression(value, Context(level=0))
    return typed.value if typed else None


def _spectra(
    work: Elaborator, noise: tuple[str, tuple[ir.Expression, ...], tree.Span]
) -> tuple[ir.Spectrum, ...]:
    family, arguments, span = noise
    law = ir.Noise(family=family, arguments=arguments, place=place(span, work.texts))
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
                baseline=str(work.settings.get("baseline", "constant")),
                noise=law,
            )
        )
    return tuple(spectra)


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
                kind=component.kind,
                parameters=where,
                record=work.citations.record(component.name),
                place=place(component.block.span, work.texts),
            )
        )
    return sites


def _unused(work: Elaborator) -> None:
    """An unknown of the model's own that nothing uses only widens the answer."""
    for entry in work.names.entries.values():
        loose = entry.signature is None and isinstance(entry.statement, tree.Sample)
        if loose and entry.name not in work.names.used:
            work.faults.add("unused-parameter", entry.span, name=entry.name)
