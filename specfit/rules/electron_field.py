"""The field of a site against the unpaired electrons that its state has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.records import ClassRange
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, worst
from specfit.rules.draws import IronSite, iron_sites, passed, shares, symbol_draws
from specfit.rules.state_windows import state_of
from specfit.rules.strength import many, one, strength

NAME = "electron_field"
SOURCE = source_of(NAME)
_SPIN = re.compile(r"S=(\d+(?:/2)?)$")


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Flag fields that the unpaired electrons of a site's state cannot make."""
    found, seen = [], []
    for item, entry, electrons in _states(model):
        draws = symbol_draws(fit, model, item, "Bint")
        if draws is not None:
            seen.append(item.name)
            found += _judge_one(model, item, entry, electrons, draws)
    if found or not seen:
        return found
    text = f"the unpaired electrons account for every field: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item, _, electrons in _states(block.model):
        draws = block.symbol(item, "Bint")
        if draws is not None:
            breach = shares(draws > _most(block.model, electrons))
            found.append(many(breach, strength(block.model, NAME)))
    return worst(block, found)


def unpaired(spin: str) -> int | None:
    """2 S of a class, as `HS S=5/2` has 5; None where it states no spin."""
    match = _SPIN.search(spin)
    return int(2 * Fraction(match.group(1))) if match else None


def _states(model: Model[Prior]) -> Iterator[tuple[IronSite, ClassRange, int]]:
    """The sites whose class states a spin, and the unpaired electrons of it."""
    for item in iron_sites(model):
        entry, except_for = state_of(item)
        electrons = unpaired(entry.spin) if entry else None
        if entry is not None and electrons is not None and "Bint" not in except_for:
            yield item, entry, electrons


def _most(model: Model[Prior], electrons: int) -> float:
    """The largest field of so many electrons, T."""
    known = limits(model, NAME)
    return known["each"] * electrons + known["slack"]


def _judge_one(
    model: Model[Prior],
    item: IronSite,
    entry: ClassRange,
    electrons: int,
    draws: FloatArray,
) -> list[Finding]:
    most = _most(model, electrons)
    breach = float(shares(draws > most))
    outcome = one(breach, strength(model, NAME))
    if outcome == "passed":
        return []
    return [
        Finding(
            NAME,
            "physics",
            outcome,
            f"the field of `{item.name}`, {draws.mean():.1f} T, is more than {electrons} "
            f"unpaired electrons make, {most:g} T, and {entry.title} has no more",
            probability=1.0 - breach,
            value=float(draws.mean()),
            detail="another spin or valence, a field from neighbours, or lines that are "
            "another site's",
            source=SOURCE,
        )
    ]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
