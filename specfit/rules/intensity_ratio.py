"""The ratio of the second to the third line of a sextet, x = I2/I3."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.draws import (
    DOUBT,
    judged_sites,
    passed,
    share,
    spread,
)

NAME = "intensity_ratio"
SOURCE = (
    "3(1 + cos²ϑ) : 4 sin²ϑ : (1 + cos²ϑ), ϑ between γ ray and moment; powder 3:2:1"
)
FAR = 0.1
"""A deviation from 2 below this is not worth a warning however sharp the posterior."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail x outside [0, 4]; warn where a free x is far from the 2 of a powder."""
    found, seen = judged_sites(fit, model, "x", _judge_one, constants=False)
    if found or not seen:
        return found
    text = f"I2/I3 agrees with the 2 of a thin powder: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def _judge_one(name: str, draws: FloatArray) -> Finding | None:
    mean, sd = float(draws.mean()), spread(draws)
    outside = share((draws < 0) | (draws > 4))
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
    if abs(mean - 2) <= max(3 * sd, FAR):
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"I2/I3 of `{name}` is {mean:.2f} ± {sd:.2f}, far from the 2 of a thin powder",
        value=mean,
        detail=_meaning(mean),
        source=SOURCE,
    )


def _meaning(ratio: float) -> str:
    """What a ratio far from 2 means to a spectroscopist."""
    cosine = (4 - ratio) / (4 + ratio)
    texture = f"texture (⟨cos²ϑ⟩ = {cosine:.2f} instead of 0.33)"
    thick = (
        "a thick absorber, whose signature is strong lines that saturate first: the "
        "ratio falls from 3:2:1 towards 1:1:1 and the outer lines grow broader than "
        "the inner ones"
    )
    return (
        f"either {texture} or {thick}; this version has no thick-absorber model, so "
        "measure a thinner sample, or trust positions and not areas"
    )


RULE = PhysicsRule(NAME, SOURCE, judge)
