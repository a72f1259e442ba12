"""Answers that hang on where a flat prior was cut off: another bound, another answer.

A flat prior over a wide interval stands for no knowledge, and is harmless as long as the
data end the posterior inside it.  Where they do not (a plateau of the likelihood, a ridge
that runs on), mean and sd grow with the interval and say nothing of the sample.  Two
signs: the tail towards a bound does not fall, so that with the bound twice as far from
the median, and the tail going on as it fell, the sd would be another; or a broad posterior
is as dense at the bound as on average.  A peak that a bound cuts is neither, but the rule
`bounds`'s.  A bound of zero, a bound that the kind itself has, and one whose reason the
file states are knowledge, and are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Const, Model, Parameter, Prior
from specfit.model.kinds import MODEL_KINDS, SIGNATURES
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import flat, passed, shares, spreads

NAME = "cut_off"
SOURCE = source_of(NAME)
_QUARTERS = 4
"""Of the way from the median to the bound; so many more are added beyond it."""
_EDGE = 0.1  # of the interval, at whose end the density is taken

Side = tuple[Parameter[Prior], float, float]
"""An unknown, the end of its prior that is asked, and the length of its interval."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Reject unknowns whose mean and sd are those of the interval they were given."""
    known, asked = limits(model, NAME), list(_sides(model))
    found = []
    for side in asked:
        draws = flat(fit, model, side[0].name)
        growth = float(grown(draws, side[1]))
        if bool(_flagged(draws, side, known)):
            found.append(_finding(side, draws, growth, known["growth"]))
    if found or not asked:
        return found
    text = f"none of {len(asked)} bounds of flat priors decides an answer"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    known = limits(block.model, NAME)
    found = [
        graded(False, _flagged(block.flat(side[0].name), side, known))
        for side in _sides(block.model)
    ]
    return worst(block, found)


# ------------------------------------------------------------------------ who is asked


def _sides(model: Model[Prior]) -> Iterator[Side]:
    """The ends of flat priors that the file chose and gives no reason for."""
    for parameter in model.parameters:
        dist = parameter.prior.dist
        stated = parameter.origin in ("explicit", "template") and not parameter.because
        if not stated or dist.family != "uniform" or parameter.prior.provenance:
            continue
        if not all(isinstance(a, Const) for a in dist.arguments):
            continue
        ends = [a.value for a in dist.arguments if isinstance(a, Const)]
        low = ends[0] if dist.low is None else max(ends[0], dist.low)
        high = ends[1] if dist.high is None else min(ends[1], dist.high)
        natural = {0.0, *_natural(model, parameter)}
        for end in (low, high):
            if end not in natural:
                yield parameter, end, high - low


def _natural(model: Model[Prior], parameter: Parameter[Prior]) -> set[float]:
    """The ends that a parameter has by its kind, in whatever it is a part of."""
    found: list[Any] = list(MODEL_KINDS[model.kind].scalars)
    for spectrum in model.spectra:
        for site in spectrum.sites:
            if parameter.name == site.parameters.get(parameter.role):
                found += SIGNATURES[site.kind].parameters
    own = [one for one in found if one.symbol == parameter.role]
    return {end for one in own for end in (one.low, one.high) if end is not None}


# --------------------------------------------------------------------------- the tails


def _flagged(draws: FloatArray, side: Side, known: Any) -> Flags:
    """Whether the end decides, of draws (…, n)."""
    _, end, length = side
    near = np.abs(draws - end) < _EDGE * length
    dense = shares(near) / _EDGE >= known["density"]
    relative = spreads(draws) / length
    endless = grown(draws, end) > known["growth"]
    return np.asarray(
        (endless & (relative > known["narrow"])) | (dense & (relative > known["broad"]))
    )


def grown(draws: FloatArray, end: float) -> FloatArray:
    """By what factor the sd of draws (…, n) would grow with `end` twice as far away.

    The share of each further quarter is to the one before as the last two inside are,
    a standard error in favour of a long tail, and no larger.
    """
    middle = np.median(draws, axis=-1, keepdims=True)
    reach = end - middle
    way = (draws - middle) / np.where(reach == 0.0, 1.0, reach)
    last = shares(way > 0.75)
    before = shares((way > 0.5) & (way <= 0.75))
    error = np.sqrt(last / draws.shape[-1])
    ratio = np.minimum((last + error) / np.maximum(before, 1e-12), 1.0)
    number = np.arange(1, _QUARTERS + 1)
    added = last[..., None] * ratio[..., None] ** number
    places = 1.0 + (number - 0.5) / _QUARTERS
    weight = 1.0 + added.sum(axis=-1)
    mean = (way.mean(axis=-1) + added @ places) / weight
    square = ((way**2).mean(axis=-1) + added @ places**2) / weight
    spread = np.maximum(way.std(axis=-1), 1e-300)
    growth = np.sqrt(np.maximum(square - mean**2, 0.0)) / spread
    return np.asarray(np.where(last > 0.0, growth, 1.0))


# -------------------------------------------------------------------------- a sentence


def _finding(side: Side, draws: FloatArray, growth: float, most: float) -> Finding:
    parameter, end, _ = side
    unit = f" {parameter.unit}" if parameter.unit else ""
    if growth > most:
        found = (
            f"its tail does not end there, and with that bound twice as far away the sd "
            f"would be {growth:.1f} times as large"
        )
    else:
        found = "the posterior is as dense there as on average"
    return Finding(
        NAME,
        "physics",
        "failed",
        f"the data do not decide `{parameter.name}`: the end of its flat prior, "
        f"{end:g}{unit}, does; {found}",
        value=float(draws.mean()),
        detail="state what is known of it as a prior that falls off, give the bounds a "
        "`because` if they are knowledge, or choose unknowns that the data decide",
        source=SOURCE,
        line=parameter.place.line or None,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
