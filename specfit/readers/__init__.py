"""Files → Measurement: nothing is interpolated, nothing assumed in silence.

What: the formats are one table, tried in order; a text format only turns text into
columns of numbers, and the two ways from numbers to a spectrum (declared axis, raw
channels) are shared by all.  Why: a new instrument is then one small file and one line
here, and safety, checks and folding cannot be forgotten in it.  Instead of: readers
that each build a Measurement.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Measurement
from specfit.readers import athena, columns, counts, rows, tka, wissel
from specfit.readers.checks import MINIMUM_CHANNELS
from specfit.readers.cube import read_cube, within
from specfit.readers.declared import declared_measurement
from specfit.readers.errors import ReaderError, concerning
from specfit.readers.feature_table import headed
from specfit.readers.files import FileContent, load
from specfit.readers.formats import FileFormat
from specfit.readers.paths import with_paths
from specfit.readers.raw import field_scale, raw_measurement
from specfit.readers.tables import Table, decode
from specfit.readers.titles import titles
from specfit.readers.worded import coded
from specfit.readers.writing import write_columns

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

__all__ = ["FORMATS", "ReaderError", "detect_raw", "load", "read", "write_columns"]

FORMATS: tuple[FileFormat, ...] = (
    athena.FORMAT,
    wissel.FORMAT,
    tka.FORMAT,
    rows.FORMAT,
    counts.FORMAT,
    columns.FORMAT,
)


def read(
    source: DataSource,
    root: Path,
    allow_outside: bool = False,
    instead: Path | None = None,
) -> Measurement:
    """The spectrum of a `data` block, in canonical units, window and mask applied.

    source: file, columns, options, window and mask of the block.
    root: folder that file names are relative to and may not leave.
    allow_outside: the user has allowed files elsewhere.
    instead: a file that the user has named in place of the block's, wherever it lies.

    Raises `ReaderError`, whatever is wrong with the file, as a code and its words.
    """
    opened = partial(_open, root=root, allow_outside=allow_outside)
    if instead is not None:
        source = source.model_copy(update={"file": str(instead)})
    if source.kind == "hyperspectral":
        return _within(source, read_cube(source, root, allow_outside))
    where = source.file if instead is None else str(instead.absolute())
    anywhere = allow_outside or instead is not None
    words = source.kind == "table"
    content, table = _open(where, root, anywhere, _group(source), words)
    if source.kind == "transmission" and "velocity" not in source.columns:
        spectrum = raw_measurement(source, table, opened)
    elif source.kind == "table":
        titled = headed(source, table, decode(content.data, where)[0])
        named = _names(source, root, allow_outside)
        spectrum = declared_measurement(titled, table, named)
    else:
        spectrum = declared_measurement(source, table)
    path = partial(load, root=root, allow_outside=allow_outside)
    spectrum = with_paths(source, _within(source, _scaled(source, spectrum)), path)
    return _traced(spectrum, source.file, content, table)


def _traced(
    spectrum: Measurement, name: str, content: FileContent, table: Table
) -> Measurement:
    """With the file that it comes from."""
    origin = (("file", f"{name}, {content.size} bytes"), *table.found)
    return replace(
        spectrum,
        path=name,
        sha256=content.sha256,
        size=content.size,
        found=origin + spectrum.found,
    )


def _group(source: DataSource) -> str:
    """Of a file that holds several spectra, the one meant; a table's are of features."""
    absorption = source.kind == "absorption"
    return str(source.options.get("group", "")) if absorption else ""


def _names(source: DataSource, root: Path, allow_outside: bool) -> str | None:
    """The text of the file of names of a table, None where it has none."""
    name = source.options.get("names") if source.kind == "table" else None
    if name is None:
        return None
    with concerning("names"):
        content = load(str(name), root, allow_outside)
    return decode(content.data, content.name)[0]


def _scaled(source: DataSource, spectrum: Measurement) -> Measurement:
    """With the field scale of its velocities, where these are velocities."""
    if spectrum.axis_unit != "mm/s":
        return spectrum
    name, scale = field_scale(source)
    return replace(spectrum, field_scale=name, field_slopes=scale.slopes)


def detect_raw(path: Path) -> bool:
    """Whether a file holds raw counts by channel rather than columns with an axis."""
    content, table = _open(path.name, path.parent, allow_outside=True)
    values = table.values
    numbered = values.shape[1] == 2 and bool(np.all(np.diff(values[:, 0]) == 1))
    return content.size > 0 and (values.shape[1] == 1 or numbered)


def _open(
    name: str, root: Path, allow_outside: bool, group: str = "", words: bool = False
) -> tuple[FileContent, Table]:
    """A file as numbers, by the first format that recognises it.

    group: of a file that holds several, the one that is meant.  words: it may have columns
    of these.
    """
    content = load(name, root, allow_outside)
    text, encoding = decode(content.data, name)
    chosen = next(entry for entry in FORMATS if entry.recognises(text))
    if group and chosen is not athena.FORMAT:
        raise ReaderError("data-no-groups", {"file": name})
    project = chosen is athena.FORMAT
    parsed = athena.parse_group(text, name, group) if project else None
    table = parsed or (_with_words if words else chosen.parse)(text, name)
    named = table.titles or (titles(text, table) if chosen is columns.FORMAT else ())
    found = (("format", chosen.title), ("encoding", encoding), *table.found)
    return content, replace(table, found=found, titles=named)


def _with_words(text: str, name: str) -> Table:
    """A table of which some columns are of words; by its numbers alone if it has none."""
    try:
        return columns.FORMAT.parse(text, name)
    except ReaderError as error:
        made = coded(text)
        if made is None:
            raise
        numbers, worded, told = made
        try:
            table = columns.FORMAT.parse(numbers, name)
        except ReaderError:
            raise error from None
        named = titles(numbers, table)
        return replace(table, words=worded, titles=named, found=(*table.found, *told))


def _within(source: DataSource, spectrum: Measurement) -> Measurement:
    """The channels inside the window and outside the masks."""
    if source.window is None and not source.mask:
        return spectrum
    axis = spectrum.axis
    keep = np.ones(len(axis), dtype=bool)
    if source.window is not None:
        keep &= (axis >= source.window[0]) & (axis <= source.window[1])
    for low, high in source.mask:
        keep &= (axis < low) | (axis > high)
    left = int(keep.sum())
    words = {"file": source.file, "found": str(left), "needed": str(MINIMUM_CHANNELS)}
    if left < MINIMUM_CHANNELS:
        span = f"{axis[0]:.4g} … {axis[-1]:.4g} {spectrum.axis_unit}"
        with concerning("mask" if source.window is None else "window"):
            raise ReaderError("data-window", words | {"span": span})
    text = f"{left} of {len(axis)} channels remain"
    return replace(
        spectrum,
        axis=axis[keep],
        values=spectrum.values[keep],
        axis_jacobian=spectrum.axis_jacobian[keep],
        columns={name: column[keep] for name, column in spectrum.columns.items()},
        position=spectrum.position[keep[: spectrum.position.size]],
        cube=within(spectrum.cube, keep) if spectrum.cube is not None else None,
        found=(*spectrum.found, ("window and mask", text)),
    )
