"""The windows in which 57Fe hyperfine parameters are known to lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import DOUBT, iron_sites, passed, shares, symbol_draws

NAME = "hyperfine_windows"
SOURCE = source_of(NAME)
Limits = Mapping[str, float]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail isomer shifts and fields that no iron has; warn of unusual fields."""
    known = limits(model, NAME)
    sites = list(iron_sites(model))
    found: list[Finding] = []
    for item in sites:
        shift = symbol_draws(fit, model, item, "IS")
        hyperfine = symbol_draws(fit, model, item, "Bint")
        found += [] if shift is None else _judge_shift(item.name, shift, known)
        found += [] if hyperfine is None else _judge_field(item.name, hyperfine, known)
    if found or not sites:
        return found
    text = "isomer shifts and fields lie where those of iron are known to lie"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found, known = [], limits(block.model, NAME)
    for item in iron_sites(block.model):
        shift, hyperfine = (block.symbol(item, symbol) for symbol in ("IS", "Bint"))
        if shift is not None:
            found.append(graded(False, shares(_outside(shift, known)) > DOUBT))
        if hyperfine is not None:
            above, unusual = _beyond(hyperfine, known)
            failed = (above > DOUBT) & (unusual > DOUBT)
            found.append(graded(unusual > DOUBT, failed))
    return worst(block, found)


def _outside(draws: FloatArray, known: Limits) -> Flags:
    return np.asarray((draws < known["IS_low"]) | (draws > known["IS_high"]))


def _beyond(draws: FloatArray, known: Limits) -> tuple[FloatArray, FloatArray]:
    """Shares above the largest field and above the usual ones."""
    return shares(draws > known["largest"]), shares(draws > known["unusual"])


def _judge_shift(name: str, draws: FloatArray, known: Limits) -> list[Finding]:
    outside = float(shares(_outside(draws, known)))
    if outside <= DOUBT:
        return []
    text = (
        f"the isomer shift of `{name}`, {draws.mean():.2f} mm/s, lies outside "
        f"[{known['IS_low']}, {known['IS_high']}] mm/s, where all known iron lies"
    )
    return [
        Finding(
            NAME,
            "physics",
            "failed",
            text,
            probability=1.0 - outside,
            value=float(draws.mean()),
            detail="check the velocity zero and the reference of the isomer shift",
            source=SOURCE,
        )
    ]


def _judge_field(name: str, draws: FloatArray, known: Limits) -> list[Finding]:
    above, unusual = map(float, _beyond(draws, known))
    if unusual <= DOUBT:
        return []
    failed = above > DOUBT
    limit = known["largest" if failed else "unusual"]
    text = f"the hyperfine field of `{name}`, {draws.mean():.1f} T, exceeds {limit:g} T"
    return [
        Finding(
            NAME,
            "physics",
            "failed" if failed else "warned",
            text,
            probability=1.0 - (above if failed else unusual),
            value=float(draws.mean()),
            detail="check the velocity calibration and that the outermost lines are "
            "those of this sextet",
            source=SOURCE,
        )
    ]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
