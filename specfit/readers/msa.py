"""The EMSA/MAS standard file of one spectrum, .msa or .emsa.

Source: R. F. Egerton, C. E. Fiori, J. A. Hunt, M. S. Isaacson, E. J. Kirkland,
N. J. Zaluzec, EMSA/MAS standard file format for spectral data exchange, EMSA Bulletin
21, 35 (1991); ISO 22029:2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from specfit.readers.errors import ReaderError
from specfit.readers.tables import Table

_HEAD = re.compile(r"^\s*#\s*FORMAT\s*:", re.IGNORECASE | re.MULTILINE)
_LINE = re.compile(r"^\s*#(\w+)[^:]*:(.*)$")
_SCALE = {"ev": 1.0, "kev": 1e3, "mev": 1e-3}
MOST = 1 << 22
"""Numbers in a file."""


def recognises(text: str) -> bool:
    """Does it begin as the standard says?"""
    return _HEAD.search(text[:2000]) is not None


def parse(text: str, name: str) -> Table:
    """Energies (eV) and intensities as two columns."""
    head: dict[str, str] = {}
    numbers: list[float] = []
    lines: list[int] = []
    for place, line in enumerate(text.splitlines(), start=1):
        key = _LINE.match(line)
        if key is not None:
            word = key[1].upper()
            if word == "ENDOFDATA":
                break
            head.setdefault(word, key[2].strip())
            continue
        found = _numbers(line, place, name)
        numbers += found
        lines += [place] * len(found)
        if len(numbers) > MOST:
            raise _fault(name, f"it has more than {MOST} numbers")
    return _table(head, numbers, lines, name)


def _numbers(line: str, place: int, name: str) -> list[float]:
    words = [word for word in re.split(r"[,\s;]+", line.strip()) if word]
    try:
        return [float(word) for word in words]
    except ValueError:
        shown = {"file": name, "line": str(place), "text": line.strip()[:60]}
        raise ReaderError("data-line", shown) from None


def _table(
    head: Mapping[str, str], numbers: list[float], lines: list[int], name: str
) -> Table:
    """Pairs as they stand, or intensities on an axis of an offset and a step."""
    values = np.array(numbers)
    scale = _SCALE.get(head.get("XUNITS", "eV").lower())
    if scale is None:
        raise _fault(name, f"its axis is in `{head['XUNITS']}`, no unit of energy")
    if head.get("DATATYPE", "Y").upper() == "XY":
        if values.size % 2:
            raise _fault(name, "a pair lacks its second number")
        pairs = values.reshape(-1, 2) * [scale, 1.0]
        return Table(pairs, tuple(lines[::2]), (("format", "EMSA/MAS"),))
    stated = head.get("NPOINTS")
    if stated is not None and int(_number(head, "NPOINTS", name)) != values.size:
        why = f"it says {stated.rstrip('.')} points and has {values.size}"
        raise _fault(name, why)
    start, step = (_number(head, key, name) for key in ("OFFSET", "XPERCHAN"))
    axis = scale * (start + step * np.arange(values.size))
    found = (("format", "EMSA/MAS"),)
    return Table(np.column_stack([axis, values]), tuple(lines), found)


def _number(head: Mapping[str, str], key: str, name: str) -> float:
    try:
        value = float(head[key])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise _fault(name, f"`#{key}` is missing or no number")
    return value


def _fault(name: str, why: str) -> ReaderError:
    return ReaderError("data-msa", {"file": name, "why": why})
