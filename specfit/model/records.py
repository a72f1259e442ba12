"""The prior records: what the file of each phase says, read when it is asked for.

One TOML file a phase, because a citation names a phase and nothing else need be read:
a model with three sites parses three small files; `phases()` is a directory listing.
Only search and the full list read everything.  Numbers stand as their source printed
them; `priors` brings them to one convention.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from specfit.assets import folder
from specfit.model.faults import closest
from specfit.model.ir import Frozen

PARAMETERS = ("IS", "QS", "Bint")
UNITS = {"IS": "mm/s", "QS": "mm/s", "Bint": "T"}

Confidence = Literal["seen", "recalled", "by_definition"]
Pattern = Literal["sextet", "doublet", "singlet"]
ScatterClass = Literal["crystalline", "nano", "alloy", "glass"]
ParameterName = Literal["IS", "QS", "Bint"]


class RecordError(Exception):
    """A citation that the database cannot answer: a diagnostic code and its words."""

    def __init__(self, code: str, **words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class Transition(Frozen):
    """A temperature that no prior is carried across; a band where samples differ."""

    kind: Literal[
        "Néel", "Curie", "Morin", "Verwey", "blocking", "charge order", "spin crossover"
    ]
    low_K: float
    high_K: float
    confidence: Confidence
    note: str = ""


class Assessed(Frozen):
    """The value of a state as assessed from its observations, with a spread.

    `sd` is a spread between samples and sources, not an error of measurement.
    """

    value: float
    sd: float
    confidence: Confidence
    n_obs: int = 0
    n_seen: int = 0
    obs_min: float | None = None
    obs_max: float | None = None
    range: tuple[float, float] | None = None
    kind: Literal["delta_EQ", "two_epsilon"] | None = None
    note: str = ""


class Width(Frozen):
    """What linewidths (FWHM, mm/s) are usual for a state."""

    typical: float
    low: float
    high: float
    confidence: Confidence


class Magnetism(Frozen):
    """What is known of the magnetism of a state."""

    kind: str
    ordering_K: float | None = None
    note: str = ""


class Observation(Frozen):
    """One row of one source, as printed there.

    `locator` says where the number was read, `access` how near to the measurement that
    is; an observation with status "excluded" is kept for audit and never used.
    """

    id: str
    T_K: float
    IS: float | None = None
    QS: float | None = None
    Bint: float | None = None
    width: float | None = None
    area_percent: float | None = None
    IS_reference: str
    QS_kind: Literal["delta_EQ", "two_epsilon", "epsilon"]
    source: str
    locator: str = ""
    access: str
    confidence: Confidence
    status: Literal["used", "excluded"]
    reason: str = ""
    note: str = ""


class State(Frozen):
    """A site at one temperature."""

    id: str
    title: str
    T_K: float
    pattern: Pattern
    formula: str = ""
    structure: str = ""
    space_group: str = ""
    oxidation_state: float | None = None
    spin: str = ""
    coordination: str = ""
    class_range: str
    outside_class: tuple[str, ...] = ()
    confidence: Confidence
    seen_fields: tuple[str, ...] = ()
    sources: tuple[str, ...]
    area_ratio: str = ""
    area_fraction: tuple[float, float] | None = None
    magnetism: Magnetism | None = None
    debye_temperature: str = ""
    note: str = ""
    IS: Assessed | None = None
    QS: Assessed | None = None
    Bint: Assessed | None = None
    width: Width
    blocked: bool = False  # a sextet above the ordering temperature, or by relaxation
    observations: tuple[Observation, ...] = ()

    def assessed(self, parameter: str) -> Assessed | None:
        """The assessed value of IS, QS or Bint."""
        value: Assessed | None = getattr(self, parameter)
        return value


class SiteEntry(Frozen):
    """A site of a phase: its states, and transitions where they are its own."""

    title: str
    scatter: ScatterClass | None = None
    transitions: tuple[Transition, ...] = ()
    states: tuple[State, ...]


class Phase(Frozen):
    """A phase: what its file holds."""

    schema_: Literal[1] = Field(alias="schema")
    phase: str
    title: str
    formula: str = ""
    group: str
    scatter: ScatterClass
    transitions: tuple[Transition, ...] = ()
    sites: Mapping[str, SiteEntry]


class Source(Frozen):
    """Where numbers were published, and whether the citation itself was seen."""

    citation: str
    citation_confidence: Confidence
    doi: str = ""
    note: str = ""


class ClassRange(Frozen):
    """The range of a class of iron by valence, spin and coordination; soft bounds."""

    title: str
    oxidation_state: float | None = None
    spin: str = ""
    coordination: str = ""
    T_K: float | None = None
    IS: tuple[float, float]
    QS_abs: tuple[float, float]
    Bint_saturation: tuple[float, float] | None = None
    IS_hard: tuple[float, float] | None = None
    confidence: Confidence
    sources: tuple[str, ...]
    locator: str = ""
    note: str = ""


def _table(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def phases() -> tuple[str, ...]:
    """The names of all phases, sorted; a directory listing, no file is read."""
    here = folder("priors_db") / "moessbauer" / "57Fe"
    return tuple(sorted((path.stem for path in here.glob("*.toml")), key=str.casefold))


@lru_cache(maxsize=1)
def aliases() -> Mapping[str, str]:
    """Other names: "alpha-Fe" → "iron.alpha"."""
    return _table(folder("priors_db") / "moessbauer" / "aliases.toml")


def near_phase(name: str) -> str:
    """The phase or alias that `name` may be a slip of, as a word of a diagnostic."""
    near = closest(name, [*phases(), *aliases()])
    return f"@near-phase|`{near}`" if near else "@no-phase"


@lru_cache(maxsize=512)
def phase(name: str) -> Phase:
    """The phase called `name`.

    Raises `RecordError` "db-unknown-phase" with the nearest names.
    """
    if name not in phases():
        raise RecordError("db-unknown-phase", name=name, near=near_phase(name))
    path = folder("priors_db") / "moessbauer" / "57Fe" / f"{name}.toml"
    return Phase.model_validate(_table(path))


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    """All sources, by key."""
    entries = _table(folder("priors_db") / "sources.toml")["sources"]
    return {key: Source.model_validate(entry) for key, entry in entries.items()}


def source(key: str) -> Source:
    """The source with this key; every key in a record has one (a test says so)."""
    return sources()[key]


@lru_cache(maxsize=1)
def class_ranges() -> Mapping[str, ClassRange]:
    """The ranges of all classes of iron, by key."""
    ranges = _table(folder("priors_db") / "moessbauer" / "class_ranges.toml")["ranges"]
    return {key: ClassRange.model_validate(entry) for key, entry in ranges.items()}


def states(entry: Phase) -> Iterator[tuple[str, State]]:
    """Every state of a phase with the name of its site, in the order of the file."""
    for site, content in entry.sites.items():
        for state in content.states:
            yield site, state


def observation(identifier: str) -> Observation | None:
    """The observation with this id ("magnetite.B.295K/1"), or None for a state's id."""
    name = identifier.partition(".")[0]
    for _, state in states(phase(name)):
        for found in state.observations:
            if found.id == identifier:
                return found
    return None


def other_names(name: str) -> tuple[str, ...]:
    """The aliases that lead to a phase."""
    return tuple(k for k, target in aliases().items() if target.split(".")[0] == name)


def search(text: str) -> tuple[Phase, ...]:
    """Phases in whose name, formula, sites, classes or aliases every word occurs."""
    words = text.casefold().split()
    found = []
    for name in phases():
        entry = phase(name)
        hay = [entry.phase, entry.title, entry.formula, entry.group, *other_names(name)]
        for site, state in states(entry):
            title = class_ranges()[state.class_range].title
            hay += [site, state.title, state.formula, state.class_range, title]
        joined = "\n".join(hay).casefold()
        if all(word in joined for word in words):
            found.append(entry)
    return tuple(found)
