"""Lattice constants of the database, and the priors that are made of them.

A record is one published or certified set of constants, so that it cannot show how
samples scatter.  That is assumed, and said: 0.02 % of the constant between samples of
one nominal composition, nothing for a certified reference material, whose powder is the
sample.  The prior's sd is the stated uncertainty and that scatter together; where none
is stated, 0.1 % of the constant.  Nine tenths of the prior are that normal, one tenth
is 1 % wide, so that a wrong guess can be recovered and its weight can be seen.

Between recorded contents x of one compound (`db("NMC111.a", x = 0.55)`) constants are
linear, with a fifth of the change between the two records as a further sd; nothing is
carried beyond them.  From another temperature than the recorded one nothing is carried
either: the sd grows by what a solid may expand, 1.5e-5 per K.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import Field

from specfit.assets import folder
from specfit.model.faults import closest
from specfit.model.ir import Citation, Const, Dist, Frozen, Prior, Provenance
from specfit.model.records import Confidence, RecordError

SYMBOLS = ("a", "b", "c")
SCATTER = 2e-4
"""Of a constant, between samples of one nominal composition."""
UNSTATED = 1e-3
"""Of a constant, where no uncertainty is recorded."""
EXPANSION = 1.5e-5
"""Per K; the linear expansion of most inorganic solids lies between 0.3e-5 and this."""
NEAR = 25.0  # K
DRIFT = 0.2
"""Uncertainty of an interpolated change, as a share of it."""
VAGUE_SHARE, VAGUE = 0.1, 0.01
REACH = 0.2
"""No constant is further from its record than this share of it."""

_CONTENT = re.compile(r"(.+)\.x(\d+(?:\.\d+)?)")


class Reflection(Frozen):
    """A reflection as listed: spacing in Å, 2θ in degrees by wavelength."""

    hkl: tuple[int, int, int]
    d_A: float
    two_theta: Mapping[str, float]


class Lattice(Frozen):
    """One set of lattice constants, in Å, in the conventional cell of its space group."""

    id: str
    phase: str
    formula: str
    space_group: str
    T_K: float
    lattice_A: Mapping[str, float]
    unc_A: Mapping[str, float] = Field(default_factory=dict)
    confidence: Confidence
    source: str
    locator: str = ""
    note: str = ""
    reflections: tuple[Reflection, ...] = ()

    @property
    def certified(self) -> bool:
        """Whether it is of a certified reference material."""
        return " SRM " in f" {self.phase} "

    def sd(self, symbol: str) -> float:
        """The uncertainty stated for a constant, or the one assumed in its place."""
        return self.unc_A.get(symbol, UNSTATED * self.lattice_A[symbol])


@dataclass(frozen=True)
class _Value:
    """A constant at the content asked for, and what was done to get it."""

    location: float
    sd: float
    scatter: float
    notes: tuple[str, ...]


@lru_cache(maxsize=1)
def _file() -> Mapping[str, object]:
    path = folder("priors_db") / "xrd" / "lattices.toml"
    with path.open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def lattices() -> Mapping[str, Lattice]:
    """All records, by id."""
    rows = _file()["lattices"]
    assert isinstance(rows, list)
    found = (Lattice.model_validate(row) for row in rows)
    return {lattice.id: lattice for lattice in found}


@lru_cache(maxsize=1)
def wavelengths() -> Mapping[str, float]:
    """Å, of lines and of energies by their names."""
    meta = _file()["meta"]
    assert isinstance(meta, dict)
    return dict(meta["wavelengths_A"])


def find(record: str, symbol: str) -> tuple[Lattice, ...]:
    """The record called so, or the two between whose contents x it lies.

    Raises `RecordError`: "db-unknown-lattice", "db-lattice-range", "db-no-constant".
    """
    found = _between(record) if record not in lattices() else (lattices()[record],)
    for lattice in found:
        if symbol not in lattice.lattice_A:
            known = ", ".join(f"`{name}`" for name in lattice.lattice_A)
            words = {"record": record, "symbol": symbol, "known": known}
            raise RecordError("db-no-constant", **words)
    return found


def _between(record: str) -> tuple[Lattice, ...]:
    match = _CONTENT.fullmatch(record)
    ladder = _ladder(match[1]) if match else {}
    if not match or not ladder:
        near = closest(record, lattices())
        raise RecordError(
            "db-unknown-lattice",
            name=record,
            near=f"@near-phase|`{near}`" if near else "@no-phase",
        )
    content = float(match[2])
    below = [x for x in ladder if x <= content]
    above = [x for x in ladder if x >= content]
    if not (below and above):
        words = {"low": f"{min(ladder):g}", "high": f"{max(ladder):g}"}
        raise RecordError("db-lattice-range", compound=match[1], x=match[2], **words)
    ends = dict.fromkeys((max(below), min(above)))
    return tuple(ladder[x] for x in ends)


def _ladder(compound: str) -> Mapping[float, Lattice]:
    """The records of a compound by its content x."""
    found = {
        float(match[2]): lattice
        for lattice in lattices().values()
        if (match := _CONTENT.fullmatch(lattice.id)) and match[1] == compound
    }
    return dict(sorted(found.items()))


def key(record: str, given: Mapping[str, float]) -> str:
    """`NMC111` at x = 0.55 is `NMC111.x0.55`."""
    return f"{record}.x{given['x']:.12g}" if "x" in given else record


def temperature(record: str, symbol: str) -> float:
    """K, at which a record was measured."""
    return find(record, symbol)[0].T_K


# ---------------------------------------------------------------------- the prior


def resolve(citation: Citation) -> Prior:
    """The prior that a citation of a lattice constant stands for."""
    symbol = citation.parameter
    found = find(citation.record, symbol)
    value = _warmed(_value(found, citation.record, symbol), found, citation.temperature)
    centre, scale = value.location, value.sd
    low, high = (1.0 - REACH) * centre, (1.0 + REACH) * centre
    low = low if citation.low is None else max(low, citation.low)
    high = high if citation.high is None else min(high, citation.high)
    if not low < high:
        ends = {"low": f"{low:g} Å", "high": f"{high:g} Å"}
        words = {"record": citation.record, "parameter": symbol}
        raise RecordError("db-bounds", **words, **ends)
    wide = scale * citation.widen
    mixture = (
        (1.0 - VAGUE_SHARE, _normal(centre, wide)),
        (VAGUE_SHARE, _normal(centre, max(VAGUE * centre, wide))),
    )
    return Prior(
        dist=Dist(family="mixture", components=mixture, low=low, high=high),
        provenance=Provenance(
            record=citation.record,
            parameter=symbol,
            temperature=citation.temperature,
            widen=citation.widen,
            observations=tuple(lattice.id for lattice in found),
            sources=tuple(dict.fromkeys(lattice.source for lattice in found)),
            location=centre,
            scale=scale,
            scatter=value.scatter,
            class_range=f"lattice ± {VAGUE:.0%}",
            notes=value.notes,
        ),
    )


def _normal(centre: float, sd: float) -> Dist:
    return Dist(family="normal", arguments=(Const(value=centre), Const(value=sd)))


def _value(found: tuple[Lattice, ...], record: str, symbol: str) -> _Value:
    first, last = found[0], found[-1]
    notes = [_how(lattice, symbol) for lattice in found]
    notes += [f"{lattice.id}: {lattice.note}" for lattice in found if lattice.note]
    location, sd = first.lattice_A[symbol], max(each.sd(symbol) for each in found)
    if last is not first:
        low, high, x = (_content(name) for name in (first.id, last.id, record))
        change = last.lattice_A[symbol] - location
        location += (x - low) / (high - low) * change
        sd = (sd**2 + (DRIFT * change) ** 2) ** 0.5
        notes.insert(
            0, f"linear between x = {low:g} and {high:g}, {DRIFT:.0%} of it sd"
        )
    scatter = 0.0 if first.certified else SCATTER * location
    return _Value(location, (sd**2 + scatter**2) ** 0.5, scatter, tuple(notes))


def _how(lattice: Lattice, symbol: str) -> str:
    """What is assumed of the spread of one record."""
    stated = (
        "" if symbol in lattice.unc_A else f"states no uncertainty, {UNSTATED:.1%}; "
    )
    if lattice.certified:
        return f"{lattice.id}: {stated}a certified material, no scatter between samples"
    return (
        f"{lattice.id}: {stated}one record, the scatter between samples is not seen in "
        f"it but assumed, {SCATTER:.2%} of the constant"
    )


def _content(identifier: str) -> float:
    match = _CONTENT.fullmatch(identifier)
    assert match is not None  # `find` has seen to it
    return float(match[2])


def _warmed(value: _Value, found: tuple[Lattice, ...], target: float) -> _Value:
    """The value at another temperature than that of its records."""
    gap = max(abs(lattice.T_K - target) for lattice in found)
    if gap <= NEAR:
        return value
    growth = EXPANSION * gap * value.location
    note = (
        f"recorded at {found[0].T_K:g} K and not carried to {target:g} K:"
        f" ± {growth:.4f} Å for the expansion, {EXPANSION:g} per K"
    )
    sd = (value.sd**2 + growth**2) ** 0.5
    return _Value(value.location, sd, value.scatter, (*value.notes, note))
