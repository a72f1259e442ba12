"""The two functions that statements about features are spelt out with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.functions import HORSESHOE, WEIGHTED_SUM
from specfit.model.quantities import Typed, apply, mismatch
from specfit.units import DIMENSIONLESS, Dimension

if TYPE_CHECKING:
    from specfit.model.typed import Typer

FEATURE_CALLS = (HORSESHOE, WEIGHTED_SUM)


def feature_call(
    typer: Typer, name: str, node: tree.Call, arguments: list[Typed]
) -> Typed | None:
    """`regularized_horseshoe(z, λ, τ, slab, 1 unit)` or `weighted_sum(features, β, …)`."""
    if name == WEIGHTED_SUM:
        return _sum(typer, node, arguments)
    unit, local, scale, slab, one = arguments
    assert isinstance(one.value, ir.Const)
    factor, wanted = one.value.value, one.dimension
    squared = units.multiply(wanted, wanted, 1)
    tau = _in(typer, scale, wanted, factor, node.arguments[2])
    variance = _in(typer, slab, squared, factor**2, node.arguments[3])
    if tau is None or variance is None:
        return None
    return Typed(apply(name, unit.value, local.value, tau, variance), wanted)


def _in(
    typer: Typer, typed: Typed, wanted: Dimension, factor: float, at: tree.Argument
) -> ir.Expression | None:
    """The argument, a bare number taking the unit written after the bracket."""
    if typed.dimension == wanted:
        return typed.value
    if typed.dimension == DIMENSIONLESS:
        scaled = factor != 1.0
        return (
            apply("*", ir.Const(value=factor), typed.value) if scaled else typed.value
        )
    mismatch(typer.faults, wanted, typed.dimension, at.span)
    return None


def _sum(typer: Typer, node: tree.Call, arguments: list[Typed]) -> Typed | None:
    first = arguments[1].dimension
    for typed in arguments[2:]:
        if typed.dimension != first:
            mismatch(typer.faults, first, typed.dimension, node.span)
            return None
    return Typed(apply(WEIGHTED_SUM, *(a.value for a in arguments)), first)
