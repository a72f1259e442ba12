"""The values that the records give for one parameter, in one convention, at one T.

Excluded observations never enter.  Isomer shifts are brought to α-Fe, quadrupole
splittings to ΔEQ (unsigned, doublet) or 2ε (sextet), fields stand in tesla.

Two facts about tables decide how much a value counts.  Compilations copy one another:
values of a state that agree to the last digit count once, unless each was read in a
primary source or fitted from raw data.  And a number recalled rather than read, or one
of fewer than three, cannot show how samples scatter: its standard error is then not
below the spread assessed for its state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from specfit.constants import SOURCE_SHIFTS
from specfit.model.lookup import SiteRecord, has_value
from specfit.model.records import Observation, RecordError, State
from specfit.model.thermal import (
    DRIFT,
    FERROUS_DRIFT,
    NEAR,
    isomer_shift_change,
    reduced_field,
)

STANDARD_ERROR = {"IS": 0.01, "QS": 0.02, "Bint": 0.1}
"""mm/s, mm/s, T: of a published value that states none."""

PRIMARY = ("primary_table", "primary_abstract", "fit_of_raw_data")
FEW = 3


@dataclass(frozen=True)
class Value:
    """One independent value: which observations state it, and at which temperature."""

    value: float
    error: float
    temperature: float
    observations: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All values for one parameter at the temperature asked for, and what was done."""

    values: tuple[Value, ...]
    notes: tuple[str, ...]


def gather(record: SiteRecord, parameter: str) -> Evidence:
    """The values of `parameter` at `record.temperature`.

    Raises `RecordError` "db-no-parameter" or "db-no-temperature" (a field that no law
    carries to the temperature asked for).
    """
    states = [s for s in record.states if has_value(s, parameter)]
    if parameter not in record.parameters or not states:
        raise RecordError(
            "db-no-parameter",
            record=record.key,
            parameter=parameter,
            pattern=f"@{record.pattern}",
            temperature=f"{record.temperature:g}",
            known=", ".join(f"`{known}`" for known in record.parameters),
        )
    chosen = _nearest(states, record.temperature)
    notes: list[str] = []
    found = [v for state in chosen for v in _state_values(state, parameter, notes)]
    if len(found) < FEW:
        notes.append(f"fewer than three independent records ({len(found)})")
        spread = {state.T_K: state.assessed(parameter) for state in chosen}
        found = [
            replace(v, error=max(v.error, s.sd)) if (s := spread[v.temperature]) else v
            for v in found
        ]
    moved = _carry(found, record, parameter, chosen, notes)
    notes += _remarks(record, chosen)
    return Evidence(tuple(moved), tuple(dict.fromkeys(notes)))


def _nearest(states: Sequence[State], temperature: float) -> list[State]:
    """All states within 25 K, else the nearest below and the nearest above."""
    near = [s for s in states if abs(s.T_K - temperature) <= NEAR]
    if near:
        return near
    below = [s for s in states if temperature > s.T_K]
    above = [s for s in states if temperature < s.T_K]
    return [
        *([max(below, key=lambda s: s.T_K)] if below else []),
        *([min(above, key=lambda s: s.T_K)] if above else []),
    ]


def _state_values(state: State, parameter: str, notes: list[str]) -> list[Value]:
    assessed = state.assessed(parameter)
    found: list[Value] = []
    for seen in state.observations:
        if seen.status != "used" or getattr(seen, parameter) is None:
            continue
        number = normalised(seen, parameter, state.pattern, notes)
        error = STANDARD_ERROR[parameter]
        if seen.confidence == "recalled" and assessed:
            error = max(error, assessed.sd)
        value = Value(number, error, state.T_K, (seen.id,), (seen.source,))
        _add(found, value, seen.access in PRIMARY)
    if not found and assessed:
        how = "by definition" if assessed.confidence == "by_definition" else "assessed"
        notes.append(f"{parameter} of {state.id} is {how}, without a row of its own")
        error = max(assessed.sd, STANDARD_ERROR[parameter])
        found = [Value(assessed.value, error, state.T_K, (state.id,), state.sources)]
    return found


def _add(found: list[Value], value: Value, primary: bool) -> None:
    """Append a value, or merge it with an equal one it may have been copied from."""
    for index, other in enumerate(found):
        if not primary and abs(other.value - value.value) < 1e-9:
            found[index] = replace(
                other,
                error=min(other.error, value.error),
                observations=other.observations + value.observations,
                sources=other.sources + value.sources,
            )
            return
    found.append(value)


