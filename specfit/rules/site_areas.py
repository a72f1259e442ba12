"""Area fractions: never negative, and a site must earn its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import (
    DOUBT,
    iron_sites,
    judged_sites,
    passed,
    shares,
    spreads,
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


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item in iron_sites(block.model):
        draws = block.symbol(item, "I")
        if draws is not None:
            negative, mean, sd, upper = _figures(draws)
            found.append(graded(_doubtful(mean, sd, upper), negative > DOUBT))
    return worst(block, found)


def _figures(draws: FloatArray) -> tuple[FloatArray, ...]:
    """Share below zero, mean, standard deviation, 95 % upper limit."""
    upper = np.asarray(np.quantile(draws, 0.95, axis=-1))
    return shares(draws < 0), np.asarray(draws.mean(axis=-1)), spreads(draws), upper


def _doubtful(mean: FloatArray, sd: FloatArray, upper: FloatArray) -> Flags:
    return np.asarray((mean < 2 * sd) | (upper < DETECTION))


def _judge_one(name: str, draws: FloatArray) -> Finding | None:
    figures = _figures(draws)
    negative, mean, sd, upper = map(float, figures)
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
    if not _doubtful(*figures[1:]):
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


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
