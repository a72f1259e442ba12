"""The white lines of a compound as the database has them, and a curve made of those.

`db("MnO.L23")` is no measured spectrum: two symmetric lines stand where the database
says that L3 and L2 of that valence stand, in the ratio and with the widths that it has.
Multiplets are not in it, so that it may guide a basis spectrum but never replace one;
every report says so.  Where a position, the ratio or a width is not known of a valence,
there is no curve.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from specfit.assets import folder
from specfit.cubes import FloatArray

EDGES = "L23"
LABEL = "approximate: two lines of the database, without multiplets"


class NoCurve(ValueError):
    """The database has no curve of this name; `code` and `words` say why."""

    def __init__(self, code: str, words: Mapping[str, str]) -> None:
        super().__init__(code)
        self.code, self.words = code, dict(words)


@dataclass(frozen=True)
class WhiteLines:
    """L3 and L2 of one compound: eV; `ratio` of their areas; widths at half height."""

    compound: str
    valence: int
    l3: float
    l2: float
    ratio: float
    width3: float
    width2: float
    sd: float
    sources: tuple[str, ...]

    def curve(self, energy: FloatArray, shift: float = 0.0) -> FloatArray:
        """(n_channels,) of unit sum: half Gaussian, half Lorentzian lines.

        Source of the form: G. K. Wertheim et al., Rev. Sci. Instrum. 45, 1369 (1974).
        """
        made = self.ratio * _line(energy, self.l3 + shift, self.width3)
        made = made + _line(energy, self.l2 + shift, self.width2)
        total = made.sum()
        return made / total if total > 0.0 else made


def _line(energy: FloatArray, centre: float, fwhm: float) -> FloatArray:
    """A pseudo-Voigt line of unit area with equal parts."""
    z = (energy - centre) / fwhm
    gauss = np.sqrt(4.0 * np.log(2.0) / np.pi) * np.exp(-4.0 * np.log(2.0) * z**2)
    lorentz = 2.0 / np.pi / (1.0 + 4.0 * z**2)
    made: FloatArray = 0.5 * (gauss + lorentz) / fwhm
    return made


@lru_cache(maxsize=1)
def _file() -> Mapping[str, Any]:
    path = folder("priors_db") / "xas_eels" / "eels_lines.toml"
    with path.open("rb") as file:
        return tomllib.load(file)


def white_lines(record: str) -> WhiteLines:
    """The lines of `MnO.L23`.

    Raises
    ------
    NoCurve
        The compound is not known, or not all that a curve needs.

    """
    compound, _, edge = record.partition(".")
    rows = {row["compound"]: row for row in _file()["eels_compounds"]}
    if compound not in rows or edge != EDGES:
        raise NoCurve("curve-unknown", {"record": record})
    element, valence = rows[compound]["element"], int(rows[compound]["valence"])
    found = [
        _number(f"{element} L3 peak", valence, "E_eV"),
        _number(f"{element} L3-L2 separation", valence, "E_eV"),
        _number(f"{element} L3/L2 white-line ratio", valence, "ratio"),
        _number(f"{element} L3 width (FWHM)", valence, "E_eV"),
        _number(f"{element} L2 width (FWHM)", valence, "E_eV"),
    ]
    names = ("position of L3", "distance of L2", "ratio", "width of L3", "width of L2")
    lacking = [n for n, one in zip(names, found, strict=True) if one is None]
    known = [one for one in found if one is not None]
    if lacking:
        words = {"record": record, "element": element, "lacking": ", ".join(lacking)}
        raise NoCurve("curve-incomplete", words)
    l3, apart, ratio, width3, width2 = (float(one[0]) for one in known)
    sources = tuple(dict.fromkeys(str(one[2]) for one in known))
    sd = float(known[0][1])
    return WhiteLines(
        compound, valence, l3, l3 + apart, ratio, width3, width2, sd, sources
    )


def _number(line: str, valence: int, key: str) -> tuple[float, float, str] | None:
    """A number of this valence, else of any: value, sd, source."""
    rows = [row for row in _file()["eels_lines"] if row["line"] == line]
    own = [row for row in rows if row.get("valence") == valence]
    for row in own or [row for row in rows if "valence" not in row]:
        return row[key], row["sd"], row.get("source", row.get("locator", ""))
    return None


def known_records() -> list[str]:
    """Compounds of which there is a curve."""
    found = []
    for row in _file()["eels_compounds"]:
        record = f"{row['compound']}.{EDGES}"
        try:
            white_lines(record)
        except NoCurve:
            continue
        found.append(record)
    return found
