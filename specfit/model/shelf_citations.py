"""`a ~ db("NMC111.a", x = 0.55, widen = 2)`: a citation of a record on a shelf."""

from __future__ import annotations

from collections.abc import Callable

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.densities import Expected
from specfit.model.faults import Faults, nearest
from specfit.model.quantities import Context, mismatch
from specfit.model.records import RecordError
from specfit.model.shelf import Shelf
from specfit.model.shelves import shelf_of
from specfit.units import Dimension

Number = Callable[[tree.Expr, Dimension, Context], float | None]
"""Reads a known positive number, or reports why it is none."""


def shelf_cited(call: tree.Call) -> Shelf | None:
    """The shelf whose symbol the record named by a call of `db` ends with."""
    first = call.arguments[0] if call.arguments else None
    if first is None or first.name or not isinstance(first.value, tree.String):
        return None
    record, dot, symbol = first.value.value.rpartition(".")
    return shelf_of(symbol) if record and dot else None


def cited_from(
    shelf: Shelf,
    call: tree.Call,
    expected: Expected,
    faults: Faults,
    number: Number,
    context: Context,
    measured_at: float | None = None,
) -> ir.Citation | None:
    """The citation, None where a fault in it was reported.

    measured_at: K, of the data, where they state one temperature.
    """
    first = call.arguments[0]
    assert isinstance(first.value, tree.String)  # `shelf_cited` has seen to it
    record, _, symbol = first.value.value.rpartition(".")
    dimension = units.DIMENSIONS[shelf.symbols[symbol]]
    if expected.dimension not in (None, dimension):
        mismatch(faults, expected.dimension or (), dimension, first.span)
        return None
    given = _given(shelf, call.arguments[1:], faults, number, context)
    if given is None:
        return None
    key = shelf.key(record, given)
    try:
        recorded = shelf.temperature(key, symbol)
    except RecordError as error:
        faults.say(error.code, first.span, error.words)
        return None
    signature = expected.signature
    return ir.Citation(
        record=key,
        parameter=symbol,
        temperature=given.get("T", measured_at or recorded),
        widen=given.get("widen", 1.0),
        low=signature.low if signature else None,
        high=signature.high if signature else None,
    )


def _given(
    shelf: Shelf,
    arguments: tuple[tree.Argument, ...],
    faults: Faults,
    number: Number,
    context: Context,
) -> dict[str, float] | None:
    wanted = {"T": units.DIMENSIONS["temperature"], "widen": units.DIMENSIONLESS}
    wanted |= dict.fromkeys(shelf.given, units.DIMENSIONLESS)
    found: dict[str, float] = {}
    for argument in arguments:
        name = argument.name or ""
        if name not in wanted:
            known = nearest(name, wanted)
            faults.add("unknown-key", argument.span, key=name, known=known)
            return None
        value = number(argument.value, wanted[name], context)
        if value is None:
            return None
        found[name] = value
    return found
