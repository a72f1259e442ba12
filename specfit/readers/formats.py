"""What a file format is: how it is recognised and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specfit.readers.tables import Table


@dataclass(frozen=True)
class FileFormat:
    """A text format: `recognises(text)`, and `parse(text, file name)` → numbers."""

    name: str
    title: str
    recognises: Callable[[str], bool]
    parse: Callable[[str, str], Table]
