"""The second data block of a model: the spectra that those of the first are made of."""

from __future__ import annotations

from dataclasses import dataclass

from specfit.indices import of_basis
from specfit.language import tree
from specfit.model import ir
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, nearest
from specfit.model.levels import Levels
from specfit.units import Dimension


@dataclass(frozen=True)
class Basis:
    """The block that others are made of, its levels as the model or a variant has them."""

    block: DataBlock
    levels: Levels

    @property
    def sources(self) -> tuple[ir.DataSource, ...]:
        """The file of each."""
        by_label = {source.label: source for source in self.block.sources}
        return tuple(by_label[label] for label in self.levels.labels)

    @property
    def columns(self) -> dict[str, Dimension]:
        """What was measured of each, by the name it has in the text."""
        name, column = self.block.name, self.block.reading
        dimension = self.block.columns[column]
        return {f"{name}[{label}].{column}": dimension for label in self.levels.labels}

    @property
    def axis(self) -> Dimension:
        """Of its axis."""
        return self.block.columns[self.block.axis]


def basis_of(
    block: tree.Block,
    data: DataBlock,
    basis: DataBlock,
    overrides: tuple[tree.AnyStatement, ...],
    faults: Faults,
) -> Basis | None:
    """The bases of a model, those that a variant leaves; None where a fault was told."""
    levels = basis.levels
    if not levels.dimension:
        faults.add("basis-dimension", basis.span, name=basis.name)
        return None
    if levels.dimension == data.levels.dimension:
        words = {"name": levels.dimension, "data": data.name, "basis": basis.name}
        faults.say("basis-same-dimension", block.name_span, words)
        return None
    if not (basis.sound_columns and data.sound_columns):
        return None
    alike = basis.reading == data.reading and basis.axis == data.axis
    if not alike:
        faults.add("basis-columns", block.name_span, data=data.name, basis=basis.name)
        return None
    for item in overrides:
        if is_choice(item, basis):
            chosen = _chosen(item, levels, faults)
            if chosen is None:
                return None
            levels = chosen
    return Basis(basis, levels)


def is_choice(item: tree.AnyStatement, basis: DataBlock) -> bool:
    """`basis.soc = [0, 20, 40] %`, in a variant."""
    wanted = f"{basis.name}.{basis.levels.dimension}"
    return isinstance(item, tree.Let) and item.target.text == wanted


def _chosen(item: tree.AnyStatement, levels: Levels, faults: Faults) -> Levels | None:
    assert isinstance(item, tree.Let)
    value = item.value
    if not isinstance(value, tree.ListOf) or not value.items:
        faults.add("basis-choice", value.span, name=levels.dimension)
        return None
    kept: list[int] = []
    for one in value.items:
        label = label_of(one)
        if label not in levels.labels or levels.labels.index(label) in kept:
            known = nearest(label, levels.labels)
            words = {"name": levels.dimension, "label": label, "known": known}
            faults.say("unknown-level", one.span, words)
            return None
        kept.append(levels.labels.index(label))
    return Levels(
        levels.dimension,
        tuple(levels.labels[i] for i in kept),
        tuple(levels.conditions[i] for i in kept),
    )


def label_of(node: tree.Expr) -> str:
    """The label that an index stands for."""
    match node:
        case tree.Number(text=text):
            return text
        case tree.String(value=text):
            return text
        case tree.Path():
            return node.text
    return "?"


def still(text: str) -> ir.Expression:
    """`basis[20].mu` as it stands: the spectrum of that basis, shifted by nothing."""
    head, _, column = text.rpartition(".")
    data, _, label = head.removesuffix("]").partition("[")
    whole = ir.Ref(name=of_basis(data, label, column))
    return ir.Apply(function="shift", arguments=(whole, ir.Const(value=0.0)))
