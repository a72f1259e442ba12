"""`observe spectrum.counts ~ law` → the noise law of a model."""

from __future__ import annotations

from specfit.language import tree
from specfit.model import ir
from specfit.model.declared import FAMILIES
from specfit.model.elaborate import Elaborator
from specfit.model.faults import nearest
from specfit.model.names import Entry
from specfit.model.places import place
from specfit.model.quantities import Context, counted, mismatch
from specfit.units import DIMENSIONLESS

EXCESS = "excess"
"""The one argument of a noise law: the excess variance of over-dispersed counts."""


def noise_of(work: Elaborator) -> ir.Noise | None:
    """The noise law; its argument becomes a parameter where it is a prior."""
    column = f"{work.data.name}.{work.kind.observed}"
    if len(work.observed) != 1:
        _count(work, column)
        return None
    item = work.observed[0]
    if item.target.text != column:
        name, known = item.target.text, f"`{column}`"
        work.faults.add("observe-target", item.target.span, name=name, known=known)
        return None
    if item.prior.bounds is not None:
        work.faults.add("observe-bounds", item.prior.bounds.span)
        return None
    law = item.prior.centre
    name = law.function.text if isinstance(law, tree.Call) else ""
    name = law.text if isinstance(law, tree.Path) else name
    if name not in work.kind.noises:
        span, known = item.prior.span, nearest(name, work.kind.noises)
        work.faults.add("unknown-noise", span, name=name, known=known)
        return None
    arguments = _arguments(work, item, name)
    if arguments is None:
        return None
    where = place(item.span, work.texts)
    return ir.Noise(family=name, arguments=arguments, place=where)


def _count(work: Elaborator, column: str) -> None:
    if work.observed:
        note = (work.observed[0].span, "first-here", dict[str, str]())
        span = work.observed[1].span
        work.faults.add("observe-twice", span, column=column, note=note)
    elif not work.faults.excuses("observe"):
        work.faults.add("observe-missing", work.block.name_span, column=column)


def _arguments(
    work: Elaborator, item: tree.Observe, name: str
) -> tuple[ir.Expression, ...] | None:
    law = item.prior.centre
    given = law.arguments if isinstance(law, tree.Call) else ()
    if len(given) != (name == "negative_binomial"):
        one = name == "negative_binomial"
        usage = f"{name}(excess = halfnormal(0.02))" if one else name
        span, count = item.prior.span, counted(int(one))
        work.faults.add("argument-count", span, name=name, count=count, usage=usage)
        return None
    values = [_argument(work, argument) for argument in given]
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


def _argument(work: Elaborator, argument: tree.Argument) -> ir.Expression | None:
    if argument.name not in (None, EXCESS):
        key, known = str(argument.name), nearest(str(argument.name), [EXCESS])
        work.faults.add("unknown-key", argument.span, key=key, known=known)
        return None
    value = argument.value
    if isinstance(value, tree.Call) and value.function.text in FAMILIES:
        return _inferred(work, argument, value)
    typed = work.typer.expression(value, Context(level=0))
    if typed is None:
        return None
    if typed.dimension != DIMENSIONLESS:
        mismatch(work.faults, DIMENSIONLESS, typed.dimension, argument.span)
        return None
    return typed.value


def _inferred(
    work: Elaborator, argument: tree.Argument, value: tree.Call
) -> ir.Expression | None:
    name = f"{work.data.name}.{EXCESS}"
    target = tree.Path((tree.Part(name),))
    statement = tree.Sample((target,), tree.Prior(value), span=argument.span)
    entry = Entry(name=name, role=EXCESS, statement=statement)
    work.names.add(entry)
    work.names.used.add(name)
    dimension = work.meanings.dimension_of(entry)
    if dimension is None:
        return None
    if dimension != DIMENSIONLESS:
        mismatch(work.faults, DIMENSIONLESS, dimension, argument.span)
        return None
    return ir.Ref(name=name)
