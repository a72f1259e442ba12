"""A model as another program wrote it, in our units and conventions, not yet a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from specfit.diagnostics import Span

Say = Callable[..., str]
"""A sentence of `messages.toml` by its code and words."""

LARGEST = 1e12
"""No value of a model is larger; counts are not."""


class ImportFault(Exception):
    """A fault of the file: a message code, the words that fill it, the place."""

    def __init__(
        self, code: str, words: dict[str, str] | None = None, span: Span | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.words = words or {}
        self.span = span or Span()


@dataclass(frozen=True)
class Remark:
    """What could not be carried over, or what was assumed: code and words."""

    code: str
    words: dict[str, str]


@dataclass(frozen=True)
class Tie:
    """factor · (the same parameter of another site) + offset, in our unit."""

    site: int
    factor: float
    offset: float = 0.0


@dataclass(frozen=True)
class Parameter:
    """A parameter of a site: its start value, whether it was to be fitted, its bounds."""

    symbol: str
    value: float
    free: bool
    bounds: tuple[float, float] | None = None
    tie: Tie | None = None


@dataclass(frozen=True)
class Site:
    """A component.  `area`: its share before all shares are made to sum to 1."""

    title: str
    kind: str
    parameters: tuple[Parameter, ...]
    area: float
    area_free: bool
    area_tie: Tie | None = None


@dataclass(frozen=True)
class Data:
    """The `data` block: `file` as the model names it, "" where it names none.

    axis: statements for raw counts; zero: the reference of a velocity column.
    """

    file: str
    axis: tuple[str, ...]
    zero: str
    field_scale: str


@dataclass(frozen=True)
class Draft:
    """A whole model.  `area`: the total resonant area in mm/s, None where unknown."""

    program: str
    title: str
    data: Data
    sites: tuple[Site, ...]
    area: float | None
    baseline: str
    remarks: tuple[Remark, ...]


@dataclass
class Remarks:
    """Remarks as they are found; each once."""

    found: list[Remark] = field(default_factory=list)

    def add(self, code: str, **words: str) -> None:
        """Note one."""
        remark = Remark(code, words)
        if remark not in self.found:
            self.found.append(remark)


def stem(path: str) -> str:
    """The name of a file without folders and suffix."""
    return path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or path


def first_quarter(angle: float) -> float:
    """The angle, degrees, in [0, 90]: neither tensor nor powder tells an axis's ends."""
    return abs((angle + 90.0) % 180.0 - 90.0)


def number(value: float) -> str:
    """A number as the language writes it: no exponent, no trailing zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
