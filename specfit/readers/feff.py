"""`feffNNNN.dat`: one scattering path as FEFF writes it, versions 6 to 10.

A header of text, a line of dashes, the geometry (`nleg deg reff rnrmav edge`, a title, one
line for each atom), a title of columns that ends in `real[p]@#`, and seven columns: k,
real[2 phc], mag[feff], phase[feff], red factor, lambda, real[p].

Source: FEFF users guide, "feffNNNN.dat"; `larch/xafs/feffdat.py` of xraylarch.
"""

from __future__ import annotations

import math
import re

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError
from specfit.readers.files import FileContent
from specfit.readers.tables import NUMBER, bad_line, decode
from specfit.scattering import ScatteringPath

COLUMNS = 7
FEWEST_ROWS = 4
MOST_ROWS = 10_000
MOST_LEGS = 16
"""FEFF itself stops at 9."""
_RULE = re.compile(r"\s*#?\s*-{8,}\s*$")
_HEADING = re.compile(r"\s*#?\s*k\b.*real\[p\]", re.IGNORECASE)


def scattering_path(content: FileContent) -> ScatteringPath:
    """The path in a file.

    Raises
    ------
    ReaderError
        `feff-format` where it is no such file, `feff-value` for a value that no path
        can have, `data-line` for a row that is not seven numbers.

    """
    text, _ = decode(content.data, content.name)
    lines = text.split("\n")
    rule = next((i for i, line in enumerate(lines) if _RULE.match(line)), None)
    head = next((i for i, line in enumerate(lines) if _HEADING.match(line)), None)
    if rule is None or head is None or not rule + 2 < head:
        raise ReaderError("feff-format", {"file": content.name})
    legs, degeneracy, half_length = _geometry(content.name, lines, rule + 1)
    atoms = [line.split() for line in lines[rule + 3 : head] if line.strip()]
    table = _table(content.name, lines, head + 1)
    k, two_phc, magnitude, phase, reduction, free, wave = table.T
    labels = [words[5] if len(words) > 5 else "?" for words in atoms]
    return ScatteringPath(
        half_length=half_length,
        degeneracy=degeneracy,
        k=k,
        phase=two_phc + phase,
        amplitude=magnitude * reduction,
        wave=wave,
        mean_free_path=free,
        file=content.name,
        sha256=content.sha256,
        size=content.size,
        found=(
            ("title", " ".join(lines[0].lstrip(" #").split())),
            ("path", f"{' – '.join(labels)}, {legs} legs"),
            ("reff", f"{half_length:g} Å, {degeneracy:g} of them"),
        ),
    )


def _geometry(name: str, lines: list[str], at: int) -> tuple[int, float, float]:
    """Legs, degeneracy and half length."""
    words = lines[at].replace("#", " ").split()[:3]
    numbers = [float(w) if NUMBER.fullmatch(w) else math.nan for w in words]
    if len(numbers) < 3 or not all(map(math.isfinite, numbers)):
        raise bad_line(name, at + 1, lines[at])
    legs, degeneracy, half_length = numbers
    _possible(name, at, "nleg", legs, 2 <= legs <= MOST_LEGS and legs == int(legs))
    _possible(name, at, "deg", degeneracy, degeneracy > 0)
    _possible(name, at, "reff", half_length, 0.5 <= half_length <= 20.0)
    return int(legs), degeneracy, half_length


def _possible(name: str, at: int, what: str, value: float, holds: bool) -> None:
    if not holds:
        words = {"file": name, "line": str(at + 1), "what": what}
        raise ReaderError("feff-value", words | {"value": f"{value:g}"})


def _table(name: str, lines: list[str], start: int) -> FloatArray:
    """The seven columns, k rising."""
    rows: list[list[float]] = []
    for number, line in enumerate(lines[start:], start):
        if not line.strip():
            continue
        words = line.split()
        if len(words) != COLUMNS or not all(map(NUMBER.fullmatch, words)):
            raise bad_line(name, number + 1, line)
        row = [float(word.replace("d", "e").replace("D", "e")) for word in words]
        if not all(map(math.isfinite, row)) or len(rows) >= MOST_ROWS:
            raise bad_line(name, number + 1, line)
        if rows:
            _possible(name, number, "k", row[0], row[0] > rows[-1][0])
        _possible(name, number, "lambda", row[5], row[5] > 0.0)
        _possible(name, number, "real[p]", row[6], row[6] > 0.0)
        rows.append(row)
    if len(rows) < FEWEST_ROWS:
        raise ReaderError("feff-format", {"file": name})
    return np.array(rows)
