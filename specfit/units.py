"""Units: text → scale and dimension, in one coherent system.

Base units are chosen so that the field's own units have scale 1: Å, T, K, eV, deg,
counts, V, GPa, s, and a velocity of its own, mm/s, into which a length over a time turns.
A unit is a
product of symbols with integer powers; a prefix is part of the symbol, so that `mT` or
`keV` is one row of the table below and nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import degrees

Dimension = tuple[tuple[str, int], ...]  # sorted (base, power), no zeros


class UnitError(ValueError):
    """The text is not a unit we know; `symbol` is the part at fault."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.symbol = symbol


@dataclass(frozen=True)
class Unit:
    """A unit as written, its factor to canonical units and its dimension."""

    text: str
    scale: float
    dimension: Dimension


_LENGTH, _TIME = "length", "time"
SYMBOLS: dict[str, tuple[float, dict[str, int]]] = {
    "%": (0.01, {}),
    "Å": (1.0, {_LENGTH: 1}),
    "pm": (0.01, {_LENGTH: 1}),
    "nm": (10.0, {_LENGTH: 1}),
    "µm": (1e4, {_LENGTH: 1}),
    "mm": (1e7, {_LENGTH: 1}),
    "cm": (1e8, {_LENGTH: 1}),
    "m": (1e10, {_LENGTH: 1}),
    "s": (1.0, {_TIME: 1}),
    "ms": (1e-3, {_TIME: 1}),
    "ns": (1e-9, {_TIME: 1}),
    "min": (60.0, {_TIME: 1}),
    "h": (3600.0, {_TIME: 1}),
    "T": (1.0, {"field": 1}),
    "mT": (1e-3, {"field": 1}),
    "kOe": (0.1, {"field": 1}),
    "kG": (0.1, {"field": 1}),
    "K": (1.0, {"temperature": 1}),
    "mK": (1e-3, {"temperature": 1}),
    "eV": (1.0, {"energy": 1}),
    "meV": (1e-3, {"energy": 1}),
    "keV": (1e3, {"energy": 1}),
    "deg": (1.0, {"angle": 1}),
    "°": (1.0, {"angle": 1}),
    "rad": (degrees(1.0), {"angle": 1}),
    "mrad": (degrees(1e-3), {"angle": 1}),
    "counts": (1.0, {"counts": 1}),
    "V": (1.0, {"potential": 1}),
    "mV": (1e-3, {"potential": 1}),
    "GPa": (1.0, {"pressure": 1}),
    "kbar": (0.1, {"pressure": 1}),
}
SPELLINGS = {
    "μm": "µm",
    "um": "µm",
    "Å": "Å",
    "A": "Å",
    "degree": "deg",
    "degrees": "deg",
}
SPELLINGS |= {"count": "counts", "cts": "counts", "tesla": "T", "kelvin": "K"}

DIMENSIONS: dict[str, Dimension] = {
    "number": (),
    "fraction": (),
    "velocity": (("velocity", 1),),
    "field": (("field", 1),),
    "temperature": (("temperature", 1),),
    "energy": (("energy", 1),),
    "length": ((_LENGTH, 1),),
    "time": ((_TIME, 1),),
    "angle": (("angle", 1),),
    "counts": (("counts", 1),),
    "potential": (("potential", 1),),
    "pressure": (("pressure", 1),),
    "velocity_by_field": (("field", -1), ("velocity", 1)),
    "reciprocal_length": ((_LENGTH, -1),),
}
CANONICAL: dict[str, str] = {
    "number": "",
    "fraction": "",
    "velocity": "mm/s",
    "field": "T",
    "temperature": "K",
    "energy": "eV",
    "length": "Å",
    "time": "s",
    "angle": "deg",
    "counts": "counts",
    "potential": "V",
    "pressure": "GPa",
    "velocity_by_field": "mm/s/T",
    "reciprocal_length": "Å^-1",
}
DIMENSIONLESS: Dimension = ()

