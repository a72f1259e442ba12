"""Scattering paths of the database: distances and their variation by state of charge.

`path NiO : feff from db("NMC111.Ni-O", SOC = 50 %)`.  What is recorded at a few states of
charge is taken linearly between them; beyond the last, as it is there with twice its
spread.  Nine tenths of the density are the record, one tenth is `WIDE` times as wide, so
that a sample unlike the recorded ones is seen and followed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from specfit.assets import folder
from specfit.model import records
from specfit.model.faults import nearest
from specfit.model.ir import Const, Dist, Frozen, PathCitation, Prior, Provenance
from specfit.model.records import RecordError

PARAMETERS = ("R", "sigma2")
UNITS = {"R": "Å", "sigma2": "Å^2"}
BOUNDS = {"R": (0.5, 10.0), "sigma2": (0.001, 0.025)}
"""Å and Å²; of σ², what is called possible where the records stand."""
VAGUE_SHARE, WIDE = 0.1, 5.0
BEYOND = 2.0
"""By how much a spread grows outside the recorded states of charge."""


class Recorded(Frozen):
    """What is recorded of a path at a state of charge (a share, 1 is charged)."""

    id: str
    charge: float
    number: float
    R: float
    R_sd: float
    sigma2: float
    sigma2_sd: float
    confidence: str
    source: str


@lru_cache(maxsize=1)
def _rows() -> Mapping[str, tuple[Recorded, ...]]:
    """The rows of every path by its name ("NMC111.Ni-O"), charge rising.

    A path without a state of charge states a rule of geometry and is no record.
    """
    found: dict[str, tuple[Recorded, ...]] = {}
    for file in sorted((folder("priors_db") / "exafs").glob("*.toml")):
        with file.open("rb") as stream:
            table = tomllib.load(stream)
        for row in table["paths"]:
            if "SOC_pct" in row:
                name = f"{file.stem.upper()}.{row['path']}"
                found[name] = (*found.get(name, ()), _recorded(name, row))
    return {
        name: tuple(sorted(rows, key=lambda row: row.charge))
        for name, rows in found.items()
    }


def _recorded(name: str, row: Mapping[str, Any]) -> Recorded:
    return Recorded(
        id=f"{name}@{row['SOC_pct']:g}%",
        charge=row["SOC_pct"] / 100.0,
        number=row["CN"],
        R=row["R_A"],
        R_sd=row["R_sd"],
        sigma2=row["sigma2_A2"],
        sigma2_sd=row["sigma2_sd"],
        confidence=row["confidence"],
        source=row["source"],
    )


def names() -> tuple[str, ...]:
    """The paths that the database knows."""
    return tuple(_rows())


def find(record: str) -> tuple[Recorded, ...]:
    """The rows of a path.

    Raises `RecordError` "db-unknown-path".
    """
    if record not in _rows():
        raise RecordError(
            "db-unknown-path", name=record, known=nearest(record, names())
        )
    return _rows()[record]


def resolve(citation: PathCitation) -> Prior:
    """The prior that a citation stands for."""
    rows, symbol = find(citation.record), citation.parameter
    at = [row.charge for row in rows]
    location = float(np.interp(citation.charge, at, [getattr(r, symbol) for r in rows]))
    spreads = [getattr(row, f"{symbol}_sd") for row in rows]
    scale = float(np.interp(citation.charge, at, spreads))
    outside = not at[0] <= citation.charge <= at[-1]
    scale *= BEYOND if outside else 1.0
    low, high = BOUNDS[symbol]
    wide = scale * citation.widen
    return Prior(
        dist=Dist(
            family="mixture",
            components=(
                (1.0 - VAGUE_SHARE, _normal(location, wide)),
                (VAGUE_SHARE, _normal(location, WIDE * wide)),
            ),
            low=low if citation.low is None else max(low, citation.low),
            high=high if citation.high is None else min(high, citation.high),
        ),
        provenance=Provenance(
            record=citation.record,
            parameter=symbol,
            charge=citation.charge,
            widen=citation.widen,
            observations=tuple(row.id for row in _used(rows, citation.charge)),
            sources=tuple(dict.fromkeys(row.source for row in rows)),
            location=location,
            scale=scale,
            scatter=0.0,
            class_range="",
            notes=_notes(rows, outside),
        ),
    )


def _normal(location: float, scale: float) -> Dist:
    return Dist(family="normal", arguments=(Const(value=location), Const(value=scale)))


def _used(rows: tuple[Recorded, ...], charge: float) -> tuple[Recorded, ...]:
    """The rows on either side of a state of charge, or the one that is there."""
    below = [row for row in rows if row.charge <= charge][-1:]
    above = [row for row in rows if row.charge >= charge][:1]
    return tuple(dict.fromkeys((*below, *above)))


def _notes(rows: tuple[Recorded, ...], outside: bool) -> tuple[str, ...]:
    notes = [f"{WIDE:g} times as wide with a share of {VAGUE_SHARE:g}"]
    if outside:
        notes.append(f"outside the recorded states of charge: spread × {BEYOND:g}")
    if all(row.confidence == "recalled" for row in rows):
        notes.append("recalled from the literature, not read again in a source")
    return tuple(notes)


def lines_of(prior: Prior) -> list[str]:
    """Lines that say where the prior of a path comes from."""
    said = prior.provenance
    assert said is not None
    assert said.charge is not None
    unit = UNITS[said.parameter]
    lines = [
        f"{said.record}.{said.parameter} at a state of charge of {said.charge:.0%}:"
        f" {said.location:.4g} ± {said.scale:.2g} {unit}"
    ]
    if said.widen != 1.0:
        wide = said.scale * said.widen
        lines.append(f"widened {said.widen:g} × → ± {wide:.2g} {unit}")
    rows = {row.id: row for row in find(said.record)}
    for row in (rows[i] for i in said.observations):
        value, sd = getattr(row, said.parameter), getattr(row, f"{said.parameter}_sd")
        origin = records.source(row.source).citation
        lines.append(
            f"record {row.id}: {value:g} ± {sd:g} {unit}, {row.confidence}; {origin}"
        )
    return lines + [f"note: {note}" for note in said.notes]
