"""A file whose axis is one of its columns → a Measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.isotopes import OTHER_REFERENCES
from specfit.readers.checks import (
    MINIMUM_ROWS,
    check_counts,
    check_enough,
    check_finite,
    increasing,
    numbers_only,
)
from specfit.readers.errors import ReaderError
from specfit.readers.feature_table import FOUND, TARGET, feature_measurement
from specfit.readers.reference import IRON, reference
from specfit.readers.tables import Table
from specfit.readers.titles import column, positive
from specfit.readers.wording import Found, plus_minus
from specfit.units import CANONICAL, Unit, UnitError, canonical_unit, parse_unit

if TYPE_CHECKING:
    from specfit.model.ir import DataSource


VALUES = ("counts", "intensity", "y", "mu", "chi")
"""Columns that are measured, and no axis."""


def declared_measurement(
    source: DataSource, table: Table, names_text: str | None = None
) -> Measurement:
    """Axis and values by the declared columns, in canonical units, axis increasing.

    names_text: what the file of names of a table says.
    """
    if source.kind == "table" and {"feature", FOUND} & source.options.keys():
        return feature_measurement(
            source, table, lambda name: _column(source, table, name), names_text
        )
    if source.kind == "table":
        return _rows(source, table)
    axis_name, value_name = names(source)
    axis, axis_unit = _column(source, table, axis_name)
    values, value_unit = _column(source, table, value_name)
    others = {n: _column(source, table, n)[0] for n in source.columns}
    check_enough(len(axis), source.file)
    found: Found = [("channels", str(len(axis)))]
    if not increasing(axis, table.lines, source.file, axis_name):
        axis, values = axis[::-1], values[::-1]
        others = {name: column[::-1] for name, column in others.items()}
        found.append(("order", f"{axis_name} falls through the file; reversed"))
    if axis_unit == CANONICAL["velocity"]:
        axis, said = _on_iron(source, axis)
        found.append(said)
    return Measurement(
        np.ascontiguousarray(axis),
        np.ascontiguousarray(values),
        axis_unit,
        value_unit,
        axis_jacobian=np.zeros((len(axis), 0)),
        found=tuple(found),
        columns=others,
    )


def _rows(source: DataSource, table: Table) -> Measurement:
    """Rows of a table by rising values of its other column, where there is one only."""
    if not source.columns:
        raise ReaderError("data-columns", {"data": source.data, "kind": source.kind})
    every = {name: _column(source, table, name) for name in source.columns}
    reading = str(source.options.get("reading", list(source.columns)[-1]))
    others = [name for name in every if name != reading]
    check_enough(len(table.values), source.file, MINIMUM_ROWS)
    axis, unit = np.arange(1.0, len(table.values) + 1), ""
    if len(others) == 1:
        axis, unit = every[others[0]]
    order = np.argsort(axis, kind="stable")
    values, value_unit = every[reading]
    return Measurement(
        axis[order],
        values[order],
        unit,
        value_unit,
        axis_jacobian=np.zeros((len(axis), 0)),
        found=(("rows", str(len(axis))),),
        columns={name: column[order] for name, (column, _) in every.items()},
    )


def names(source: DataSource) -> tuple[str, str]:
    """Which declared column is the axis and which the values.

    The first that is none of `VALUES`, and the first that is one, or the last.

    Raises
    ------
    ReaderError
        `data-columns` when fewer than two are declared.

    """
    declared = list(source.columns)
    if len(declared) < 2:
        raise ReaderError("data-columns", {"data": source.data, "kind": source.kind})
    value = next((name for name in VALUES if name in declared), declared[-1])
    others = [name for name in declared if name not in (value, "sd")]
    return ("velocity" if "velocity" in others else others[0]), value


def _column(source: DataSource, table: Table, name: str) -> tuple[FloatArray, str]:
    """A declared column in its canonical unit, checked."""
    number, text = source.columns[name]
    if name in source.told:
        return _told(source, table, name)
    n_columns = table.values.shape[1]
    if not 1 <= number <= n_columns:
        words = {"file": source.file, "column": str(number), "name": name}
        code = "data-column-raw" if n_columns == 1 else "data-column"
        raise ReaderError(code, words | {"found": str(n_columns)})
    unit = _unit(text, name)
    featured = {"feature", FOUND} & source.options.keys()
    if text or name == TARGET or not featured:  # another column may be of groups
        numbers_only(table, number, source.file)
    if unit.dimension == parse_unit("counts").dimension:
        check_counts(table, number, source.file)
    else:
        check_finite(table, number, source.file)
    scaled = table.values[:, number - 1] * unit.scale
    return scaled, canonical_unit(unit.dimension)


def _told(source: DataSource, table: Table, name: str) -> tuple[FloatArray, str]:
    """A column that is told by its title, or made of two of the file."""
    how, *which = source.told[name]
    numbers = [column(table, one, name, source.file) for one in which]
    parts = []
    for number in numbers:
        columns = {**source.columns, name: (number, source.columns[name][1])}
        plain = source.model_copy(update={"told": {}, "columns": columns})
        parts.append(_column(plain, table, name))
    if not how:
        return parts[0]
    above, below = (
        positive(v, source.file, one) for (v, _), one in zip(parts, which, strict=True)
    )
    ratio = above / below
    return (np.log(ratio) if how == "log" else ratio), parts[0][1]


def _unit(text: str, name: str) -> Unit:
    if not text:
        return Unit("", 1.0, ())
    try:
        return parse_unit(text)
    except UnitError as fault:
        words = {"unit": text, "symbol": fault.symbol, "name": name}
        raise ReaderError("data-unit", words) from None


def _on_iron(
    source: DataSource, axis: FloatArray
) -> tuple[FloatArray, tuple[str, str]]:
    """The axis on the α-Fe scale, and what was moved."""
    for option in ("calibration", "velocity_max"):
        if option in source.options:
            words = {"data": source.data, "option": option}
            raise ReaderError("velocity-twice", words)
    stated = source.options.get("IS_zero")
    if stated is None and "source" in source.options:
        words = {"data": source.data, "source": str(source.options["source"])}
        raise ReaderError("velocity-zero-unknown", words)
    key, shift, sd = reference(str(stated or IRON))
    if key == IRON:
        text = "α-Fe" if stated else "α-Fe (assumed: no IS_zero is stated)"
        return axis, ("velocity zero", text)
    if key in OTHER_REFERENCES:
        return axis, ("velocity zero", key)
    moved = plus_minus(-shift, sd, "mm/s")
    text = f"{key}; moved by {moved} onto the α-Fe scale, the error not carried on"
    return axis - shift, ("velocity zero", text)
