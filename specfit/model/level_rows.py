"""Rows of a table that are levels of the models which find its features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isclose

from specfit.contracts import Measurement
from specfit.model.chained import ROWS, rests_on
from specfit.model.ir import Analysis, DataSource, Model, Prior
from specfit.model.peak_remarks import Remark


def label_of(level: str, labels: Iterable[str]) -> str | None:
    """The label of a level that is this number, however it is written; None of none."""
    for label in labels:
        try:
            if isclose(float(label), float(level), rel_tol=1e-9, abs_tol=1e-12):
                return label
        except ValueError:
            continue
    return None


def levels_of(source: DataSource, measurement: Measurement) -> tuple[str, ...]:
    """The level that each row of a table is of."""
    column = measurement.columns[str(source.options[ROWS])]
    return tuple(f"{value:.12g}" for value in column)


def of_levels(
    models: Sequence[Model[Prior]],
    analyses: Sequence[Analysis],
    measured: Sequence[tuple[DataSource, Measurement]],
) -> Iterator[Remark]:
    """Rows of levels that a model lacks; levels that have two rows."""
    known = {model.name: model for model in models}
    seen = {source.data: table for source, table in measured}
    every = [model.sources[0] for model in models] + [one.source for one in analyses]
    for source in {one.data: one for one in every if rests_on(one)}.values():
        if source.data in seen:
            yield from _of_rows(source, levels_of(source, seen[source.data]), known)


def _of_rows(
    source: DataSource, rows: Sequence[str], models: Mapping[str, Model[Prior]]
) -> Iterator[Remark]:
    words = {"name": str(source.options[ROWS]), "file": source.file}
    twice = next((level for level in rows if rows.count(level) > 1), None)
    if twice is not None:
        yield "level-twice", {**words, "value": twice}, source.place, "warning"
    for name in rests_on(source):
        if name not in models:
            continue
        labels = {spectrum.label for spectrum in models[name].spectra}
        lacking = next((x for x in rows if label_of(x, labels) is None), None)
        if lacking is not None:
            own = {**words, "value": lacking, "model": name}
            yield "posterior-level", own, source.place, "error"
            return
