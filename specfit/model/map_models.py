"""The factorisation of a file, with its `run` and `report`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.language import tree
from specfit.model.data_columns import DataBlock
from specfit.model.factorisations import FactorisationReader
from specfit.model.factorising import Factorising, MapReport, MapRun
from specfit.model.faults import Faults, nearest
from specfit.model.image_kinds import HYPERSPECTRAL, MAP_KINDS
from specfit.model.map_settings import map_report, map_run
from specfit.model.outline import Outline, kind_word
from specfit.model.places import word_place


def factorisations(
    found: Outline,
    data: Mapping[str, DataBlock],
    constants: Mapping[str, Any],
    faults: Faults,
    texts: Mapping[str, str],
) -> tuple[Factorising, ...]:
    """The one factorisation that a file may have; none where it is at fault."""
    (block, *more) = found.maps.values()
    if (word := kind_word(block)) not in MAP_KINDS and block.kind is not None:
        near = nearest(word, MAP_KINDS)
        faults.add("unknown-kind", block.kind.span, name=word, known=near)
    others = (
        *found.models.values(),
        *found.analyses.values(),
        *found.variants.values(),
    )
    for other in (*more, *others):
        faults.add("map-alone", other.name_span, name=block.name or "")
    source = _cube(block, data, faults, texts)
    if source is None:
        return ()
    reader = FactorisationReader(block, source, constants, faults, texts)
    made = reader.read()
    run, report = MapRun(), MapReport()
    for one in found.runs:
        run = map_run(one, faults, texts)
    symbol = reader.weights.symbol
    absent = () if "drift" in reader.seen else ("drift",)
    for one in found.reports:
        report = map_report(one, reader.names, symbol, faults, absent)
    if made is None:
        return ()
    return (made.model_copy(update={"run": run, "report": report}),)


def _cube(
    block: tree.Block,
    data: Mapping[str, DataBlock],
    faults: Faults,
    texts: Mapping[str, str],
) -> DataBlock | None:
    """The one map that a factorisation stands on; None where that is at fault."""
    if len(block.on) != 1:
        faults.add("on-one-data", block.name_span, name=block.name or "")
        return None
    name = block.on[0]
    source = data.get(name)
    if source is None:
        if not faults.excuses(name):
            span = word_place(block.span, "on", name, texts)
            faults.add("unknown-data", span, name=name, known=nearest(name, data))
        return None
    if source.kind is not HYPERSPECTRAL:
        faults.add("data-kind", block.span, name=name, kind=HYPERSPECTRAL.name)
        return None
    if source.levels.dimension:
        faults.add("map-levels", source.span, name=name)
        return None
    return source if source.sound_columns else None
