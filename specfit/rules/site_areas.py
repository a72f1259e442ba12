"""Area fractions: never negative, and a site must earn its place."""

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

NAME = "site_areas"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a negative area fraction; warn where a fraction cannot be told from 0."""
    judge_one = partial(_judge_one, limits(model, NAME)["detection"])
    found, seen = judged_sites(fit, model, "I", judge_one)
    if found or not seen:
        return found
    text = f"every site has an area that differs from zero: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found, detection = [], limits(block.model, NAME)["detection"]
    for item in iron_sites(block.model):
        draws = block.symbol(item, "I")
        if draws is not None:
            negative, mean, sd, upper = _figures(draws)
            doubtful = _doubtful(detection, mean, sd, upper)
            found.append(graded(doubtful, negative > DOUBT))
    return worst(block, found)


def _figures(draws: FloatArray) -> tuple[FloatArray, ...]:
    """Share below zero, mean, standard deviation, 95 % upper limit."""
    upper = np.asarray(np.quantile(draws, 0.95, axis=-1))
    return shares(draws < 0), np.asarray(draws.mean(axis=-1)), spreads(draws), upper


def _doubtful(
    detection: float, mean: FloatArray, sd: FloatArray, upper: FloatArray
) -> Flags:
    return np.asarray((mean < 2 * sd) | (upper < detection))


def _judge_one(detection: float, name: str, draws: FloatArray) -> Finding | None:
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
    if not _doubtful(detection, *figures[1:]):
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
