"""The Verwey transition of magnetite, below which two sextets do not describe it."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import PASSED, WARNED, Block, Outcomes
from specfit.rules.draws import IronSite, passed, sextets_of

NAME = "verwey"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of sextets of magnetite below the transition."""
    found = [_warning(item) for item in _below(model)]
    if found or not sextets_of(model, "magnetite"):
        return found
    text = "magnetite agrees with the phase stable at this temperature"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once: of the model alone."""
    return block.all(WARNED if _below(block.model) else PASSED)


def _below(model: Model[Prior]) -> list[IronSite]:
    below = limits(model, NAME)["below"]
    known = sextets_of(model, "magnetite")
    return [item for item in known if (item.temperature or 0.0) < below]


def _warning(item: IronSite) -> Finding:
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
