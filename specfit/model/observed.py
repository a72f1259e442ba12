"""`observe spectrum.counts ~ law` → the noise law of a model.

A kind of model made of components knows what is expected, and the law says only how data
scatter about it: `poisson`, `gaussian(σ)`.  A `curve` says both: `normal(a * d.x, σ)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from specfit.language import tree
from specfit.model import ir
from specfit.model.declared import FAMILIES
from specfit.model.edge_baseline import on_baseline
from specfit.model.elaborate import Elaborator
from specfit.model.expressions import references
from specfit.model.faults import nearest
from specfit.model.names import Entry
from specfit.model.places import place
from specfit.model.quantities import Context, Typed, counted, mismatch
from specfit.units import DIMENSIONLESS, DIMENSIONS, Dimension

MEAN = "mean"
LAWS: Mapping[str, tuple[str, ...]] = {
    "poisson": (MEAN,),
    "negative_binomial": (MEAN, "excess"),
    "gaussian": (MEAN, "sd"),
    "student_t": ("df", MEAN, "sd"),
}
"""The arguments of each law, the mean among them, which only a `curve` states."""
SAME_AS = {"normal": "gaussian"}
USAGE = {
    "negative_binomial": "negative_binomial(excess = halfnormal(0.02))",
    "gaussian": "gaussian(sd = σ)",
    "student_t": "student_t(4, σ)",
}
CURVES = {
    "poisson": "poisson(a * {x})",
    "negative_binomial": "negative_binomial(a * {x}, excess = halfnormal(0.02))",
    "gaussian": "normal(a * {x}, σ)",
    "student_t": "student_t(4, a * {x}, σ)",
}


def noise_of(work: Elaborator, level: int = 0) -> ir.Noise | None:
    """The noise law at a level; an argument becomes a parameter where it is a prior."""
    if len(work.observed) != 1:
        _count(work)
        return None
    item = work.observed[0]
    if not _is_measured(work, item):
        return None
    if item.prior.bounds is not None:
        work.faults.add("observe-bounds", item.prior.bounds.span)
        return None
    law = item.prior.centre
    word = law.function.text if isinstance(law, tree.Call) else ""
    word = law.text if isinstance(law, tree.Path) else word
    name = SAME_AS.get(word, word)
    if name not in work.kind.noises or not _suits(work, item, name):
        span, known = item.prior.span, nearest(word, _laws(work, item))
        work.faults.add("unknown-noise", span, name=word, known=known)
        return None
    given = _arguments(work, item, name, level)
    if given is None:
        return None
    mean = given.pop(MEAN, None)
    if not _noise_once(work, item, tuple(given.values())):
        return None
    mean = mean and on_baseline(work, mean, level)
    where = place(item.span, work.texts)
    values = tuple(given.values())
    return ir.Noise(family=name, arguments=values, mean=mean, place=where)


def _noise_once(
    work: Elaborator, item: tree.Observe, arguments: tuple[ir.Expression, ...]
) -> bool:
    """Is the noise of each datum not stated twice: by a column, and by a setting?"""
    said = [key for key in work.kind.words if key in work.own.spans]
    named = {name for argument in arguments for name in references(argument)}
    columns = {f".{column}" for column in work.names.columns}
    by_column = any(name[name.rfind(".") :] in columns for name in named)
    if work.kind.ranges and said and by_column:
        work.faults.add("exafs-noise", item.prior.span, key=said[0])
        return False
    return True


def _dimension(work: Elaborator, item: tree.Observe) -> Dimension:
    return work.names.columns.get(item.target.text.partition(".")[2], DIMENSIONLESS)


def _suits(work: Elaborator, item: tree.Observe, name: str) -> bool:
    """A law of counts is for counts."""
    counts = _dimension(work, item) == DIMENSIONS["counts"]
    return counts or name in ("gaussian", "student_t")


def _laws(work: Elaborator, item: tree.Observe) -> list[str]:
    return [name for name in work.kind.noises if _suits(work, item, name)]


def _is_measured(work: Elaborator, item: tree.Observe) -> bool:
    """Is it the column that the data block says was measured?"""
    wanted = work.data.reading
    known = [wanted] if wanted else list(work.names.columns)
    targets = [f"{work.data.name}.{column}" for column in known]
    if item.target.text in targets:
        return True
    if work.data.sound or wanted:
        name = item.target.text
        said = f"`{targets[0]}`" if len(targets) == 1 else nearest(name, targets)
        work.faults.add("observe-target", item.target.span, name=name, known=said)
    return False


def _count(work: Elaborator) -> None:
    column = f"{work.data.name}.{work.data.reading or 'y'}"
    if work.observed:
        note = (work.observed[0].span, "first-here", dict[str, str]())
        span = work.observed[1].span
        work.faults.add("observe-twice", span, column=column, note=note)
    elif not work.faults.excuses("observe"):
        x = f"{work.data.name}.{work.data.axis or 'x'}"
        usual = _usual(work).format(x=x)
        work.faults.add(
            "observe-missing", work.block.name_span, column=column, law=usual
        )


def _usual(work: Elaborator) -> str:
    """The law that most such models have."""
    counts = work.names.columns.get(work.data.reading) == DIMENSIONS["counts"]
    if not work.kind.component:
        return CURVES["poisson" if counts else "gaussian"]
    return "poisson" if counts else USAGE["gaussian"]


def _arguments(
    work: Elaborator, item: tree.Observe, name: str, level: int
) -> dict[str, ir.Expression] | None:
    law = item.prior.centre
    given = law.arguments if isinstance(law, tree.Call) else ()
    states_mean = not work.kind.component
    wanted = [w for w in LAWS[name] if states_mean or w != MEAN]
    if len(given) != len(wanted):
        usage = CURVES[name] if states_mean else USAGE.get(name, name)
        usage = usage.format(x=f"{work.data.name}.{work.data.axis or 'x'}")
        span, count = item.prior.span, counted(len(wanted))
        work.faults.add("argument-count", span, name=name, count=count, usage=usage)
        return None
    found: dict[str, ir.Expression] = {}
    for argument, symbol in zip(given, wanted, strict=True):
        signal = _dimension(work, item) if symbol in (MEAN, "sd") else DIMENSIONLESS
        value = _argument(work, argument, symbol, signal, level)
        if value is not None:
            found[symbol] = value
    return found if len(found) == len(wanted) else None


def _argument(
    work: Elaborator,
    argument: tree.Argument,
    symbol: str,
    wanted: Dimension,
    level: int,
) -> ir.Expression | None:
    if argument.name not in (None, symbol):
        key, known = str(argument.name), nearest(str(argument.name), [symbol])
        work.faults.add("unknown-key", argument.span, key=key, known=known)
        return None
    value = argument.value
    if isinstance(value, tree.Call) and value.function.text in FAMILIES:
        return _inferred(work, argument, value, symbol, wanted, level)
    context = replace(Context(level=level), array=symbol in (MEAN, "sd"))
    typed = work.typer.expression(value, context)
    return _agreed(work, typed, wanted, argument)


def _agreed(
    work: Elaborator, typed: Typed | None, wanted: Dimension, argument: tree.Argument
) -> ir.Expression | None:
    if typed is None:
        return None
    if typed.dimension != wanted:
        mismatch(work.faults, wanted, typed.dimension, argument.span)
        return None
    return typed.value


def _inferred(
    work: Elaborator,
    argument: tree.Argument,
    value: tree.Call,
    symbol: str,
    wanted: Dimension,
    level: int,
) -> ir.Expression | None:
    name = f"{work.data.name}.{symbol}"
    if name not in work.names.entries:
        target = tree.Path((tree.Part(name),))
        statement = tree.Sample((target,), tree.Prior(value), span=argument.span)
        local = work.components.everything_local
        work.names.add(Entry(name=name, role=symbol, statement=statement, local=local))
        work.names.used.add(name)
    entry = work.names.entries[name]
    dimension = work.meanings.dimension_of(entry)
    if dimension is None:
        return None
    own = ir.Ref(name=work.names.qualified(entry, level))
    return _agreed(work, Typed(own, dimension), wanted, argument)
