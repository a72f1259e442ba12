"""The isomer shift on cooling: it rises as the second-order Doppler shift of a solid."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.model.thermal import doppler_shift
from specfit.rules.block import Block, Outcomes, worst
from specfit.rules.draws import passed, shares, symbol_draws
from specfit.rules.series import Step, crosses, steps
from specfit.rules.strength import many, one, strength

NAME = "shift_rises"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Flag sites whose isomer shift changes with temperature as no solid's does."""
    found, looked = [], 0
    for step in _steps(model):
        change = step.change(lambda item: symbol_draws(fit, model, item, "IS"))
        if change is not None:
            looked += 1
            found += _judge_one(model, step, change)
    if found or not looked:
        return found
    return [passed(NAME, "every isomer shift rises on cooling as it should", SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for step in _steps(block.model):
        change = step.change(lambda item: block.symbol(item, "IS"))
        if change is not None:
            window = _window(block.model, step)
            found.append(many(_outside(change, window), strength(block.model, NAME)))
    return worst(block, found)


def _steps(model: Model[Prior]) -> list[Step]:
    return [step for step in steps(model, "IS") if not crosses(step)]


def _window(model: Model[Prior], step: Step) -> tuple[float, float]:
    """What the shift may rise by, mm/s."""
    known = limits(model, NAME)
    rises = [
        doppler_shift(step.low, known[debye]) - doppler_shift(step.high, known[debye])
        for debye in ("debye_low", "debye_high")
    ]
    return min(rises) - known["slack"], max(rises) + known["slack"]


def _outside(change: FloatArray, window: tuple[float, float]) -> FloatArray:
    return shares((change < window[0]) | (change > window[1]))


def _judge_one(model: Model[Prior], step: Step, change: FloatArray) -> list[Finding]:
    window = _window(model, step)
    breach = float(_outside(change, window))
    outcome = one(breach, strength(model, NAME))
    if outcome == "passed":
        return []
    return [
        Finding(
            NAME,
            "physics",
            outcome,
            f"the isomer shift of {step.where} changes by {change.mean():+.3f} mm/s on "
            f"cooling; a solid's rises by {window[0]:.3f} to {window[1]:.3f} mm/s",
            probability=1.0 - breach,
            value=float(change.mean()),
            detail="the lines of two sites may have changed places between the spectra, "
            "or their velocity zeros differ",
            source=SOURCE,
        )
    ]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
