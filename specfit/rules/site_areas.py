"""Area fractions: never negative, and a site must earn its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.draws import (
    DOUBT,
    judged_sites,
    passed,
    share,
    spread,
)

NAME = "site_areas"
SOURCE = "an area is a count of resonant nuclei; detection limit about 1 % of the area"
DETECTION = 0.01


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a negative area fraction; warn where a fraction cannot be told from 0."""
    found, seen = judged_sites(fit, model, "I", _judge_one)
    if found or not seen:
        return found
    text = f"every site has an area that differs from zero: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def _judge_one(name: str, draws: FloatArray) -> Finding | None:
    mean, sd = float(draws.mean()), spread(draws)
    negative = share(draws < 0)
    if negative > DOUBT:
        return Finding(
            NAME,
            "physics",
            "failed",
            f"the area fraction of `{name}` is negative",
            probability=1.0 - negative,
            value=mean,
            source=SOURCE,
        )
    upper = float(np.quantile(draws, 0.95))
    if mean >= 2 * sd and upper >= DETECTION:
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the area fraction of `{name}`, {mean:.3f} ± {sd:.3f}, cannot be told from "
        "zero: the site may be superfluous",
        value=mean,
        detail=f"95 % upper limit {upper:.3f}; fit without the site and compare",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge)
