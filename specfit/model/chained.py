"""`feature = posterior(ni.w, lattice.a)`: features that other models of the file find.

Each row of the table is a level of those models: a column called as their dimension,
`stage = column("stage")`, says which.  `ni.w` stands for every `ni.w[…]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from specfit.diagnostics import Span
from specfit.indices import at_level, level_of, without_level
from specfit.language import tree
from specfit.model import ir
from specfit.model.data_columns import DataBlock, column_dimensions
from specfit.model.faults import Faults, nearest

POSTERIOR = "posterior"
"""The option of a table whose features are found by models, one a line."""
ROWS = "rows"
"""The option that names the column of the levels."""
Blocks = Mapping[str, DataBlock]
Models = Mapping[str, ir.Model[ir.Declared]]


def rests_on(source: ir.DataSource) -> tuple[str, ...]:
    """The models whose answers are features of this table, each once."""
    asked = str(source.options.get(POSTERIOR, ""))
    return tuple(dict.fromkeys(_head(text) for text in asked.split("\n") if text))


def is_chained(block: DataBlock | None) -> bool:
    """Whether the features of a table are found by other models."""
    return block is not None and any(rests_on(source) for source in block.sources)


def in_order(
    blocks: Iterable[tree.Block], data: Blocks
) -> tuple[list[tree.Block], list[tree.Block]]:
    """Blocks of models on measured data, and those on what these find."""
    first: list[tree.Block] = []
    later: list[tree.Block] = []
    for block in blocks:
        chained = any(is_chained(data.get(name)) for name in block.on)
        (later if chained else first).append(block)
    return first, later


def with_features(
    data: Blocks,
    models: Sequence[ir.Model[ir.Declared]],
    written: Iterable[str],
    faults: Faults,
) -> dict[str, DataBlock]:
    """The data, the features of each table by name, as the models of the file have them.

    written: the names of all models, those at fault among them.
    """
    known, names = {model.name: model for model in models}, list(written)
    return {
        name: _filled(block, data, known, names, faults) if is_chained(block) else block
        for name, block in data.items()
    }


def _filled(
    block: DataBlock,
    data: Blocks,
    models: Models,
    written: Sequence[str],
    faults: Faults,
) -> DataBlock:
    (source,) = block.sources
    span = _span(source, "feature", block)
    named = [n for n in rests_on(source) if n not in models]
    for name in named:
        if name not in written:
            known = nearest(name, written)
            faults.add("unknown-model", span, name=name, known=known)
    if named:
        return block
    rows = _rows(block, [models[name] for name in rests_on(source)], data, span, faults)
    if rows is None:
        return block
    asked = str(source.options[POSTERIOR]).split("\n")
    found = [one for text in asked for one in _spelt(text, models, span, faults)]
    if not found:
        return block
    options = {**source.options, "feature": "\n".join(dict.fromkeys(found)), ROWS: rows}
    columns = column_dimensions(block.kind, source.columns, options)
    source = source.model_copy(update={"options": options})
    return replace(block, sources=(source,), columns=columns)


def _rows(
    block: DataBlock,
    models: Sequence[ir.Model[ir.Declared]],
    data: Blocks,
    span: Span,
    faults: Faults,
) -> str | None:
    """The dimension of the models, a column of the table."""
    found = {data[model.spectra[0].data].levels.dimension for model in models}
    if len(found) != 1 or found == {""}:
        faults.add("posterior-levels", span)
        return None
    (dimension,) = found
    if dimension not in block.sources[0].columns:
        faults.add("posterior-rows", span, name=dimension, data=block.name)
        return None
    return dimension


def _spelt(text: str, models: Models, span: Span, faults: Faults) -> list[str]:
    """`ni.w` → `ni.w[0]`, `ni.w[20]` …: whatever has a value at each level."""
    head, _, own = text.partition(".")
    model = models[head]
    labels = [spectrum.label for spectrum in model.spectra]
    every = _names(model)
    plain = dict.fromkeys(without_level(n) for n in every if level_of(n, labels))
    whole = [n for n in plain if all(at_level(n, label) in every for label in labels)]
    found = [n for n in whole if n == own or n.startswith(f"{own}[")]
    if not found:
        known = nearest(own, whole)
        faults.add("posterior-unknown", span, name=own, model=head, known=known)
    return [f"{head}.{name}" for name in found]


def _names(model: ir.Model[ir.Declared]) -> dict[str, None]:
    names = [*(p.name for p in model.parameters)]
    names += [name for joint in model.joints for name in joint.names]
    names += [d.name for d in model.definitions if not isinstance(d.value, ir.Const)]
    return dict.fromkeys(names)


def _head(text: str) -> str:
    return text.partition(".")[0]


def _span(source: ir.DataSource, key: str, block: DataBlock) -> Span:
    place = source.places.get(key)
    return Span(place.file, place.start, place.end) if place else block.span
