"""The `.tka` format of counting electronics: live time, real time, then the counts.

One number a line.  The two times (seconds) are told from counts by their place and by
what follows: a counter has 64, 128, 256 … channels, so that two numbers are too many;
live time is no longer than real time.
"""

from __future__ import annotations

from specfit.readers.errors import ReaderError
from specfit.readers.formats import FileFormat
from specfit.readers.tables import NUMBER, Table, read_numbers

LEAST = 64
"""Channels; below it no spectrum can be folded."""


def _recognises(text: str) -> bool:
    """Two times and whole counts, as many as a counter has channels."""
    lines = [line.strip() for line in text.split("\n", 3)[:3]]
    times = lines[:2]
    if len(lines) < 3 or not all(NUMBER.fullmatch(time) for time in times):
        return False
    count = text.rstrip("\n").count("\n") - 1
    live, real = map(float, (time.upper().replace("D", "E") for time in times))
    if not 0 < live <= real < float("inf"):
        return False
    fractions = any("." in time for time in times)
    whole = lines[2].isdigit()
    return whole and (fractions or (count >= LEAST and count & (count - 1) == 0))


def _parse(text: str, name: str) -> Table:
    """The counts; the times are told, not used."""
    table = read_numbers(text, name)
    if table.values.shape[1] != 1 or len(table.values) < 3:
        raise ReaderError("data-no-numbers", {"file": name})
    live, real = table.values[:2, 0]
    found = (("live time", f"{live:g} s"), ("real time", f"{real:g} s"))
    return Table(table.values[2:], table.lines[2:], (*table.found, *found))


FORMAT = FileFormat("tka", "two times, then one count a line", _recognises, _parse)
