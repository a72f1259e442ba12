"""The data that a model stands on: one block, or one and the bases it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.language import tree
from specfit.model.bases import Basis, basis_of
from specfit.model.clustered import is_clustered, like_its_series
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, listing, nearest
from specfit.model.kinds import ModelKind
from specfit.model.places import word_place


def standing(
    block: tree.Block,
    kind: ModelKind,
    data: Mapping[str, DataBlock],
    overrides: tuple[tree.AnyStatement, ...],
    faults: Faults,
    texts: Mapping[str, str],
) -> tuple[DataBlock, Basis | None] | None:
    """The data of a model and its bases, if its kind has any; None after a fault."""
    if len(block.on) != (2 if kind.basis else 1):
        code = "on-data-and-basis" if kind.basis else "on-one-data"
        faults.add(code, block.name_span, name=block.name or "")
        return None
    found = [_one(block, name, kind, data, faults, texts) for name in block.on]
    blocks = [one for one in found if one is not None]
    if len(blocks) < len(found):
        return None
    source = blocks[0]
    if source.kind.axes and not source.sound_columns:
        return None
    if not kind.basis:
        return source, None
    made = blocks[1]
    if is_clustered(made):
        made = like_its_series(made, source, faults)
    basis = basis_of(block, source, made, overrides, faults)
    return (source, basis) if basis else None


def _one(
    block: tree.Block,
    name: str,
    kind: ModelKind,
    data: Mapping[str, DataBlock],
    faults: Faults,
    texts: Mapping[str, str],
) -> DataBlock | None:
    source = data.get(name)
    if source is None:
        if not faults.excuses(name):
            span = word_place(block.span, "on", name, texts)
            faults.add("unknown-data", span, name=name, known=nearest(name, data))
        return None
    if source.kind.name not in kind.data.split(" or "):
        faults.add("data-kind", block.span, name=source.name, kind=kind.data)
        return None
    if kind.axes and source.sound_columns and source.axis not in kind.axes:
        words = {"name": source.name, "kind": kind.name, "axes": listing(kind.axes)}
        faults.say("data-axis", block.span, words)
        return None
    return source
