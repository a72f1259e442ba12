"""Transitions that change what a phase shows: Morin (hematite), Verwey (magnetite)."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.block import PASSED, WARNED, Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, shares, symbol_draws

NAME = "phase_transitions"
SOURCE = (
    "Morin transition of bulk hematite 250-261 K, 2ε −0.20 above and +0.41 mm/s below, "
    "suppressed in particles below about 20 nm (Özdemir & Dunlop 2008); Verwey "
    "transition of magnetite 119-124 K"
)
MORIN = (240.0, 265.0)  # K
VERWEY = 119.0  # K


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of hematite of the wrong quadrupole sign, and of magnetite below Verwey."""
    known = _known(model)
    found: list[Finding] = []
    for item in known:
        judge_one = _morin if _phase(item) == "hematite" else _verwey
        finding = judge_one(model, fit, item)
        found += [finding] if finding else []
    if found or not known:
        return found
    text = "hematite and magnetite agree with the phase stable at this temperature"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found: list[Outcomes] = []
    for item in _known(block.model):
        splitting = block.symbol(item, "QS")
        if _phase(item) == "magnetite":
            found.append(block.all(PASSED if _verwey_above(item) else WARNED))
        elif (
            splitting is not None and (agrees := _agreeing(splitting, item)) is not None
        ):
            found.append(graded(agrees < 0.5, False))
    return worst(block, found)


def _known(model: Model[Prior]) -> list[IronSite]:
    """The sextets of which it is known what they show at their temperature."""
    return [
        item
        for item in iron_sites(model, "sextet")
        if item.temperature is not None and _phase(item) in ("hematite", "magnetite")
    ]


def _agreeing(splitting: FloatArray, item: IronSite) -> FloatArray | None:
    """Share of the draws of the sign that is stable; None within the transition."""
    temperature = item.temperature
    if temperature is None or MORIN[0] < temperature < MORIN[1]:
        return None
    return shares(splitting < 0 if temperature >= MORIN[1] else splitting > 0)


def _verwey_above(item: IronSite) -> bool:
    return item.temperature is None or item.temperature >= VERWEY


def _phase(item: IronSite) -> str:
    return (item.site.record or "").split(".")[0]


def _morin(model: Model[Prior], fit: Fit, item: IronSite) -> Finding | None:
    splitting = symbol_draws(fit, model, item, "QS")
    agrees = None if splitting is None else _agreeing(splitting, item)
    if splitting is None or agrees is None or agrees >= 0.5:
        return None
    probability = float(agrees)
    above = item.temperature is not None and item.temperature >= MORIN[1]
    side = "above" if above else "below"
    expected = "−0.20" if above else "+0.41"
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


def _verwey(model: Model[Prior], fit: Fit, item: IronSite) -> Finding | None:
    if _verwey_above(item):
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"`{item.name}` is a magnetite sextet at {item.temperature:g} K, below the "
        "Verwey transition, where two sextets no longer describe magnetite",
        detail="charge order splits the octahedral iron into several sextets",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
