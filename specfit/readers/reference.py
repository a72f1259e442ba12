"""The zero of a velocity axis: which source or absorber it stands for."""

from __future__ import annotations

import difflib
import re

from specfit.constants import SOURCE_SHIFTS
from specfit.isotopes import OTHER_REFERENCES
from specfit.readers.errors import ReaderError

IRON = "alpha-Fe"
DEFAULT_SOURCE = "57Co(Rh)"
SHIFT_SD = 0.003
"""Standard deviation of a source's shift against α-Fe, mm/s: published calibrations
with 57Co(Rh) scatter from −0.106 to −0.110."""

_ROOM = (285.0, 305.0)  # K
_TEMPERATURE = re.compile(r"(\d+(?:\.\d+)?)\s*K")


def reference(text: str) -> tuple[str, float, float]:
    """Key in `SOURCE_SHIFTS`, shift and its standard deviation (mm/s) of a zero.

    `text`: "alpha-Fe, 295 K", "α-Fe", "57Co(Rh)" …  The zero of another isotope is one
    of its own, by which nothing moves.

    Raises
    ------
    ReaderError
        `reference-unknown`, or `reference-temperature` when α-Fe is not at room
        temperature.

    """
    if (stated := text.split(",")[0].strip()) in OTHER_REFERENCES:
        return stated, 0.0, 0.0
    name = text.split(",")[0].strip().replace("α", "alpha").replace(" ", "")
    known = {re.sub(r"[^a-z0-9]", "", key.lower()): key for key in SOURCE_SHIFTS}
    plain = re.sub(r"[^a-z0-9]", "", name.lower()).replace("co57", "57co")
    key = known.get("alphafe" if plain in ("fe", "iron", "alphairon") else plain)
    if key is None:
        near = difflib.get_close_matches(plain, known, n=1)
        words = {"text": text, "known": ", ".join(f"`{k}`" for k in SOURCE_SHIFTS)}
        words["similar"] = known[near[0]] if near else IRON
        raise ReaderError("reference-unknown", words)
    temperature = _TEMPERATURE.search(text)
    if temperature and not _ROOM[0] <= float(temperature[1]) <= _ROOM[1]:
        raise ReaderError("reference-temperature", {"text": text})
    return key, SOURCE_SHIFTS[key], 0.0 if key == IRON else SHIFT_SD
