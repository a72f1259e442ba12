"""The database as text for a terminal: all phases, one phase."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from specfit.digits import decimals, fixed
from specfit.model import recoil_free, records
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
        rows = [head, *(summary(entry) for entry in entries)]
        lines += ["  " + line for line in table(rows)] + [""]
    total = len(records.phases())
    lines.append(f"{total} phases; rows: in use (of these read in a source)")
    return "\n".join(lines)


def summary(entry: Phase) -> tuple[str, ...]:
    """A phase as a row of `list_phases`."""
    used = [o for o in _observations(entry) if o.status == "used"]
    seen = sum(o.confidence == "seen" for o in used)
    temperatures = sorted({state.T_K for _, state in records.states(entry)})
    sites = "" if len(entry.sites) == 1 else " ".join(entry.sites)
    return (
        entry.phase,
        short(entry.formula, 26),
        short(sites, 34),
        " ".join(f"{t:g}" for t in temperatures),
        f"{len(used)} ({seen})",
        short(entry.title, 44),
    )


def _observations(entry: Phase) -> Iterator[Observation]:
    for _, state in records.states(entry):
        yield from state.observations


def short(text: str, limit: int) -> str:
    """`text` cut to so many columns, an ellipsis where something is missing."""
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
    lines += ["", *_area_lines(entry), *_recoil_lines(entry.phase, used), "sources"]
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
                f"  {parameter} assessed {_rounded(assessed.value, assessed.sd)}"
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


def _rounded(value: float, sd: float) -> str:
    """`51.73 ± 0.32`: as many digits as the spread deserves."""
    if sd <= 0:  # a definition
        return f"{value:g} ± {sd:g}"
    places = decimals(sd)
    return f"{fixed(value, places)} ± {fixed(sd, places)}"


def _rows(state: State) -> Iterator[tuple[str, ...]]:
    values = (f"{name} / {unit}" for name, unit in {**UNITS, "width": "mm/s"}.items())
    yield ("row", *values, "read", "source and place")
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
            _rounded(said.location, said.scale),
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


def _recoil_lines(phase: str, used: dict[str, None]) -> list[str]:
    """The recoil-free fractions of a phase; their sources join those `used`."""
    rows = recoil_free.recorded(phase)
    if not rows:
        return []
    used |= dict.fromkeys(row.source for row in rows)
    cells = [
        (
            f"{r.record}.{r.parameter}",
            f"{r.T_K:g} K",
            f"{r.value:g} ± {r.sd:g}",
            r.source,
        )
        for r in rows
    ]
    return ["recoil-free fractions", *("  " + line for line in table(cells)), ""]
