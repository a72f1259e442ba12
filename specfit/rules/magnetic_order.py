"""No sextet above the ordering temperature of the phase it is named after."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.lookup import record_for
from specfit.model.rule_library import source_of
from specfit.rules.block import FAILED, PASSED, Block, Outcomes
from specfit.rules.draws import IronSite, iron_sites, parameter_of, passed

NAME = "magnetic_order"
SOURCE = source_of(NAME)


MAGNETIC = ("sextet", "relaxing", "sextet_distribution")
"""Kinds that say a site is ordered."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a sextet measured above the temperature at which its phase orders."""
    sextets = list(iron_sites(model, *MAGNETIC))
    found = [finding for item in sextets if (finding := _judge_one(model, item))]
    known = [item for item in sextets if ordering(model, item) is not None]
    if found or not known:
        return found
    names = ", ".join(item.name for item in known)
    return [passed(NAME, f"magnetically ordered when measured: {names}", SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once: of the model alone."""
    sextets = iron_sites(block.model, *MAGNETIC)
    above = any(_judge_one(block.model, item) for item in sextets)
    return block.all(FAILED if above else PASSED)


def ordering(model: Model[Prior], item: IronSite) -> tuple[str, float] | None:
    """Phase and ordering temperature (K) of the record that a site was drawn from.

    The site keeps its phase's name when its values are stated by the user.
    """
    for name in item.site.parameters.values():
        parameter = parameter_of(model, name)
        origin = parameter.prior.provenance if parameter else None
        if origin and origin.ordering_temperature is not None:
            return origin.record.split(".")[0], origin.ordering_temperature
    if item.site.record is None or item.temperature is None:
        return None
    known = record_for(item.site.record, item.temperature).ordering_temperature
    return None if known is None else (item.site.record.split(".")[0], known)


def _judge_one(model: Model[Prior], item: IronSite) -> Finding | None:
    known = ordering(model, item)
    if known is None or item.temperature is None:
        return None
    phase, orders_at = known
    if item.temperature < orders_at:
        return None
    return Finding(
        NAME,
        "physics",
        "failed",
        f"{phase} orders at {orders_at:g} K; at {item.temperature:g} K it is "
        "paramagnetic and shows a doublet or a single line, so the sextet "
        f"`{item.name}` cannot be {phase}",
        value=orders_at,
        detail="name another phase for the sextet, or describe this one as a doublet",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
