"""Synthetic patterns: what is measured before anything is, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.model.ir import DataSource
from specfit.readers import load
from specfit.readers.declared import names
from specfit.readers.paths import with_paths
from specfit.readers.writing import write_table
from specfit.units import canonical_unit, parse_unit


def blank_pattern(
    source: DataSource, axis: FloatArray, level: float, root: Path, allow_outside: bool
) -> Measurement:
    """A rising line, so that defaults which look at the data find a range there.

    χ(k) over all distances, with its paths: what is filtered is the data, once measured.

    Raises `ReaderError` for the file of a path.
    """
    x, y = names(source)
    axis = np.round(axis, 9)
    values = level * (1.0 + np.linspace(0.0, 1.0, axis.size))
    columns = {name: np.ones_like(axis) for name in source.columns}
    columns |= {x: axis, y: values}
    blank = Measurement(
        axis=axis,
        values=values,
        axis_unit=_unit(source, x),
        value_unit=_unit(source, y),
        axis_jacobian=np.zeros((axis.size, 0)),
        columns=columns,
    )
    opened = partial(load, root=root, allow_outside=allow_outside)
    return with_paths(source, blank, opened, whole=True)


def write_pattern(
    path: Path,
    source: DataSource,
    grid: Measurement,
    values: FloatArray,
    header: Sequence[str],
) -> None:
    """The columns in the places that the data block gives them."""
    x, y = names(source)
    if grid.scattering is not None:
        values = values / grid.scattering.weight
    places = {n: c[0] or i for i, (n, c) in enumerate(source.columns.items(), 1)}
    width = max(places.values())
    table = np.zeros((grid.axis.size, width))
    titles = [""] * width
    for name, (_, unit) in source.columns.items():
        number = places[name]
        column = {x: grid.axis, y: values}.get(name, grid.columns[name])
        scale = parse_unit(unit).scale if unit else 1.0
        table[:, number - 1] = column / scale
        titles[number - 1] = f"{name} ({unit})" if unit else name
    write_table(path, table, [*header, ", ".join(titles)])


def _unit(source: DataSource, name: str) -> str:
    unit = source.columns[name][1]
    return canonical_unit(parse_unit(unit).dimension) if unit else ""
