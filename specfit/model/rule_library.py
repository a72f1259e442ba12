"""The library of rules: name, severity, source and thresholds of each, as data.

What: `priors_db/rules/57Fe.toml` says of every rule that judges a posterior what it
demands, how strongly and on whose word; the code of a rule says how a breach is found.
Why: a reader can doubt a threshold only where it stands by itself, with its source, and
a file can change it in one line that says why.  Instead of: constants in the rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath, PurePosixPath
from typing import Any, Literal

from pydantic import Field

from specfit.assets import folder
from specfit.model.ir import Frozen, Model, Override, Severity
from specfit.model.records import class_ranges, source

LIBRARY = "57Fe"
"""The one there is; all rules stand in it, those of any kind of model too."""

SHIPPED = "rules/"
"""How its path begins in `use "rules/57Fe"`."""


class Threshold(Frozen):
    """A number that a rule compares with, in its canonical unit."""

    value: float
    unit: str = ""
    meaning: str


class RuleEntry(Frozen):
    """What the library says of one rule; the head of its file explains each key."""

    title: str
    severity: Severity
    always: bool
    basis: Literal["logic", "published", "recalled", "proposal"]
    grounds: str
    sources: tuple[str, ...] = ()
    held: str = ""
    any_kind: bool = False
    fixed: bool = False
    thresholds: Mapping[str, Threshold] = {}


class _Library(Frozen):
    schema_: Literal[1] = Field(alias="schema")
    isotope: str
    rules: Mapping[str, RuleEntry]


@dataclass(frozen=True)
class InForce:
    """A rule as it judges one model: the library's word, or the file's."""

    name: str
    entry: RuleEntry
    severity: Severity
    thresholds: Mapping[str, float]
    overrides: tuple[Override, ...] = ()

    @property
    def because(self) -> str:
        """Why the file overrides the library; empty where it does not."""
        return "; ".join(override.because for override in self.overrides)


def libraries() -> tuple[str, ...]:
    """The names that `use "rules/NAME"` knows."""
    return tuple(sorted(p.stem for p in (folder("priors_db") / "rules").glob("*.toml")))


@lru_cache(maxsize=1)
def entries() -> Mapping[str, RuleEntry]:
    """Every rule of the library by name, in the order of its file."""
    path = folder("priors_db") / "rules" / f"{LIBRARY}.toml"
    return _Library.model_validate(tomllib.loads(path.read_text("utf-8"))).rules


def shipped(path: str) -> bool:
    """Does `use` mean a library of ours?  A file of the project has an ending."""
    return path.startswith(SHIPPED) and not PurePosixPath(path).suffix


def source_of(name: str) -> str:
    """On whose word a rule judges."""
    return entries()[name].grounds


def thresholds_of(name: str) -> Mapping[str, float]:
    """The library's thresholds of a rule, whatever a file says."""
    return {key: one.value for key, one in entries()[name].thresholds.items()}


def limits(model: Model[Any], name: str) -> Mapping[str, float]:
    """The thresholds of a rule for one model, the file's overrides among them."""
    said = {o.threshold: o.value for o in model.overrides if o.rule == name}
    stated = {key: value for key, value in said.items() if value is not None}
    return {**thresholds_of(name), **stated}


def severity(model: Model[Any], name: str) -> Severity | None:
    """How strongly a rule judges one model; None where it does not."""
    entry = entries()[name]
    for override in model.overrides:
        if override.rule == name and override.severity:
            return None if override.severity == "off" else override.severity
    used = entry.always or LIBRARY in model.libraries
    used &= entry.any_kind or model.kind.startswith("mossbauer")
    return entry.severity if used and not entry.held else None


def in_force(model: Model[Any]) -> tuple[InForce, ...]:
    """The rules that judge a model, in the order of the library."""
    return tuple(
        InForce(
            name,
            entry,
            strength,
            limits(model, name),
            tuple(o for o in model.overrides if o.rule == name),
        )
        for name, entry in entries().items()
        if (strength := severity(model, name)) is not None
    )


def held() -> Mapping[str, RuleEntry]:
    """The rules that hold by construction."""
    return {name: entry for name, entry in entries().items() if entry.held}


def words(override: Override) -> str:
    """What an override says: `linewidth.floor = 0.097 mm/s`."""
    if not override.threshold:
        return f"{override.rule} = {override.severity}"
    return f"{override.rule}.{override.threshold} = {_number(override, override.value)}"


def where(override: Override) -> str:
    """`, line 3 of m.spec`; nothing for one that no text says."""
    place = override.place
    return f", line {place.line} of {PurePath(place.file).name}" if place.line else ""


def instead_of(override: Override) -> str:
    """What the library says in its place."""
    entry = entries()[override.rule]
    if not override.threshold:
        return entry.severity if entry.always else f"{entry.severity}, where used"
    return _number(override, entry.thresholds[override.threshold].value)


def _number(override: Override, value: float | None) -> str:
    unit = entries()[override.rule].thresholds[override.threshold].unit
    return f"{value:g} {unit}".rstrip()


def describe(rule: InForce) -> list[str]:
    """Lines that say what a rule demands, on whose word, and what the file changes."""
    lines = []
    for key, threshold in rule.entry.thresholds.items():
        value = f"{rule.thresholds[key]:g} {threshold.unit}".rstrip()
        lines.append(f"{key} {value}: {threshold.meaning}")
    lines += [f"{rule.entry.basis}: {rule.entry.grounds}"]
    lines += [f"source: {source(key).citation}" for key in rule.entry.sources]
    for override in rule.overrides:
        said = f"{words(override)}, in place of {instead_of(override)}"
        why = f"{said}, because {override.because}"
        lines.append(f"overridden{where(override)}: {why}")
    return lines


def state_called(text: str) -> str | None:
    """The key of the class of iron with this title or key, whatever its capitals.

    `Fe2+ HS oct O` is the key `fe2_hs_oct_o`, as it is said.
    """
    wanted = text.casefold()
    spoken = wanted.replace("+", "").replace(" ", "_")
    return next(
        (
            key
            for key, entry in class_ranges().items()
            if spoken == key.casefold() or wanted == entry.title.casefold()
        ),
        None,
    )
