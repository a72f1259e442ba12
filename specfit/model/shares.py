"""Area fractions as they were said: their joint priors, and whether they sum to one."""

from __future__ import annotations

from collections.abc import Iterable

from specfit.language import tree
from specfit.model import ir
from specfit.model.elaborate import Elaborator
from specfit.model.expressions import linear_form, references
from specfit.model.faults import listing
from specfit.model.quantities import Context


def joints(work: Elaborator) -> tuple[ir.Joint, ...]:
    """The joint priors, once for each level."""
    made = []
    for names, _, joint in work.fractions.joints:
        first = work.names.entries.get(names[0])
        if first is None:
            continue
        for level in work.meanings.contexts(first.local):
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


def determined(
    work: Elaborator,
    definitions: Iterable[ir.Definition],
    rules: tuple[ir.Rule, ...],
    joints: tuple[ir.Joint, ...],
) -> None:
    """Report fractions that nothing said, a `require` included, makes sum to one."""
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
    values = {d.name: d.value for d in definitions}
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
    if form is not None and not any(form.coefficients.values()):
        said, total_said = listing(qualified), f"{form.constant:g}"
        span = entries[0].span
        work.faults.add("fractions-sum", span, names=said, sum=total_said)
        return
    plain = ", ".join(names)
    said = listing(qualified)
    work.faults.add("fractions-not-one", entries[0].span, names=said, plain=plain)


def _inlined(
    value: ir.Expression, values: dict[str, ir.Expression], depth: int
) -> ir.Expression:
    """`value` without the names of definitions, but for what is not linear."""
    if isinstance(value, ir.Ref) and value.name in values and depth:
        full = _inlined(values[value.name], values, depth - 1)
        return value if linear_form(full, {}) is None else full
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
