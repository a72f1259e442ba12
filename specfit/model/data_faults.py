"""Faults that show once the data files are looked at: missing ones, axes that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from specfit.contracts import Measurement
from specfit.model.ir import Analysis, DataSource, Model, Place, Prior
from specfit.model.peak_remarks import Remark, data_remarks
from specfit.permuting import beyond, least_p, orders_of
from specfit.readers.errors import ReaderError
from specfit.standardised import scale

STILL = 1e-12
"""By how much, relative to its size, a target must vary."""
FOLDS = 3
"""One is held out, and tuning inside the rest holds out another."""
ALIKE = 1e-9
"""Difference of two standardised features that say the same."""
NAMED = 3
"""Of files that are missing together, how many are named."""
MISSING = ("data-missing", "data-misspelt")


def of_data(
    models: Sequence[Model[Prior]], measured: Sequence[tuple[DataSource, Measurement]]
) -> Iterator[Remark]:
    """What the data say against the models that use them; of many levels once."""
    known = {(source.data, source.label): seen for source, seen in measured}
    said = set()
    for model in models:
        for spectrum in model.spectra:
            seen = known.get((spectrum.data, spectrum.label))
            if seen is None:
                continue
            for remark in data_remarks(model, spectrum, seen):
                if (remark[0], remark[2]) not in said:
                    said.add((remark[0], remark[2]))
                    yield remark


def of_tables(
    analyses: Sequence[Analysis], measured: Sequence[tuple[DataSource, Measurement]]
) -> Iterator[Remark]:
    """Targets that do not vary; tables with so few rows that nothing is left to tune by."""
    for source, table in measured:
        still = np.ptp(table.values) <= STILL * np.max(np.abs(table.values))
        if "target" in source.columns and still:
            yield "target-still", {"data": source.data}, source.place, "error"
        elif table.features is not None:
            same = (table.features.values == table.values[:, None]).all(axis=0)
            for place in np.flatnonzero(same):
                words = {"data": source.data, "number": str(place + 1)}
                yield "target-among-features", words, source.place, "error"
            yield from _of_features(source, table)
    for analysis in analyses:
        seen = next((m for source, m in measured if source == analysis.source), None)
        if seen is None:
            continue
        count = {
            "leave_block_out": -(-len(seen.values) // max(analysis.block, 1)),
            "leave_group_out": len(np.unique(seen.columns.get(analysis.by, ()))),
        }.get(analysis.folds, len(seen.values))
        if count < FOLDS:
            yield "folds-few", {"found": str(count)}, analysis.place, "error"
        else:
            yield from _reachable(analysis, count)


def _reachable(analysis: Analysis, count: int) -> Iterator[Remark]:
    """Bounds on p that so few folds cannot reach in any order."""
    shuffles = min(float(analysis.permutations), orders_of(count))
    if shuffles == analysis.permutations:
        return
    words = {"folds": str(count), "orders": f"{shuffles:.0f}"}
    words |= {"least": f"{least_p(shuffles):.3g}"}
    for check in analysis.checks:
        if beyond(check, shuffles):
            yield "orders-few", words, check.place, "error"


def _of_features(source: DataSource, table: Measurement) -> Iterator[Remark]:
    """Features that do not vary, or that say the same as another."""
    assert table.features is not None
    values, names = table.features.values, table.features
    mean, unit, still = scale(values)
    for place in np.flatnonzero(still):
        words = {"data": source.data, "name": names.label(int(place))}
        yield "feature-still", words, source.place, "warning"
    even = (values - mean) / unit
    for later in np.flatnonzero(~still):
        for one in np.flatnonzero(~still[:later]):
            if np.max(np.abs(even[:, one] - even[:, later])) <= ALIKE:
                words = {"data": source.data, "name": names.label(int(later))}
                words |= {"other": names.label(int(one))}
                yield "features-alike", words, source.place, "warning"
                break


def together(errors: Sequence[tuple[ReaderError, Place]]) -> Iterator[Remark]:
    """Faults of files; those that are missing at one place in one message."""
    missing: dict[Place, list[str]] = {}
    for error, place in errors:
        if error.code in MISSING:
            missing.setdefault(place, []).append(error.words["file"])
    for error, place in errors:
        files = list(dict.fromkeys(missing.get(place, [])))
        if error.code not in MISSING or len(files) < 2:
            yield error.code, dict(error.words), place, "error"
            continue
        names = ", ".join(f"`{name}`" for name in files[:NAMED])
        names += " …" if len(files) > NAMED else ""
        words = {"count": str(len(files)), "files": names}
        yield "data-missing-several", words, place, "error"
