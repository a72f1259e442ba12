"""The ratio of the second to the third line of a sextet, x = I2/I3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import (
    DOUBT,
    iron_sites,
    judged_sites,
    passed,
    shares,
    spreads,
)

NAME = "intensity_ratio"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail x outside [0, 4]; warn where a free x is far from the 2 of a powder."""
    judge_one = partial(
        _judge_one,
        limits(model, NAME)["far"],
        model.settings.get("absorber") == "thick",
    )
    found, seen = judged_sites(fit, model, "x", judge_one, constants=False)
    if found or not seen:
        return found
    text = f"I2/I3 agrees with the 2 of a thin powder: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found, far = [], limits(block.model, NAME)["far"]
    for item in iron_sites(block.model):
        draws = block.symbol(item, "x")
        if draws is not None:
            mean, sd, outside = _figures(draws)
            failed, warned = outside > DOUBT, _far(far, mean, sd)
            found.append((sd > 0) * graded(warned, failed))
    return worst(block, found)


def _figures(draws: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, standard deviation and the share outside what is possible."""
    outside = shares((draws < 0) | (draws > 4))
    return np.asarray(draws.mean(axis=-1)), spreads(draws), outside


def _far(far: float, mean: FloatArray, sd: FloatArray) -> Flags:
    return np.asarray(np.abs(mean - 2) > np.maximum(3 * sd, far))


def _judge_one(far: float, thick: bool, name: str, draws: FloatArray) -> Finding | None:
    figures = _figures(draws)
    mean, sd, outside = map(float, figures)
    if outside > DOUBT:
        return Finding(
            NAME,
            "physics",
            "failed",
            f"I2/I3 of `{name}` lies outside [0, 4], which no direction of the "
            "moments can give",
            probability=1.0 - outside,
            value=mean,
            source=SOURCE,
        )
    if not _far(far, *figures[:2]):
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"I2/I3 of `{name}` is {mean:.2f} ± {sd:.2f}, far from the 2 of a thin powder",
        value=mean,
        detail=_meaning(mean, thick),
        source=SOURCE,
    )


def _meaning(ratio: float, allowed_for: bool) -> str:
    """What a ratio far from 2 means to a spectroscopist."""
    cosine = (4 - ratio) / (4 + ratio)
    texture = f"texture (⟨cos²ϑ⟩ = {cosine:.2f} instead of 0.33)"
    if allowed_for:
        return texture
    thick = (
        "a thick absorber, whose signature is strong lines that saturate first: the "
        "ratio falls from 3:2:1 towards 1:1:1 and the outer lines grow broader than "
        "the inner ones"
    )
    return (
        f'either {texture} or {thick}: try `absorber = "thick"`, or measure a thinner '
        "sample"
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
