"""Octahedral against tetrahedral area of magnetite: a range, as it oxidises, no point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import (
    DOUBT,
    IronSite,
    passed,
    plus_minus,
    sextets_of,
    shares,
    spread,
    symbol_draws,
)

NAME = "spinel_areas"
SOURCE = source_of(NAME)
Draws = Callable[[IronSite], FloatArray | None]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Flag magnetite with more octahedral area than its structure has room for."""
    ratios = list(_ratios(model, lambda item: symbol_draws(fit, model, item, "I")))
    found = [finding for r in ratios if (finding := _judge_one(model, r))]
    if found or not ratios:
        return found
    most = limits(model, NAME)["stoichiometric"]
    text = f"the octahedral to tetrahedral area of magnetite is at most {most:g}"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    ratios = _ratios(block.model, lambda item: block.symbol(item, "I"))
    found = []
    for ratio in ratios:
        above, beyond = _above(block.model, ratio)
        sure = 1.0 - DOUBT
        found.append(graded((above > sure) | (beyond > sure), beyond > sure))
    return worst(block, found)


def _ratios(model: Model[Prior], draws: Draws) -> Iterator[FloatArray]:
    """Draws of B over A of every spectrum that has sextets of both above Verwey."""
    known = sextets_of(model, "magnetite")
    warm = limits(model, "verwey")["below"]
    for spectrum in model.spectra:
        here = [i for i in known if i.spectrum is spectrum]
        if not here or (here[0].temperature or 0.0) < warm:
            continue
        octahedral, tetrahedral = _sum(here, "B", draws), _sum(here, "A", draws)
        if octahedral is not None and tetrahedral is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                yield np.asarray(octahedral / tetrahedral)


def _sum(items: Sequence[IronSite], site: str, draws: Draws) -> FloatArray | None:
    areas = [
        area
        for item in items
        if (item.site.record or "").split(".")[-1] == site
        and (area := draws(item)) is not None
    ]
    return sum(areas[1:], start=areas[0]) if areas else None


def _above(model: Model[Prior], ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares above the ratio of magnetite itself and above any of a magnetite."""
    known = limits(model, NAME)
    return shares(ratio > known["stoichiometric"]), shares(ratio > known["largest"])


def _judge_one(model: Model[Prior], ratio: FloatArray) -> Finding | None:
    above, beyond = map(float, _above(model, ratio))
    failed = beyond > 1.0 - DOUBT
    if not failed and above <= 1.0 - DOUBT:
        return None
    known = limits(model, NAME)
    limit = known["largest" if failed else "stoichiometric"]
    said = plus_minus(float(ratio.mean()), spread(ratio))
    return Finding(
        NAME,
        "physics",
        "failed" if failed else "warned",
        f"the octahedral to tetrahedral area of magnetite is {said}, above {limit:g}",
        probability=1.0 - (beyond if failed else above),
        value=float(ratio.mean()),
        detail="another phase may lie under the octahedral sextet, or an unresolved one "
        "has taken area from the tetrahedral",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
