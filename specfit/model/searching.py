"""A search of the database by words and by values, as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from specfit.model import records
from specfit.model.catalog import ROOM, short, summary, table
from specfit.model.lookup import PATTERN_PARAMETERS
from specfit.model.records import Phase, State

MATCHES = 20
TOLERANCE = {"IS": 0.03, "QS": 0.10, "Bint": 1.0}
"""mm/s, mm/s, T: what counts as near in a search by numbers, where a record's own
spread is smaller."""

_VALUE = r"([-+]?\d+(?:\.\d*)?)"
_NAMED = re.compile(
    rf"(?<!\S)(?:(IS|QS|Bint)\s*=?\s*{_VALUE}(?:\s*(?:mm/s|T))?"
    rf"|T\s*=\s*{_VALUE}(?:\s*K)?)(?![^\s,;])"
)
_BARE = re.compile(rf"(?<!\S){_VALUE}\s*(mm/s|T|K)(?![^\s,;])")


@dataclass
class Asked:
    """What a search asks for: words, values by symbol, and velocities of either kind."""

    words: str
    temperature: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    velocities: list[float] = field(default_factory=list)


def asked(text: str) -> Asked:
    """`IS=0.36 QS=0.8`, `Bint 51.7`, `51.7 T`, `0.37 mm/s`, `4.2 K`; the rest is words."""
    found = Asked("")

    def named(match: re.Match[str]) -> str:
        if match[1]:
            found.values[match[1]] = float(match[2])
        else:
            found.temperature = float(match[3])
        return " "

    def bare(match: re.Match[str]) -> str:
        value = float(match[1])
        if match[2] == "mm/s":
            found.velocities.append(value)
        elif match[2] == "T":
            found.values["Bint"] = value
        else:
            found.temperature = value
        return " "

    left = _BARE.sub(bare, _NAMED.sub(named, text))
    found.words = " ".join(left.replace(",", " ").replace(";", " ").split())
    return found


def nothing(text: str) -> str:
    """What a search that found nothing says."""
    return f"nothing found for {text!r}"


def search_phases(text: str) -> str:
    """Phases by words (name, formula, class, alias) and by values, as `asked` reads them.

    With values, states are ranked by their distance in units of their spread; a velocity
    without a name is an isomer shift or a splitting, whichever is nearer.  T is the
    temperature searched at, 295 K unless given.
    """
    wanted = asked(text)
    if not (wanted.values or wanted.velocities or wanted.temperature is not None):
        rows = [summary(entry) for entry in records.search(text)]
        head = ("phase", "formula", "sites", "T / K", "rows", "title")
        return "\n".join(table([head, *rows])) if rows else nothing(text)
    found = records.search(wanted.words)
    ranked = sorted(_distances(found, wanted), key=lambda pair: pair[0])
    if not ranked:
        return nothing(text)
    heading = ("distance", "record", "T / K", "pattern", "IS", "QS", "Bint", "title")
    matches = (_match(*entry) for entry in ranked[:MATCHES])
    return "\n".join(table([heading, *matches]))


def _distances(
    found: Iterable[Phase], wanted: Asked
) -> Iterator[tuple[float, str, State]]:
    near = ROOM if wanted.temperature is None else wanted.temperature
    for entry in found:
        for site, state in records.states(entry):
            if abs(state.T_K - near) > 25.0:
                continue
            parts = [_off(state, (name,), v) for name, v in wanted.values.items()]
            parts += [_off(state, ("IS", "QS"), v) for v in wanted.velocities]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                name = entry.phase if len(entry.sites) == 1 else f"{entry.phase}.{site}"
                yield sum(part**2 for part in known) ** 0.5, name, state


def _off(state: State, names: tuple[str, ...], value: float) -> float | None:
    """How far a value is from the nearest of these, in spreads; None where none is known."""
    every = {name: state.assessed(name) for name in names}
    return min(
        (
            abs(value - known.value) / max(known.sd, TOLERANCE[name])
            for name, known in every.items()
            if known is not None and name in PATTERN_PARAMETERS[state.pattern]
        ),
        default=None,
    )


def _match(distance: float, key: str, state: State) -> tuple[str, ...]:
    known = [state.assessed(parameter) for parameter in ("IS", "QS", "Bint")]
    return (
        f"{distance:.1f}",
        key,
        f"{state.T_K:g}",
        state.pattern,
        *("–" if k is None else f"{k.value:g}" for k in known),
        short(state.title, 50),
    )
