"""A doublet at room temperature that may be a magnetic phase in small particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import WARNED, Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws
from specfit.rules.magnetic_order import ordering

NAME = "superparamagnetism"
SOURCE = source_of(NAME)
Limits = Mapping[str, float]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of doublets that only a cold spectrum can name."""
    doublets = list(iron_sites(model, "doublet"))
    found = [finding for item in doublets if (finding := _judge_one(model, fit, item))]
    if found or not doublets:
        return found
    text = "no doublet looks like a superparamagnetic oxide at room temperature"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found: list[Outcomes] = []
    known = limits(block.model, NAME)
    for item in iron_sites(block.model, "doublet"):
        if _ordered_phase(block.model, item) is not None:
            found.append(block.all(WARNED))
        shift, splitting = (block.symbol(item, symbol) for symbol in ("IS", "QS"))
        if shift is not None and splitting is not None and _warm(item, known):
            found.append(graded(_fine(shift, splitting, known), False))
    return worst(block, found)


def _warm(item: IronSite, known: Limits) -> bool:
    """Whether a doublet without a record was measured at room temperature."""
    at = item.temperature
    if at is None or item.site.record is not None:
        return False
    return known["T_low"] <= at <= known["T_high"]


def _fine(shift: FloatArray, splitting: FloatArray, known: Limits) -> Flags:
    """Whether the means are those of a fine oxide."""
    centre, split = shift.mean(axis=-1), np.abs(splitting.mean(axis=-1))
    within = (centre >= known["IS_low"]) & (centre <= known["IS_high"])
    return np.asarray(within & (split >= known["QS_low"]) & (split <= known["QS_high"]))


def _judge_one(model: Model[Prior], fit: Fit, item: IronSite) -> Finding | None:
    reason = _ordered_phase(model, item) or _fine_oxide(model, fit, item)
    if reason is None:
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the doublet `{item.name}` {reason}: it may be a superparamagnetic oxide "
        "rather than a paramagnetic phase",
        detail="measure at 77 K and at 4.2 K: a superparamagnetic phase splits into a "
        "sextet there",
        source=SOURCE,
    )


def _ordered_phase(model: Model[Prior], item: IronSite) -> str | None:
    known = ordering(model, item)
    if known is None or item.temperature is None or item.temperature >= known[1]:
        return None
    phase, orders_at = known
    return f"is called {phase}, which in bulk orders below {orders_at:g} K"


def _fine_oxide(model: Model[Prior], fit: Fit, item: IronSite) -> str | None:
    known = limits(model, NAME)
    if not _warm(item, known):
        return None
    shift = symbol_draws(fit, model, item, "IS")
    splitting = symbol_draws(fit, model, item, "QS")
    if shift is None or splitting is None:
        return None
    if not _fine(shift, splitting, known):
        return None
    centre, split = float(shift.mean()), abs(float(splitting.mean()))
    return f"has IS {centre:.2f} and QS {split:.2f} mm/s at {item.temperature:g} K"


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
