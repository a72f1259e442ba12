"""Pairs of unknowns that do the same to the lines: known together, not one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import flat, iron_sites, passed, spreads

NAME = "identifiable"
SOURCE = source_of(NAME)
PAIRS = (
    ("width", "sigma_IS"),
    ("width", "sigma_QS"),
    ("width", "sigma_eQVzz"),
    ("width", "sigma_Bint"),
    ("width", "source_width"),
    ("x", "thickness"),
    ("thickness", "source_width"),
    ("thickness", "background"),
)
"""Symbols of one site, or of the site and the model."""
Draws = Callable[[str], FloatArray]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of pairs whose posterior correlation is nearly one."""
    limit = limits(model, NAME)["correlation"]
    pairs = list(_correlations(model, lambda name: flat(fit, model, name)))
    found = [
        _warning(first, second, float(r))
        for first, second, r in pairs
        if abs(float(r)) > limit
    ]
    if found or not pairs:
        return found
    text = f"none of {len(pairs)} pairs that do alike is known only together"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    limit = limits(block.model, NAME)["correlation"]
    found = _correlations(block.model, block.flat)
    return worst(block, [graded(np.abs(r) > limit, False) for _, _, r in found])


def _correlations(
    model: Model[Prior], draws: Draws
) -> Iterator[tuple[str, str, FloatArray]]:
    """Names and correlation of every pair of unknowns, each pair once."""
    seen = set()
    for item in iron_sites(model):
        names = {**item.spectrum.scalars, **item.site.parameters}
        for pair in PAIRS:
            if not all(symbol in names for symbol in pair):
                continue
            first, second = (names[symbol] for symbol in pair)
            if (first, second) in seen:
                continue
            seen.add((first, second))
            left, right = draws(first), draws(second)
            sd = spreads(left) * spreads(right)
            if np.all(sd > 0):
                yield first, second, _covariance(left, right) / sd


def _covariance(left: FloatArray, right: FloatArray) -> FloatArray:
    """Covariance along the last axis."""
    product = (left - left.mean(-1, keepdims=True)) * (
        right - right.mean(-1, keepdims=True)
    )
    return np.asarray(product.sum(axis=-1) / (product.shape[-1] - 1))


def _warning(first: str, second: str, correlation: float) -> Finding:
    return Finding(
        NAME,
        "physics",
        "warned",
        f"`{first}` and `{second}` are known only together (correlation "
        f"{correlation:+.2f})",
        value=correlation,
        detail="report neither by itself: fix one from a calibration, or leave one out",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
