"""Which quantities stand in the columns of a table that has a row for each level.

A column is a name of the model (`a`), a component's parameter (`p003.xc`), or a symbol,
which stands for that parameter of every component that has it.  A quantity that all
levels share is the same in each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specfit.indices import at_level, level_of, without_level
from specfit.model import ir

Columns = tuple[str, ...]


def columns_of(model: ir.Model[ir.Prior], wanted: Sequence[str]) -> Columns:
    """The columns wanted, a symbol spelt out for each component in its order.

    Where none is, every symbol of every component, then the model's own.
    """
    first = model.spectra[0]
    if not wanted:
        own = [f"{s.name}.{p}" for s in first.sites for p in s.parameters]
        return (*own, *first.scalars)
    found: dict[str, None] = {}
    families = _families(model)
    for text in wanted:
        found |= dict.fromkeys(families.get(text, ()))
        if text in families:
            continue
        holders = [s.name for s in first.sites if text in s.parameters]
        shared = text in first.scalars or "." in text or not holders
        found |= dict.fromkeys([text] if shared else [f"{n}.{text}" for n in holders])
    return tuple(found)


def _families(model: ir.Model[ir.Prior]) -> Mapping[str, Columns]:
    """The names behind `w`, where the model has `w[0]`, `w[20]` … at each level."""
    label = model.spectra[0].label
    found: dict[str, list[str]] = {}
    for name in [name for joint in model.joints for name in joint.names]:
        if level_of(name, [label]) and (plain := without_level(name)).endswith("]"):
            found.setdefault(plain.partition("[")[0], []).append(plain)
    return {head: tuple(names) for head, names in found.items()}


def names_by_level(
    model: ir.Model[ir.Prior], columns: Columns
) -> Mapping[str, tuple[str | None, ...]]:
    """For each label, the quantity in each column; None where a level has none."""
    known = {p.name for p in model.parameters} | {d.name for d in model.definitions}
    known |= {name for joint in model.joints for name in joint.names}
    return {
        spectrum.label: tuple(_name(spectrum, text, known) for text in columns)
        for spectrum in model.spectra
    }


def _name(spectrum: ir.Spectrum, text: str, known: set[str]) -> str | None:
    if text in spectrum.scalars:
        return spectrum.scalars[text]
    component, _, symbol = text.partition(".")
    for site in spectrum.sites:
        if site.name == component and symbol in site.parameters:
            return site.parameters[symbol]
    level = at_level(text, spectrum.label)
    return next((name for name in (level, text) if name in known), None)