_FACTOR = re.compile(r"([*·/]?)([^*·/^\d]+)(?:\^(-?\d{1,2}))?")


@lru_cache(maxsize=256)  # asked for every file of a batch
def parse_unit(text: str) -> Unit:
    """The unit written as `text`: `mm/s`, `kOe`, `counts*deg`, `Å^-1`, `%`.

    Raises
    ------
    UnitError
        A symbol is not in the table; `.symbol` says which.

    """
    scale, powers, end = 1.0, dict[str, int](), 0
    for match in _FACTOR.finditer(text):
        if match.start() != end:
            raise UnitError(text)
        end = match.end()
        symbol = SPELLINGS.get(match[2], match[2])
        if symbol not in SYMBOLS:
            raise UnitError(match[2])
        power = int(match[3] or 1) * (-1 if match[1] == "/" else 1)
        factor, dimension = SYMBOLS[symbol]
        scale *= factor**power
        for base, exponent in dimension.items():
            powers[base] = powers.get(base, 0) + exponent * power
    if end != len(text) or not text:
        raise UnitError(text)
    pairs = max(0, min(powers.get(_LENGTH, 0), -powers.get(_TIME, 0)))
    if pairs:  # a velocity, in mm/s
        powers[_LENGTH] -= pairs
        powers[_TIME] += pairs
        powers["velocity"] = pairs
        scale = 1.0 if text in ("mm/s", "mm/s/T") else scale * 1e-7**pairs
    return Unit(text, scale, _dimension(powers))


def _dimension(powers: dict[str, int]) -> Dimension:
    return tuple(sorted((base, n) for base, n in powers.items() if n))


def multiply(left: Dimension, right: Dimension, sign: int = 1) -> Dimension:
    """Dimension of a product (`sign` 1) or a quotient (−1)."""
    powers = dict(left)
    for base, n in right:
        powers[base] = powers.get(base, 0) + sign * n
    return _dimension(powers)


@lru_cache(maxsize=256)
def dimension(name: str) -> Dimension:
    """The dimension called `name`: "energy", a product "counts*angle", or "1/angle"."""
    over, *under = name.split("/")
    made = DIMENSIONLESS
    for word in over.split("*"):
        made = multiply(made, DIMENSIONS.get(word, DIMENSIONLESS))
    for word in under:
        made = multiply(made, DIMENSIONS[word], -1)
    return made


def power(dimension: Dimension, exponent: float) -> Dimension | None:
    """Dimension of a power, None when the exponent leaves fractional powers."""
    scaled = {base: n * exponent for base, n in dimension}
    if any(n != int(n) for n in scaled.values()):
        return None
    return _dimension({base: int(n) for base, n in scaled.items()})


def name_of(dimension: Dimension) -> str:
    """The physical name of a dimension ("velocity"), or its canonical unit."""
    for name, known in DIMENSIONS.items():
        if known == dimension:
            return name
    return canonical_unit(dimension)


def said(dimension: Dimension) -> str:
    """A dimension as a word of a diagnostic: a term to be translated, or its unit."""
    for name, known in DIMENSIONS.items():
        if known == dimension:
            return f"@{name}"
    return f"`{canonical_unit(dimension)}`"


def canonical_unit(dimension: Dimension) -> str:
    """The unit in which values of this dimension are kept: `mm/s`, `counts*deg`."""
    for name, known in DIMENSIONS.items():
        if known == dimension:
            return CANONICAL[name]
    parts = [(CANONICAL[base], n) for base, n in dimension]
    over = [_powered(unit, n) for unit, n in parts if n > 0]
    under = [_powered(unit, -n) for unit, n in parts if n < 0]
    if not over:
        return "*".join(_powered(unit, n) for unit, n in parts)
    return "*".join(over) + "".join(f"/{unit}" for unit in under)


def _powered(unit: str, n: int) -> str:
    return unit if n == 1 else f"{unit}^{n}"
