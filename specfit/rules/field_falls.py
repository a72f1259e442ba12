"""The hyperfine field of a site along a series of temperatures: it never rises."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, worst
from specfit.rules.draws import passed, shares, symbol_draws
from specfit.rules.series import Step, steps
from specfit.rules.strength import many, one, strength

NAME = "field_falls"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Flag sites whose field is larger at the higher of two temperatures."""
    found, looked = [], 0
    for step in steps(model, "Bint"):
        change = step.change(lambda item: symbol_draws(fit, model, item, "Bint"))
        if change is not None:
            looked += 1
            found += _judge_one(model, step, change)
    if found or not looked:
        return found
    return [passed(NAME, "every field falls as the temperature rises", SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for step in steps(block.model, "Bint"):
        change = step.change(lambda item: block.symbol(item, "Bint"))
        if change is not None:
            breach = _rising(block.model, change)
            found.append(many(breach, strength(block.model, NAME)))
    return worst(block, found)


def _rising(model: Model[Prior], change: FloatArray) -> FloatArray:
    """Share of the draws in which the field, cold minus warm, rises with temperature."""
    return shares(change < -limits(model, NAME)["slack"])


def _judge_one(model: Model[Prior], step: Step, change: FloatArray) -> list[Finding]:
    breach = float(_rising(model, change))
    outcome = one(breach, strength(model, NAME))
    if outcome == "passed":
        return []
    return [
        Finding(
            NAME,
            "physics",
            outcome,
            f"the field of {step.where} rises with the temperature, by "
            f"{-change.mean():.2f} T",
            probability=1.0 - breach,
            value=float(change.mean()),
            detail="two sextets may have changed names between the spectra, or their "
            "velocity scales differ",
            source=SOURCE,
        )
    ]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
