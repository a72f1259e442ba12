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
COVERED = 0.5
"""Share that it must reach of the channels from where it begins."""
_EDGE = 0.1
"""Height at its beginning, of its own, above which a curve begins behind its foot."""


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
    _covers(energy, axis, name)
    if -values.min() > values.max():
        words = {"file": name, "low": f"{values.min():.3g}"}
        raise ReaderError(
            "data-curve-negative", words | {"high": f"{values.max():.3g}"}
        )
    made: FloatArray = np.interp(axis, energy, values - values.min(), left=0.0)
    made = np.maximum(made, 0.0)
    if made.sum() <= 0.0:
        raise ReaderError("data-curve-flat", {"file": name})
    unit: FloatArray = made / made.sum()
    return unit


def _covers(energy: FloatArray, axis: FloatArray, name: str) -> None:
    """Whether a curve reaches enough channels of an axis."""
    inside = int(((axis >= energy[0]) & (axis <= energy[-1])).sum())
    words = {"file": name, "low": f"{energy[0]:.5g}", "high": f"{energy[-1]:.5g}"}
    words |= {"start": f"{axis[0]:.5g}", "end": f"{axis[-1]:.5g}"}
    if inside < OVERLAP:
        met = energy[0] < axis[-1] and energy[-1] > axis[0]
        words |= {"channels": str(inside), "needed": str(OVERLAP)}
        raise ReaderError("data-curve-few" if met else "data-curve-apart", words)
    if inside < COVERED * int((axis >= energy[0]).sum()):
        raise ReaderError("data-curve-short", words)


def reach(energy: FloatArray, values: FloatArray, axis: FloatArray) -> str:
    """What a curve does not reach of an axis, in words; "" where it reaches enough."""
    told = []
    foot, height = float(values[0] - values.min()), float(np.ptp(values))
    if energy[0] > axis[0] and foot > _EDGE * height:
        told.append(f"zero below {energy[0]:.5g} eV, where it begins")
    if energy[-1] < axis[-1]:
        told.append(f"level above {energy[-1]:.5g} eV, where it ends")
    return ", and ".join(told)
