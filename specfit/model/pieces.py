"""What every part of the typed model is made of: closed values, places, data files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(Frozen):
    """Where something was said; not part of the model's identity."""

    file: str = ""
    line: int = 0
    start: int = 0
    end: int = 0
    text: str = ""  # the statement as written, on one line


class DataSource(Frozen):
    """One file to read, with all that the `data` block says of it.

    told: columns by title, or made of two of the file: how, and of which; their number
    is 0.  places: where each key of the block stands, and "" the name of the block.
    """

    data: str
    label: str = ""
    kind: str
    file: str
    title: str = ""
    columns: dict[str, tuple[int, str]] = {}  # name → (column number from 1, unit)
    told: dict[str, tuple[str, ...]] = {}
    conditions: dict[str, float] = {}  # T and others, canonical units
    options: dict[str, str | float | tuple[float, ...]] = {}
    window: tuple[float, float] | None = None
    mask: tuple[tuple[float, float], ...] = ()
    place: Place = Place()
    places: dict[str, Place] = {}
