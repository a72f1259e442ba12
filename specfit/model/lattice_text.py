"""Lattice constants of the database as text, and the shelf that they stand on."""

from __future__ import annotations

from specfit.digits import decimals, fixed
from specfit.model import records
from specfit.model.ir import Prior
from specfit.model.lattices import (
    SYMBOLS,
    VAGUE,
    VAGUE_SHARE,
    Lattice,
    key,
    lattices,
    resolve,
    temperature,
)
from specfit.model.shelf import Shelf


def lines_of(prior: Prior) -> list[str]:
    """Lines that say where a lattice constant comes from."""
    said = prior.provenance
    assert said is not None
    lines = [
        f"{said.record}.{said.parameter} at {said.temperature:g} K:"
        f" {_rounded(said.location, said.scale)} Å"
    ]
    if said.widen != 1.0:
        lines.append(f"widened {said.widen:g} × → ± {said.scale * said.widen:.2g} Å")
    lines.append(f"scatter between samples, assumed: {said.scatter:.2g} Å")
    lines.append(f"{VAGUE_SHARE:g} of it is ± {VAGUE:.0%} of the constant")
    lines += [_record_line(lattices()[i], said.parameter) for i in said.observations]
    return lines + [f"note: {note}" for note in said.notes]


def _record_line(lattice: Lattice, symbol: str) -> str:
    origin = records.source(lattice.source)
    place = f" — {lattice.locator}" if lattice.locator else ""
    doi = f", doi:{origin.doi}" if origin.doi else ""
    return (
        f"record {lattice.id}: {_stated(lattice, symbol)} Å at {lattice.T_K:g} K,"
        f" {lattice.confidence.replace('_', ' ')}; {origin.citation}{doi}{place}"
    )


def _stated(lattice: Lattice, symbol: str) -> str:
    value, sd = lattice.lattice_A[symbol], lattice.unc_A.get(symbol)
    return f"{value:g}" if sd is None else _rounded(value, sd)


def _rounded(value: float, sd: float) -> str:
    places = decimals(sd)
    return f"{fixed(value, places)} ± {fixed(sd, places)}"


def _row(lattice: Lattice) -> tuple[str, ...]:
    constants = (f"{s} = {_stated(lattice, s)}" for s in lattice.lattice_A)
    return (
        lattice.id,
        lattice.formula,
        lattice.space_group,
        f"{lattice.T_K:g} K",
        ", ".join(constants),
        lattice.confidence,
        lattice.phase,
    )


def rows(words: str = "") -> list[tuple[str, ...]]:
    """The records in which every word occurs, under a header; empty without any."""
    wanted = words.casefold().split()
    found = [
        _row(lattice)
        for lattice in lattices().values()
        if all(word in "\n".join(_row(lattice)).casefold() for word in wanted)
    ]
    head = ("record", "formula", "group", "T", "lattice / Å", "read", "phase")
    return [head, *found] if found else []


def shown(record: str) -> list[str] | None:
    """One record: constants, reflections, source; None where it is not here."""
    lattice = lattices().get(record)
    if lattice is None:
        return None
    about = f"{lattice.space_group}, {lattice.T_K:g} K"
    lines = [f"{lattice.id} — {lattice.phase}  {lattice.formula}  {about}"]
    lines += [_record_line(lattice, symbol) for symbol in lattice.lattice_A]
    lines += [f"note: {lattice.note}"] if lattice.note else []
    for each in lattice.reflections:
        hkl = " ".join(f"{index:d}" for index in each.hkl)
        angles = ", ".join(f"{name} {x:g}" for name, x in each.two_theta.items())
        lines.append(f"  ({hkl})  d = {each.d_A:g} Å, 2θ / deg: {angles}")
    return lines


SHELF = Shelf(
    name="lattices",
    title="lattice constants",
    symbols=dict.fromkeys(SYMBOLS, "length"),
    given=("x",),
    key=key,
    temperature=temperature,
    resolve=resolve,
    lines_of=lines_of,
    rows=rows,
    shown=shown,
    causes="a zero shift or a displacement of the sample that is left out, another "
    "composition or state of charge, a wrong wavelength or indexing",
)
