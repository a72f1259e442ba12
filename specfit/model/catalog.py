"""The database as text for a terminal: all phases, one phase, a search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from specfit.model import records
from specfit.model.ir import Citation
from specfit.model.lookup import (
    PATTERN_PARAMETERS,
    SiteRecord,
    area_fractions,
    band,
    locate,
    record_for,
    transitions_of,
)
from specfit.model.priors import quantile, resolve
from specfit.model.records import UNITS, Observation, Phase, RecordError, State

ROOM = 295.0
MATCHES = 20
TOLERANCE = {"IS": 0.03, "QS": 0.10, "Bint": 1.0}
"""mm/s, mm/s, T: what counts as near in a search by numbers, where a record's own
spread is smaller."""

_NUMBER = re.compile(r"^(IS|QS|Bint|T)=([-+]?\d+(?:\.\d*)?)$")


def width(text: str) -> int:
    """Columns that a text takes on a terminal; wide characters take two."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines of aligned columns, two blanks apart; the last column is free."""
    lines = [list(row) for row in rows]
    if not lines:
        return []
    widths = [max(width(row[i]) for row in lines) for i in range(len(lines[0]) - 1)]
    return [
        "  ".join(
            [
                *(
                    cell + " " * (w - width(cell))
                    for cell, w in zip(row, widths, strict=False)
                ),
                row[-1],
            ]
        ).rstrip()
        for row in lines
    ]


def list_phases() -> str:
    """Every phase: formula, sites, temperatures, and how many rows it has."""
    groups: dict[str, list[Phase]] = {}
    for name in records.phases():
        entry = records.phase(name)
        groups.setdefault(entry.group, []).append(entry)
    lines = []
    for group, entries in groups.items():
        lines += [group.replace("_", " "), ""]
        head = ("phase", "formula", "sites", "T / K", "rows", "title")
        rows = [head, *(_summary(entry) for entry in entries)]
        lines += ["  " + line for line in table(rows)] + [""]
    total = len(records.phases())
    lines.append(f"{total} phases; rows: in use (of these read in a source)")
    return "\n".join(lines)


def _summary(entry: Phase) -> tuple[str, ...]:
    used = [o for o in _observations(entry) if o.status == "used"]
    seen = sum(o.confidence == "seen" for o in used)
    temperatures = sorted({state.T_K for _, state in records.states(entry)})
    sites = "" if len(entry.sites) == 1 else " ".join(entry.sites)
    return (
        entry.phase,
        _short(entry.formula, 26),
        _short(sites, 34),
        " ".join(f"{t:g}" for t in temperatures),
        f"{len(used)} ({seen})",
        _short(entry.title, 44),
    )


def _observations(entry: Phase) -> Iterator[Observation]:
    for _, state in records.states(entry):
        yield from state.observations


def _short(text: str, limit: int) -> str:
    kept = text
    while width(kept) > limit:
        kept = kept[:-1]
    return kept if kept == text else kept[:-1] + "…"


def show_phase(name: str) -> str:
    """One phase or one of its sites: states, rows, sources, and the density at 295 K.

    Raises `RecordError` where the name is not known.
    """
    entry, only = locate(name)
    lines = [f"{entry.phase} — {entry.title}" + f"  {entry.formula}".rstrip()]
    others = records.other_names(entry.phase)
    if others:
        lines.append("also called " + ", ".join(others))
    lines.append(f"samples: {entry.scatter}")
    lines += [_transition_line(t) for t in entry.transitions]
    used: dict[str, None] = {}
    for site, content in entry.sites.items():
        if only not in (None, site):
            continue
        lines += ["", f"{entry.phase}.{site} — {content.title}"]
        own = [t for t in transitions_of(entry, content) if t not in entry.transitions]
        lines += ["  " + _transition_line(t) for t in own]
        for state in content.states:
            lines += ["  " + line for line in _state_lines(state)]
            used |= dict.fromkeys(o.source for o in state.observations)
        lines += ["  " + line for line in _density_lines(f"{entry.phase}.{site}")]
    lines += ["", *_area_lines(entry), "sources"]
    for key in used:
        origin = records.source(key)
        doi = f", doi:{origin.doi}" if origin.doi else ""
        flag = "" if origin.citation_confidence == "seen" else " (citation recalled)"
        lines.append(f"  {key}: {origin.citation}{doi}{flag}")
    return "\n".join(lines)


def _transition_line(transition: records.Transition) -> str:
    note = f": {transition.note}" if transition.note else ""
    return f"{transition.kind} {band(transition)} ({transition.confidence}){note}"


def _state_lines(state: State) -> list[str]:
    facts = [state.coordination, state.spin, state.structure, state.space_group]
    if state.oxidation_state is not None:
        facts.insert(0, f"valence {state.oxidation_state:g}")
    about = ", ".join(fact for fact in facts if fact)
    lines = ["", f"{state.T_K:g} K, {state.pattern} ({state.confidence}): {about}"]
    lines.append(f"  class: {records.class_ranges()[state.class_range].title}")
    if state.outside_class:
        outside = ", ".join(state.outside_class)
        lines.append(f"  outside the range of its class: {outside}")
    for parameter in PATTERN_PARAMETERS[state.pattern]:
        assessed = state.assessed(parameter)
        if assessed:
            lines.append(
                f"  {parameter} assessed {assessed.value:g} ± {assessed.sd:g}"
                f" {UNITS[parameter]} ({assessed.confidence.replace('_', ' ')})"
            )
    usual = state.width
    lines.append(
        f"  width usually {usual.typical:g} ({usual.low:g}–{usual.high:g}) mm/s"
        f" ({usual.confidence})"
    )
    if state.area_ratio:
        lines.append(f"  area: {state.area_ratio}")
    lines += ["  " + line for line in table(_rows(state))]
    if state.note:
        lines.append(f"  note: {state.note}")
    return lines


