"""A table whose features are what models found: means, standard deviations and draws.

A row is a level of these models.  The draws keep how quantities of one model at one
level hang together; between models and levels that were fitted apart nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, Measurement, Run
from specfit.features import Features
from specfit.indices import at_level
from specfit.model import ir
from specfit.model.level_rows import label_of, levels_of
from specfit.report.quantities import Findings

IMPUTATIONS = 64
"""Draws of the whole table, evenly spaced in those of each model."""


def with_found(
    source: ir.DataSource, measurement: Measurement, runs: Mapping[str, Run]
) -> Measurement:
    """The table with its features, found by runs of models."""
    labels = str(source.options["feature"]).split("\n")
    rows = levels_of(source, measurement)
    found = {name: Findings(run) for name, run in runs.items()}
    columns = [_column(label, rows, found) for label in labels]
    count = min(IMPUTATIONS, *(len(draws) for draws, _ in columns))
    heads = [label.partition(".")[0] for label in labels]
    features = Features(
        values=np.stack([draws.mean(axis=0) for draws, _ in columns], axis=-1),
        labels=tuple(labels),
        groups=tuple(runs[head].model.title or head for head in heads),
        units=tuple(unit for _, unit in columns),
        sd=np.stack([draws.std(axis=0) for draws, _ in columns], axis=-1),
        covariance=_covariance([draws for draws, _ in columns], heads),
        imputations=np.stack(
            [draws[_spaced(len(draws), count)] for draws, _ in columns], axis=-1
        ),
        rows=rows,
    )
    return replace(measurement, features=features)


def _covariance(columns: list[FloatArray], heads: list[str]) -> FloatArray:
    """Of the features of each row (n, p, p): those of one model hang together."""
    n, p = columns[0].shape[1], len(columns)
    found = np.zeros((n, p, p))
    for head in dict.fromkeys(heads):
        own = [j for j, name in enumerate(heads) if name == head]
        off = np.stack([columns[j] - columns[j].mean(axis=0) for j in own])
        found[:, np.array(own)[:, None], own] = (
            np.einsum("amn,bmn->nab", off, off) / off.shape[1]
        )
    return found


def _column(
    label: str, rows: tuple[str, ...], found: Mapping[str, Findings]
) -> tuple[FloatArray, str]:
    """Draws (m, n) of one feature at every row, and its unit."""
    head, _, own = label.partition(".")
    labels = [spectrum.label for spectrum in found[head].run.model.spectra]
    known = [label_of(row, labels) or row for row in rows]
    each = [found[head].quantity(at_level(own, label)) for label in known]
    draws = np.stack([quantity.draws for quantity in each], axis=-1)
    return draws, each[0].unit


def _spaced(size: int, count: int) -> Any:
    return np.linspace(0, size - 1, count).astype(int)
