"""Files that components are read from: `file = "feff0001.dat"` inside a `path`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from specfit.language import tree
from specfit.model import ir
from specfit.model.components import Component
from specfit.model.numeric_settings import HIGH, LOW
from specfit.model.own_settings import OwnSettings
from specfit.model.places import place


def sources_with(
    sources: Iterable[ir.DataSource],
    components: Mapping[str, Component],
    own: OwnSettings,
    texts: Mapping[str, str],
) -> tuple[ir.DataSource, ...]:
    """The data files, with what a model says of how they are to be read.

    Its components' files, its numbers and ranges are options, each with its place.
    """
    options: dict[str, str | float | tuple[float, ...]] = {}
    spans = dict(own.spans)
    for name, component in components.items():
        for key, item in component.files.items():
            assert isinstance(item.value, tree.String)
            options[f"{name}.{key}"] = item.value.value
            spans[f"{name}.{key}"] = item.span
    for key in own.kind.numbers:
        if key in own.known:
            options[key] = float(own.known[key])
    for key in own.kind.ranges:
        if f"{key}{LOW}" in own.known:
            ends = (own.known[f"{key}{end}"] for end in (LOW, HIGH))
            options[key] = tuple(float(end) for end in ends)
    places = {key: place(span, texts) for key, span in spans.items()}
    return tuple(
        source.model_copy(
            update={
                "options": {**source.options, **options},
                "places": {**source.places, **places},
            }
        )
        for source in sources
    )


def as_modelled(
    document: ir.Document[Any] | None, sources: tuple[ir.DataSource, ...]
) -> tuple[ir.DataSource, ...]:
    """The data files of a document, as the models on them say that they are read."""
    models = (*document.models, *document.variants.values()) if document else ()
    special = [source for model in models for source in model.sources]
    told = {(source.data, source.label) for source in special}
    plain = [s for s in sources if (s.data, s.label) not in told]
    every: list[ir.DataSource] = []
    for source in (*special, *plain):
        every += [source] if source not in every else []
    return tuple(every)
