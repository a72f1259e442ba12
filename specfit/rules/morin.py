"""The Morin transition of hematite, at which its quadrupole shift changes sign."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, passed, sextets_of, shares, symbol_draws

NAME = "morin"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of hematite of the quadrupole sign of the other side."""
    known = sextets_of(model, "hematite")
    found = [finding for item in known if (finding := _judge_one(model, fit, item))]
    if found or not known:
        return found
    text = "hematite agrees with the phase stable at this temperature"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found: list[Outcomes] = []
    for item in sextets_of(block.model, "hematite"):
        splitting = block.symbol(item, "QS")
        above = _above(block.model, item)
        if splitting is not None and above is not None:
            found.append(graded(_agreeing(splitting, above) < 0.5, False))
    return worst(block, found)


def _above(model: Model[Prior], item: IronSite) -> bool | None:
    """Whether a site is above the transition; None within it."""
    temperature, known = item.temperature, limits(model, NAME)
    if temperature is None or known["low"] < temperature < known["high"]:
        return None
    return temperature >= known["high"]


def _agreeing(splitting: FloatArray, above: bool) -> FloatArray:
    """Share of the draws of the sign that is stable."""
    return shares(splitting < 0 if above else splitting > 0)


def _judge_one(model: Model[Prior], fit: Fit, item: IronSite) -> Finding | None:
    splitting = symbol_draws(fit, model, item, "QS")
    above = _above(model, item)
    if splitting is None or above is None:
        return None
    probability = float(_agreeing(splitting, above))
    if probability >= 0.5:
        return None
    side, expected = ("above", "−0.20") if above else ("below", "+0.41")
    return Finding(
        NAME,
        "physics",
        "warned",
        f"`{item.name}` is called hematite, which {side} its Morin transition has "
        f"2ε = {expected} mm/s, but QS = {splitting.mean():+.2f} mm/s is of the other "
        "sign",
        probability=probability,
        value=float(splitting.mean()),
        detail="another phase (maghemite, magnetite), or below the transition fine "
        "particles in which it is suppressed",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