def _rows(state: State) -> Iterator[tuple[str, ...]]:
    yield ("row", "IS", "QS", "Bint", "width", "read", "source and place")
    for seen in state.observations:
        place = f" — {seen.locator}" if seen.locator else ""
        remark = f" [{seen.note}]" if seen.note else ""
        if seen.status == "excluded":
            remark += f" EXCLUDED: {seen.reason}"
        numbers = (seen.IS, seen.QS, seen.Bint, seen.width)
        yield (
            seen.id.rpartition("/")[2],
            *("–" if n is None else f"{n:g}" for n in numbers),
            seen.confidence
            if seen.access == seen.confidence
            else f"{seen.confidence}, {seen.access.replace('_', ' ')}",
            f"{seen.source}{place}{remark}",
        )


def _density_lines(record: str) -> list[str]:
    try:
        there = record_for(record, ROOM)
    except RecordError:
        return ["", f"no density at {ROOM:g} K: nothing recorded on that side"]
    lines = ["", f"density at {ROOM:g} K ({there.pattern})"]
    lines += ["  " + line for line in table(_densities(there))]
    return lines


def _densities(there: SiteRecord) -> Iterator[tuple[str, ...]]:
    for parameter in ("IS", "QS", "Bint"):
        if parameter not in there.parameters:
            continue
        citation = Citation(record=there.key, parameter=parameter, temperature=ROOM)
        try:
            prior = resolve(citation)
        except RecordError:
            continue
        said = prior.provenance
        assert said is not None
        low, high = (quantile(prior.dist, p) for p in (0.05, 0.95))
        digits = 1 if parameter == "Bint" else 3
        yield (
            parameter,
            f"{said.location:.{digits + 1}f} ± {said.scale:.{digits + 1}f}",
            UNITS[parameter],
            f"90 % in [{low:.{digits}f}, {high:.{digits}f}]",
            f"{len(said.observations)} rows",
            "; ".join(note for note in said.notes if len(note) < 60),
        )


def _area_lines(entry: Phase) -> list[str]:
    shares = area_fractions(entry.phase, ROOM)
    if len(shares) < 2:
        return []
    rows = [
        (site, f"{low:.3f}" if low == high else f"{low:.3f}–{high:.3f}")
        for site, (low, high) in shares.items()
    ]
    return [f"area fractions at {ROOM:g} K", *("  " + r for r in table(rows)), ""]


def search_phases(text: str) -> str:
    """Phases by words (name, formula, class, alias) and by numbers (`IS=0.36 QS=0.8`).

    With numbers, states are ranked by their distance in units of their spread; T is the
    temperature searched at, 295 K unless given.
    """
    tokens = text.split()
    numbers = {m[1]: float(m[2]) for token in tokens if (m := _NUMBER.match(token))}
    words = " ".join(token for token in tokens if not _NUMBER.match(token))
    found = records.search(words)
    if not numbers:
        rows = [_summary(entry) for entry in found]
        head = ("phase", "formula", "sites", "T / K", "rows", "title")
        return (
            "\n".join(table([head, *rows])) if rows else f"nothing found for {text!r}"
        )
    temperature = numbers.pop("T", ROOM)
    ranked = sorted(_distances(found, numbers, temperature), key=lambda pair: pair[0])
    if not ranked:
        return f"nothing found for {text!r}"
    heading = ("distance", "record", "T / K", "pattern", "IS", "QS", "Bint", "title")
    matches = (_match(*entry) for entry in ranked[:MATCHES])
    return "\n".join(table([heading, *matches]))


def _distances(
    found: Iterable[Phase], numbers: dict[str, float], temperature: float
) -> Iterator[tuple[float, str, State]]:
    for entry in found:
        for site, state in records.states(entry):
            if abs(state.T_K - temperature) > 25.0:
                continue
            total = 0.0
            for parameter, value in numbers.items():
                known = state.assessed(parameter)
                if known is None or parameter not in PATTERN_PARAMETERS[state.pattern]:
                    break
                spread = max(known.sd, TOLERANCE[parameter])
                total += ((value - known.value) / spread) ** 2
            else:
                name = entry.phase if len(entry.sites) == 1 else f"{entry.phase}.{site}"
                yield total**0.5, name, state


def _match(distance: float, key: str, state: State) -> tuple[str, ...]:
    known = [state.assessed(parameter) for parameter in ("IS", "QS", "Bint")]
    return (
        f"{distance:.1f}",
        key,
        f"{state.T_K:g}",
        state.pattern,
        *("–" if k is None else f"{k.value:g}" for k in known),
        _short(state.title, 50),
    )
