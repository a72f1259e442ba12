"""Two sites of a kind that the spectrum cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, shares, symbol_draws

NAME = "duplicate_sites"
SOURCE = source_of(NAME)
VELOCITY_PER_UNIT = {
    "IS": 1.0,
    "QS": 1.0,
    "Bint": FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes[0],
}
"""How far the outer line moves with each parameter: mm/s, mm/s, mm/s per tesla."""
Draws = Callable[[str], FloatArray | None]
"""Draws of a symbol of one site."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of pairs of a kind too close in every hyperfine parameter."""
    pairs = _pairs(model)
    found = [
        finding
        for left, right in pairs
        if (finding := _judge_pair(model, fit, left, right))
    ]
    if found or not pairs:
        return found
    close = limits(model, NAME)["close"]
    text = f"no two sites of a kind lie closer than {close:g} linewidths"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    distances = [
        _distance(partial(block.symbol, left), partial(block.symbol, right))
        for left, right in _pairs(block.model)
    ]
    near = limits(block.model, NAME)["close"]
    close = [shares(d < near) > 0.5 for d in distances if d is not None]
    return worst(block, [graded(flags, False) for flags in close])


PLACED = ("singlet", "doublet", "sextet", "hamiltonian")
"""Kinds that IS, QS and Bint tell apart: others differ in shape, rate or direction."""


def _pairs(model: Model[Prior]) -> list[tuple[IronSite, IronSite]]:
    """The pairs of a kind in one spectrum."""
    return [
        (left, right)
        for left, right in combinations(iron_sites(model), 2)
        if left.site.kind == right.site.kind
        and left.spectrum is right.spectrum
        and left.site.kind in PLACED
    ]


def _judge_pair(
    model: Model[Prior], fit: Fit, left: IronSite, right: IronSite
) -> Finding | None:
    distance = _distance(
        *(partial(symbol_draws, fit, model, item) for item in (left, right))
    )
    if distance is None:
        return None
    close = limits(model, NAME)["close"]
    probability = float(shares(distance < close))
    if probability <= 0.5:
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"`{left.name}` and `{right.name}` lie within {close:g} linewidths of each "
        "other in every hyperfine parameter: the spectrum cannot tell them apart",
        probability=1.0 - probability,
        value=float(np.mean(distance)),
        detail="only the sum of their areas is known; merge them, or order them by a "
        "`require`",
        source=SOURCE,
    )


def _distance(left: Draws, right: Draws) -> FloatArray | None:
    """Largest line shift between two sites, in linewidths, for each draw."""
    width = left("width")
    shifts = []
    for symbol, slope in VELOCITY_PER_UNIT.items():
        first, second = left(symbol), right(symbol)
        if first is not None and second is not None:
            shifts.append(slope * np.abs(first - second))
    if width is None or not shifts:
        return None
    largest = shifts[0]
    for shift in shifts[1:]:
        largest = np.maximum(largest, shift)
    return np.asarray(largest / width)


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
