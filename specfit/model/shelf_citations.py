"""`a ~ db("NMC111.a", x = 0.55, widen = 2)`: a citation of a record on a shelf."""

from __future__ import annotations

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.cited_numbers import WIDEN, CitedNumbers
from specfit.model.densities import Expected
from specfit.model.quantities import Context, mismatch
from specfit.model.records import RecordError
from specfit.model.shelf import Shelf
from specfit.model.shelves import shelf_of
from specfit.model.typed import Typer


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
    typer: Typer,
    context: Context,
    measured_at: float | None = None,
) -> ir.Citation | None:
    """The citation, None where a fault in it was reported.

    measured_at: K, of the data, where they state one temperature.
    """
    first, faults = call.arguments[0], typer.faults
    assert isinstance(first.value, tree.String)  # `shelf_cited` has seen to it
    record, _, symbol = first.value.value.rpartition(".")
    dimension = units.DIMENSIONS[shelf.symbols[symbol]]
    if expected.dimension not in (None, dimension):
        mismatch(faults, expected.dimension or (), dimension, first.span)
        return None
    wanted = {"T": units.DIMENSIONS["temperature"], WIDEN: units.DIMENSIONLESS}
    wanted |= dict.fromkeys(shelf.given, units.DIMENSIONLESS)
    numbers = CitedNumbers(typer, faults, wanted, "db-number")
    given = numbers.read(call.arguments[1:], context)
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
        widen=given.get(WIDEN, 1.0),
        low=signature.low if signature else None,
        high=signature.high if signature else None,
    )
