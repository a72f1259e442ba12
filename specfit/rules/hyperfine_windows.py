"""The windows in which 57Fe hyperfine parameters are known to lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import DOUBT, iron_sites, passed, shares, symbol_draws

NAME = "hyperfine_windows"
SOURCE = (
    "isomer shifts from Fe(VI) (−0.9 mm/s) to Fe(II) (1.4 mm/s at 80 K); hematite at "
    "4.2 K has 54.2 T, the largest field of a high-spin Fe(III) oxide"
)
SHIFT = (-1.0, 1.6)  # mm/s to α-Fe
LARGEST_FIELD = 60.0  # T
UNUSUAL_FIELD = 56.0  # T


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail isomer shifts and fields that no iron has; warn of unusual fields."""
    sites = list(iron_sites(model))
    found: list[Finding] = []
    for item in sites:
        shift = symbol_draws(fit, model, item, "IS")
        hyperfine = symbol_draws(fit, model, item, "Bint")
        found += [] if shift is None else _judge_shift(item.name, shift)
        found += [] if hyperfine is None else _judge_field(item.name, hyperfine)
    if found or not sites:
        return found
    text = "isomer shifts and fields lie where those of iron are known to lie"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item in iron_sites(block.model):
        shift, hyperfine = (block.symbol(item, symbol) for symbol in ("IS", "Bint"))
        if shift is not None:
            found.append(graded(False, shares(_outside(shift)) > DOUBT))
        if hyperfine is not None:
            above, unusual = _beyond(hyperfine)
            failed = (above > DOUBT) & (unusual > DOUBT)
            found.append(graded(unusual > DOUBT, failed))
    return worst(block, found)


def _outside(draws: FloatArray) -> Flags:
    return np.asarray((draws < SHIFT[0]) | (draws > SHIFT[1]))


def _beyond(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares above the largest field and above the usual ones."""
    return shares(draws > LARGEST_FIELD), shares(draws > UNUSUAL_FIELD)


def _judge_shift(name: str, draws: FloatArray) -> list[Finding]:
    outside = float(shares(_outside(draws)))
    if outside <= DOUBT:
        return []
    text = (
        f"the isomer shift of `{name}`, {draws.mean():.2f} mm/s, lies outside "
        f"[{SHIFT[0]}, {SHIFT[1]}] mm/s, where all known iron lies"
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


def _judge_field(name: str, draws: FloatArray) -> list[Finding]:
    above, unusual = map(float, _beyond(draws))
    if unusual <= DOUBT:
        return []
    failed = above > DOUBT
    limit = LARGEST_FIELD if failed else UNUSUAL_FIELD
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
