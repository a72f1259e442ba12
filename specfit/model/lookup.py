"""Which records answer `db("phase.site", T = …)`, and what site they describe there.

A transition (Néel, Curie, Morin, Verwey, blocking, charge order, spin crossover)
divides the temperatures: nothing is ever carried from one side of it to the other.
Where samples differ, a transition is a band; a temperature inside the band may be on
either side, a record inside it is on the side that its own pattern shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from specfit.model import records
from specfit.model.faults import nearest
from specfit.model.records import (
    Pattern,
    Phase,
    RecordError,
    ScatterClass,
    SiteEntry,
    State,
    Transition,
)

ORDERING = ("Néel", "Curie")
MAGNETIC = (*ORDERING, "blocking")
PATTERN_PARAMETERS: dict[Pattern, tuple[str, ...]] = {
    "singlet": ("IS",),
    "doublet": ("IS", "QS"),
    "sextet": ("IS", "QS", "Bint"),
}


@dataclass(frozen=True)
class SiteRecord:
    """What the database knows of one site at one temperature.

    states: the records on this side of every transition, nearest in temperature first.
    pattern: what the nearest of them shows.  ordering_temperature: K, the highest at
    which any sample orders; None where none is recorded.  area_fraction: (low, high)
    share of the phase's resonant area in the nearest state that states one.
    """

    key: str
    phase: str
    site: str
    title: str
    temperature: float
    pattern: Pattern
    parameters: tuple[str, ...]
    ordering: str
    ordering_temperature: float | None
    area_fraction: tuple[float, float] | None
    area_ratio: str
    scatter: ScatterClass
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]


def locate(record: str) -> tuple[Phase, str | None]:
    """The phase of `record` and the site it names, if any; aliases are resolved."""
    known = records.aliases()
    head, _, tail = known.get(record, record).partition(".")
    if head in known and head not in records.phases():
        named, _, site = known[head].partition(".")
        head, tail = named, tail or site
    entry = records.phase(head)
    if tail and tail not in entry.sites:
        raise RecordError(
            "db-unknown-site",
            phase=entry.phase,
            site=tail,
            near=nearest(tail, entry.sites),
        )
    return entry, tail or None


def transitions_of(entry: Phase, site: SiteEntry) -> tuple[Transition, ...]:
    """The transitions that concern a site: the phase's and its own."""
    return (*entry.transitions, *site.transitions)


def sides(transition: Transition, temperature: float) -> frozenset[str]:
    """On which side of a transition a temperature may be."""
    if temperature < transition.low_K:
        return frozenset({"below"})
    if temperature >= transition.high_K:
        return frozenset({"above"})
    return frozenset({"below", "above"})


def _state_sides(transition: Transition, state: State) -> frozenset[str]:
    possible = sides(transition, state.T_K)
    if len(possible) == 1 or transition.kind not in MAGNETIC:
        return possible
    return frozenset({"below" if state.pattern == "sextet" else "above"})


def separating(
    state: State, temperature: float, transitions: Iterable[Transition]
) -> Transition | None:
    """The transition between a record and a temperature, or None."""
    for transition in transitions:
        if not sides(transition, temperature) & _state_sides(transition, state):
            return transition
    return None


def _together(first: State, other: State, transitions: Iterable[Transition]) -> bool:
    return all(_state_sides(t, first) & _state_sides(t, other) for t in transitions)


def usable_states(entry: Phase, site: str, temperature: float) -> tuple[State, ...]:
    """The states of a site on the same side of every transition, nearest first.

    Inside the band of a transition the nearest record decides which side is meant.
    """
    content = entry.sites[site]
    between = transitions_of(entry, content)
    found = [s for s in content.states if separating(s, temperature, between) is None]
    found.sort(key=lambda state: abs(state.T_K - temperature))
    return tuple(state for state in found if _together(found[0], state, between))


def record_for(record: str, temperature: float) -> SiteRecord:
    """The site that `record` names, at `temperature` (K).

    The site may be left out where only one is recorded on that side of the phase's
    transitions.  Raises `RecordError`: "db-unknown-phase", "db-unknown-site",
    "db-site-needed", "db-no-temperature".
    """
    entry, site = locate(record)
    if site is None:
        site = _only_site(entry, temperature)
    found = usable_states(entry, site, temperature)
    if not found:
        raise _nothing_there(entry, site, temperature)
    content = entry.sites[site]
    between = transitions_of(entry, content)
    ordering = max(
        (t for t in between if t.kind in ORDERING), key=lambda t: t.high_K, default=None
    )
    shared = next((s for s in found if s.area_fraction), found[0])
    alone = len(entry.sites) == 1
    return SiteRecord(
        key=entry.phase if alone else f"{entry.phase}.{site}",
        phase=entry.phase,
        site=site,
        title=found[0].title,
        temperature=temperature,
        pattern=found[0].pattern,
        parameters=_parameters(found),
        ordering=ordering.kind if ordering else "",
        ordering_temperature=ordering.high_K if ordering else None,
        area_fraction=shared.area_fraction,
        area_ratio=shared.area_ratio,
        scatter=content.scatter or entry.scatter,
        states=tuple(s for s in found if s.pattern == found[0].pattern),
        transitions=between,
    )


def area_fractions(record: str, temperature: float) -> dict[str, tuple[float, float]]:
    """The (low, high) area share of each site that has one recorded there."""
    entry, _ = locate(record)
    found = {}
    for site in entry.sites:
        near = usable_states(entry, site, temperature)
        shares = [state.area_fraction for state in near if state.area_fraction]
        if shares:
            found[site] = shares[0]
    return found


def has_value(state: State, parameter: str) -> bool:
    """Whether a state knows a parameter: by an observation in use or as assessed."""
    return state.assessed(parameter) is not None or any(
        seen.status == "used" and getattr(seen, parameter) is not None
        for seen in state.observations
    )


def _parameters(found: tuple[State, ...]) -> tuple[str, ...]:
    pattern = found[0].pattern
    return tuple(
        parameter
        for parameter in PATTERN_PARAMETERS[pattern]
        if any(has_value(s, parameter) for s in found if s.pattern == pattern)
    )


def _only_site(entry: Phase, temperature: float) -> str:
    there = [site for site in entry.sites if usable_states(entry, site, temperature)]
    if len(there) == 1:
        return there[0]
    if not there and len(entry.sites) == 1:
        return next(iter(entry.sites))
    raise RecordError(
        "db-site-needed",
        phase=entry.phase,
        example=f"{entry.phase}.{(there or list(entry.sites))[0]}",
        sites=", ".join(f"`{site}`" for site in there or entry.sites),
    )


def _nothing_there(entry: Phase, site: str, temperature: float) -> RecordError:
    content = entry.sites[site]
    between = transitions_of(entry, content)
    walls = {
        t.kind: t
        for state in content.states
        if (t := separating(state, temperature, between))
    }
    others = [
        f"`{entry.phase}.{other}`"
        for other in entry.sites
        if usable_states(entry, other, temperature)
    ]
    return RecordError(
        "db-no-temperature",
        record=f"{entry.phase}.{site}",
        temperature=f"{temperature:g}",
        recorded=", ".join(f"{state.T_K:g} K" for state in content.states),
        transition=", ".join(f"{t.kind} {band(t)}" for t in walls.values()),
        others=", ".join(others) or "@nothing",
    )


def band(transition: Transition) -> str:
    """A transition's temperature as text: "858 K" or "119–125 K"."""
    low, high = transition.low_K, transition.high_K
    return f"{low:g} K" if low == high else f"{low:g}–{high:g} K"
