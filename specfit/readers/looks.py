"""Whether a text is data: a file of spectra named where a .spec file is expected."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"[\s,;+-]*\d[\d\s.,;eE+-]*")
"""A line of a data file."""


def looks_like_data(text: str) -> bool:
    """Whether most lines are numbers, or tags as in a ws5 file: no statement is."""
    lines = [line for line in text.splitlines()[:200] if line.strip(" \t\ufeff")]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    numbers = sum(bool(_NUMBERS.fullmatch(line)) for line in lines)
    return text.lstrip().startswith("<") or 3 <= len(lines) < 2 * numbers
