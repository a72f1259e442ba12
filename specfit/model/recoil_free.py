"""Recoil-free fractions of the database: what turns areas into populations.

`db("hematite.f", T = 80 K)` is the f of a phase or a site, `db("magnetite.B.f_ratio")`
the ratio that one spectrum gives by itself, f of B over f of A.  The spectrum of one
sample says nothing of f, so that there is no vague component to recover a wrong guess
with: the density is a normal of the recorded spread.

An f is carried to other temperatures along the Debye solid that has it where it was
recorded; the logarithm of a ratio linearly in the temperature, as both lattices are
classical where it counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import numpy as np

from specfit.assets import folder
from specfit.model import laws, records
from specfit.model.ir import Citation, Const, Dist, Frozen, Prior, Provenance
from specfit.model.lookup import locate
from specfit.model.records import Confidence, RecordError

PARAMETERS = ("f", "f_ratio")
BOUNDS = {"f": (0.0, 1.0), "f_ratio": (0.5, 2.0)}

_DRIFT = 0.2
"""Uncertainty of a change with temperature, as a share of it."""


class Recorded(Frozen):
    """A recoil-free fraction, or a ratio of two, at one temperature."""

    id: str
    record: str
    parameter: Literal["f", "f_ratio"]
    against: str = ""
    T_K: float
    value: float
    sd: float
    source: str
    locator: str
    access: str
    confidence: Confidence
    note: str = ""


@lru_cache(maxsize=1)
def _values() -> Mapping[tuple[str, str], tuple[Recorded, ...]]:
    path = folder("priors_db") / "moessbauer" / "recoil_free.toml"
    with path.open("rb") as file:
        rows = [Recorded.model_validate(row) for row in tomllib.load(file)["values"]]
    found: dict[tuple[str, str], tuple[Recorded, ...]] = {}
    for row in rows:
        key = (row.record, row.parameter)
        found[key] = (*found.get(key, ()), row)
    return {k: tuple(sorted(v, key=lambda row: row.T_K)) for k, v in found.items()}


def recorded(record: str) -> tuple[Recorded, ...]:
    """All that is recorded of a phase or of a site by itself, by parameter and T."""
    rows = (row for here in _values().values() for row in here)
    inside = (
        r for r in rows if r.record == record or r.record.startswith(record + ".")
    )
    return tuple(sorted(inside, key=lambda r: (r.record, r.parameter, r.T_K)))


def find(record: str, parameter: str) -> tuple[str, tuple[Recorded, ...]]:
    """The record that answers, the site's own before the phase's, and its values.

    Raises `RecordError`: "db-unknown-phase", "db-unknown-site", "db-no-recoil-free".
    """
    phase, site = locate(record)
    names = [f"{phase.phase}.{site}"] if site else []
    names.append(phase.phase)
    if not site and len(phase.sites) == 1:
        names.append(f"{phase.phase}.{next(iter(phase.sites))}")
    for name in names:
        if rows := _values().get((name, parameter)):
            return name, rows
    known = [key for key, other in _values() if other == parameter]
    near = [key for key in known if key.partition(".")[0] == phase.phase] or known
    raise RecordError(
        "db-no-recoil-free",
        record=record,
        parameter=parameter,
        known=", ".join(f"`{key}.{parameter}`" for key in near),
    )


def resolve(citation: Citation) -> Prior:
    """The prior that a citation of `f` or `f_ratio` stands for."""
    name, rows = find(citation.record, citation.parameter)
    carry = _debye if citation.parameter == "f" else _linear
    location, scale, used, how = carry(rows, citation.temperature)
    low, high = BOUNDS[citation.parameter]
    low = low if citation.low is None else max(low, citation.low)
    high = high if citation.high is None else min(high, citation.high)
    arguments = Const(value=location), Const(value=scale * citation.widen)
    notes = [how] if how else []
    notes += [f"{row.id}: {row.note}" for row in used if row.note]
    notes += [f"f of {name} over f of {row.against}" for row in used[:1] if row.against]
    return Prior(
        dist=Dist(family="normal", arguments=arguments, low=low, high=high),
        provenance=Provenance(
            record=name,
            parameter=citation.parameter,
            temperature=citation.temperature,
            widen=citation.widen,
            observations=tuple(row.id for row in used),
            sources=tuple(dict.fromkeys(row.source for row in used)),
            location=location,
            scale=scale,
            scatter=0.0,
            class_range="",
            notes=tuple(notes),
        ),
    )


def lines_of(prior: Prior) -> list[str]:
    """Lines that say where a recoil-free fraction comes from."""
    said = prior.provenance
    assert said is not None
    lines = [
        f"{said.record}.{said.parameter} at {said.temperature:g} K:"
        f" {said.location:.3f} ± {said.scale:.3f}"
    ]
    if said.widen != 1.0:
        wide = said.scale * said.widen
        lines.append(f"widened {said.widen:g} × → ± {wide:.3f}")
    rows = {row.id: row for here in _values().values() for row in here}
    for row in (rows[i] for i in said.observations):
        origin = records.source(row.source).citation
        lines.append(
            f"record {row.id}: {row.value:g} ± {row.sd:g} at {row.T_K:g} K,"
            f" {row.access.replace('_', ' ')}; {origin} — {row.locator}"
        )
    return lines + [f"note: {note}" for note in said.notes]


Carried = tuple[float, float, tuple[Recorded, ...], str]


def _debye(rows: tuple[Recorded, ...], target: float) -> Carried:
    """The f of a Debye solid whose Θ is linear between records, constant beyond."""
    at = [row.T_K for row in rows]
    debyes = [_debye_temperature(row.value, row.T_K) for row in rows]
    debye = float(np.interp(target, at, debyes))
    value = float(laws.debye_f(np, debye, target))
    nearest = min(rows, key=lambda row: abs(row.T_K - target))
    sd = float(np.interp(target, at, [row.sd for row in rows]))
    change = value - nearest.value
    if not at[0] <= target <= at[-1]:
        sd += _DRIFT * abs(change)
    if abs(change) < 5e-4:
        return nearest.value, sd, (nearest,), ""
    how = f"f from {nearest.T_K:g} K: {change:+.3f}, Debye Θ = {debye:.0f} K"
    return value, sd, rows, how


def _debye_temperature(fraction: float, temperature: float) -> float:
    """The Θ (K) of which f has this value: f rises with Θ."""
    low, high = 10.0, 1e5
    for _ in range(60):
        middle = (low * high) ** 0.5
        below = float(laws.debye_f(np, middle, temperature)) < fraction
        low, high = (middle, high) if below else (low, middle)
    return float(np.sqrt(low * high))


def _linear(rows: tuple[Recorded, ...], target: float) -> Carried:
    """The logarithm of a ratio, linear between its lowest and highest temperature."""
    cold, hot = rows[0], rows[-1]
    span = max(hot.T_K - cold.T_K, 1.0)
    share = (target - cold.T_K) / span if hot is not cold else 0.0
    value = float(np.exp(np.log(cold.value) * (1 - share) + np.log(hot.value) * share))
    sd = float(np.hypot((1 - share) * cold.sd / cold.value, share * hot.sd / hot.value))
    if share in (0.0, 1.0):
        row = hot if share else cold
        return row.value, row.sd, (row,), ""
    how = f"logarithm linear in T through {cold.T_K:g} K and {hot.T_K:g} K"
    return value, sd * value, (cold, hot), how
