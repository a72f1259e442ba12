"""What a combination of spectra stands on where normalisation is not perfect."""

from __future__ import annotations

from specfit.model import ir
from specfit.model.elaborate import Elaborator
from specfit.model.lcf_kinds import EDGE
from specfit.model.quantities import apply


def on_baseline(work: Elaborator, mean: ir.Expression, level: int) -> ir.Expression:
    """Level + slope (E − E0) + (step + post (E − E0)) × mean, where a model has that."""
    if work.own.baseline != EDGE:
        return mean

    def named(symbol: str) -> ir.Expression:
        entry = work.names.entries[symbol]
        return ir.Ref(name=work.names.qualified(entry, level))

    label = work.names.levels.labels[level]
    data = f"{work.data.name}[{label}]" if label else work.data.name
    axis = ir.Ref(name=f"{data}.{work.data.axis}")
    beyond = apply("-", axis, named("E0"))
    line = apply("+", named("level"), apply("*", named("slope"), beyond))
    scale = apply("+", named("step"), apply("*", named("post"), beyond))
    return apply("+", line, apply("*", scale, mean))
