"""A single curve of the user's, `file("mno.msa")`: energies and intensities."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from specfit.cubes import FloatArray
from specfit.readers import columns, msa
from specfit.readers.checks import check_enough, check_finite, increasing
from specfit.readers.errors import ReaderError
from specfit.readers.files import load
from specfit.readers.tables import Table, decode

OVERLAP = 16
"""Channels of the data that a curve must reach."""


def read_curve(
    name: str, root: Path, allow_outside: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Energy (eV, rising) and intensity, each (n,), of a text or an .msa file.

    Raises
    ------
    ReaderError
        Whatever is wrong with the file.

    """
    text, _ = decode(load(name, root, allow_outside).data, name)
    parse = msa.parse if msa.recognises(text) else columns.FORMAT.parse
    table = parse(text, name)
    if table.values.shape[1] < 2:
        raise ReaderError("data-curve-columns", {"file": name})
    table = _sorted(table)
    check_enough(table.values.shape[0], name)
    for column in (1, 2):
        check_finite(table, column, name)
    increasing(table.values[:, 0], table.lines, name, "energy")
    return table.values[:, 0], table.values[:, 1]


def _sorted(table: Table) -> Table:
    """Rising; digitised curves come in any order."""
    order = np.argsort(table.values[:, 0], kind="stable")
    lines = tuple(table.lines[i] for i in order)
    return Table(table.values[order], lines, table.found, table.titles)


def on_axis(
    energy: FloatArray, values: FloatArray, axis: FloatArray, name: str
) -> FloatArray:
    """The curve above its lowest point, of unit sum, on another axis (n_channels,).

    Where it does not reach, it is as at its end above and nothing below.

    Raises
    ------
    ReaderError
        It covers next to nothing of the axis.

    """
    inside = (axis >= energy[0]) & (axis <= energy[-1])
    if inside.sum() < OVERLAP:
        words = {"file": name, "low": f"{energy[0]:.4g}", "high": f"{energy[-1]:.4g}"}
        words |= {"start": f"{axis[0]:.4g}", "end": f"{axis[-1]:.4g}"}
        raise ReaderError("data-curve-apart", words)
    made: FloatArray = np.interp(axis, energy, values - values.min(), left=0.0)
    made = np.maximum(made, 0.0)
    if made.sum() <= 0.0:
        raise ReaderError("data-cube-zero", {"file": name})
    unit: FloatArray = made / made.sum()
    return unit
