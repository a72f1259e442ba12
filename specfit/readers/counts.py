"""The format most multichannel analysers export: one count a line."""

from __future__ import annotations

import numpy as np

from specfit.readers.formats import FileFormat
from specfit.readers.tables import Table, read_numbers, sniff


def _recognises(text: str) -> bool:
    return sniff(text)[1] == 1


def _parse(text: str, name: str) -> Table:
    """One number a line; a first line that states how many follow is dropped."""
    table = read_numbers(text, name)
    counts = table.values[:, 0]
    n_channels = len(counts) - 1
    stated = n_channels > 1 and counts[0] == n_channels
    if stated and not np.any(counts[1:] == n_channels):
        found = (*table.found, ("first line", f"states {n_channels} channels; dropped"))
        return Table(table.values[1:], table.lines[1:], found)
    return table


FORMAT = FileFormat("counts", "one count a line", _recognises, _parse)