def normalised(
    seen: Observation, parameter: str, pattern: str, notes: list[str]
) -> float:
    """The value of one observation in the conventions of the project."""
    value = float(getattr(seen, parameter))
    if parameter == "IS" and seen.IS_reference != "alpha-Fe":
        shift = SOURCE_SHIFTS[seen.IS_reference]
        notes.append(
            f"{seen.id}: IS {value:g} on {seen.IS_reference} → {-shift:+g} mm/s"
        )
        return value - shift
    if parameter == "QS":
        if seen.QS_kind == "epsilon":
            notes.append(f"{seen.id}: QS was ε, doubled to 2ε")
            value *= 2.0
        if pattern == "doublet" and value < 0.0:
            notes.append(f"{seen.id}: QS {value:g}, its sign is not seen in a doublet")
            return -value
    return value


def _carry(
    values: Iterable[Value],
    record: SiteRecord,
    parameter: str,
    chosen: Sequence[State],
    notes: list[str],
) -> list[Value]:
    """The values at the temperature asked for."""
    target = record.temperature
    if parameter == "IS":
        return [_carry_isomer_shift(v, target, notes) for v in values]
    if all(abs(s.T_K - target) <= NEAR for s in chosen):
        return list(values)
    if parameter == "QS":
        return _carry_quadrupole(list(values), target, chosen, notes)
    return _carry_field(list(values), record, notes)


def _carry_isomer_shift(value: Value, target: float, notes: list[str]) -> Value:
    change, error, law = isomer_shift_change(value.temperature, target)
    if abs(change) >= 5e-4:
        notes.append(f"IS from {value.temperature:g} K: {change:+.3f} mm/s by {law}")
    error = (value.error**2 + error**2) ** 0.5
    return replace(value, value=value.value + change, error=error)


def _groups(values: Sequence[Value]) -> dict[float, float]:
    """The mean value at each recorded temperature."""
    temperatures = sorted({v.temperature for v in values})
    means = {}
    for temperature in temperatures:
        here = [v.value for v in values if v.temperature == temperature]
        means[temperature] = sum(here) / len(here)
    return means


def _between(means: dict[float, float], target: float) -> float:
    """Linear between two temperatures, constant beyond."""
    (cold, low), (hot, high) = min(means.items()), max(means.items())
    if cold == hot:
        return low
    share = min(max((target - cold) / (hot - cold), 0.0), 1.0)
    return low + share * (high - low)


def _carry_quadrupole(
    values: list[Value], target: float, chosen: Sequence[State], notes: list[str]
) -> list[Value]:
    means = _groups(values)
    goal = _between(means, target)
    ferrous = any(s.oxidation_state == 2 and s.spin.startswith("HS") for s in chosen)
    gap = min(abs(t - target) for t in means)
    drift = (FERROUS_DRIFT if ferrous else DRIFT) * gap / len(means)
    how = "linear between" if len(means) == 2 else "kept from"
    places = " and ".join(f"{t:g} K" for t in means)
    notes.append(f"QS {how} {places}, ± {drift:.2f} mm/s for the temperature")
    return [
        replace(
            v,
            value=v.value + goal - means[v.temperature],
            error=(v.error**2 + drift**2) ** 0.5,
        )
        for v in values
    ]


def _carry_field(
    values: list[Value], record: SiteRecord, notes: list[str]
) -> list[Value]:
    target, ordering = record.temperature, record.ordering_temperature
    means = _groups(values)
    places = " and ".join(f"{t:g} K" for t in means)
    if ordering is None:
        if len(means) == 1:
            raise RecordError(
                "db-no-temperature",
                record=record.key,
                temperature=f"{target:g}",
                recorded=places,
                transition="–",
                others="–",
            )
        goal = _between(means, target)
        notes.append(
            f"Bint linear between {places}: no ordering temperature is recorded"
        )
    else:
        ratios = {t: b / reduced_field(t, ordering) for t, b in means.items()}
        goal = reduced_field(target, ordering) * _between(ratios, target)
        notes.append(
            f"Bint by (1 − (T/{ordering:g} K)²)^0.36 through the records at {places}"
        )
    moved = []
    for v in values:
        change = goal - means[v.temperature]
        error = (v.error**2 + (0.2 * change / len(means)) ** 2) ** 0.5
        moved.append(replace(v, value=v.value + change, error=error))
    return moved


def _remarks(record: SiteRecord, chosen: Sequence[State]) -> list[str]:
    """What a reader must know of the states used."""
    remarks = [f"{s.id}: {s.note}" for s in chosen if s.note]
    if all(s.confidence == "recalled" for s in chosen):
        remarks.append("recalled from the literature, not read again in a source")
    for t in record.transitions:
        if t.low_K <= record.temperature < t.high_K:
            remarks.append(
                f"{record.temperature:g} K lies inside the {t.kind} band"
                f" {t.low_K:g}–{t.high_K:g} K: taken as the side of the nearest record"
            )
    far = min(abs(s.T_K - record.temperature) for s in chosen) > NEAR
    if far and not record.transitions and record.pattern != "sextet":
        remarks.append("no ordering temperature is recorded: assumed paramagnetic here")
    return remarks
