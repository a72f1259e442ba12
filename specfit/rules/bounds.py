"""Posteriors that lean on an explicit bound of their prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Dist, Model, Parameter, Prior
from specfit.model.rule_library import source_of, thresholds_of
from specfit.rules.block import OPEN, PASSED, Block, Outcomes, worst
from specfit.rules.draws import flat, passed, shares

NAME = "bounds"
SOURCE = source_of(NAME)
_LIMITS = thresholds_of(NAME)
MASS, NEAR = _LIMITS["share"], _LIMITS["near"]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of unknowns whose posterior gathers at an end of `in [low, high]`."""
    bounded = _bounded(model)
    found = [
        finding
        for parameter, ends in bounded
        if (
            finding := _judge_one(
                parameter, ends, fit, flat(fit, model, parameter.name)
            )
        )
    ]
    if found or not bounded:
        return found
    return [passed(NAME, "no posterior leans on a bound of its prior", SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once; what leans on a bound is held against the prior apart."""
    found = []
    for parameter, ends in _bounded(block.model):
        draws, inner = block.flat(parameter.name), _inner(ends)
        leans = np.maximum(*_outside(draws, inner)) > MASS
        found.append(np.where(leans, OPEN, PASSED))
    return worst(block, found)


def _bounded(
    model: Model[Prior],
) -> list[tuple[Parameter[Prior], tuple[float, float]]]:
    """The unknowns between two bounds, and these."""
    return [
        (parameter, ends)
        for parameter in model.parameters
        if (ends := _ends(parameter.prior.dist))
    ]


def _inner(ends: tuple[float, float]) -> list[float]:
    near = NEAR * (ends[1] - ends[0])
    return [ends[0] + near, ends[1] - near]


def _ends(dist: Dist) -> tuple[float, float] | None:
    low, high = dist.low, dist.high
    if dist.family == "uniform" and all(a.op == "const" for a in dist.arguments):
        first, second = (a.value for a in dist.arguments if a.op == "const")
        low = first if low is None else max(low, first)
        high = second if high is None else min(high, second)
    return None if low is None or high is None else (low, high)


def _judge_one(
    parameter: Parameter[Prior],
    ends: tuple[float, float],
    fit: Fit,
    draws: FloatArray,
) -> Finding | None:
    inner = _inner(ends)
    masses = _outside(draws, inner)
    if max(masses) > MASS and parameter.name in fit.prior:
        # a scale prior has half its mass near zero
        tails = np.quantile(fit.prior[parameter.name], [NEAR, 1 - NEAR])
        masses = _outside(draws, [min(inner[0], tails[0]), max(inner[1], tails[1])])
    side = int(np.argmax(masses))
    if masses[side] <= MASS:
        return None
    word = ("lower", "upper")[side]
    unit = f" {parameter.unit}" if parameter.unit else ""
    return Finding(
        NAME,
        "physics",
        "warned",
        f"`{parameter.name}` leans on the {word} bound of its prior, "
        f"{ends[side]:g}{unit}: {masses[side]:.0%} of the posterior within 1 % of it",
        value=float(draws.mean()),
        detail="its sd is that of the bound; widen the bound if it was a guess",
        source=SOURCE,
        line=parameter.place.line or None,
    )


def _outside(draws: FloatArray, inner: Sequence[float]) -> list[FloatArray]:
    return [shares(draws < inner[0]), shares(draws > inner[1])]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
