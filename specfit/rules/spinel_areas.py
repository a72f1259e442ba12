"""The two sextets of magnetite: a range of area ratios, not one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.laws import magnetite_vacancies
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import (
    IronSite,
    iron_sites,
    passed,
    plus_minus,
    shares,
    spread,
    symbol_draws,
)

NAME = "spinel_areas"
SOURCE = (
    "B:A area = 0.94(2) × (2 − 6δ)/(1 + 5δ) of Fe₃₋δO₄ above the Verwey transition "
    "(G. A. Sawatzky et al., Phys. Rev. 183, 383 (1969))"
)
VERWEY = 125.0
"""K: the top of the transition's band."""
WHOLE = 1.88
MOST = 2.05
"""Area ratio of δ = 0, and with four standard deviations of the recoil-free ratio."""
SURE = 0.95


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a B:A ratio that no magnetite has; a low one is oxidation, and no fault."""
    found = []
    for octahedral, tetrahedral in _pairs(model):
        b, a = (symbol_draws(fit, model, s, "I") for s in (octahedral, tetrahedral))
        if a is not None and b is not None:
            found.append(_finding(octahedral, tetrahedral, _ratio(b, a)))
    return found


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for pair in _pairs(block.model):
        b, a = (block.symbol(site, "I") for site in pair)
        if a is not None and b is not None:
            above = shares(_ratio(b, a) > MOST)
            found.append(graded(above > 0.5, above > SURE))
    return worst(block, found)


def _pairs(model: Model[Prior]) -> Iterator[tuple[IronSite, IronSite]]:
    """The B and A sites of magnetite in each spectrum that shows them."""
    sites = [s for s in iron_sites(model, "sextet") if (s.temperature or 0.0) >= VERWEY]
    for b in (s for s in sites if s.site.record == "magnetite.B"):
        for a in (s for s in sites if s.site.record == "magnetite.A"):
            if a.spectrum == b.spectrum:
                yield b, a


def _ratio(octahedral: FloatArray, tetrahedral: FloatArray) -> FloatArray:
    return octahedral / np.maximum(tetrahedral, 1e-9)


def _finding(octahedral: IronSite, tetrahedral: IronSite, ratio: FloatArray) -> Finding:
    above = float(shares(ratio > MOST))
    value = float(np.median(ratio))
    said = f"the areas of `{octahedral.name}` and `{tetrahedral.name}`, in the ratio "
    said += plus_minus(value, spread(ratio))
    if above <= 0.5:
        vacancies = magnetite_vacancies(np, ratio, 0.5 * WHOLE)
        delta = plus_minus(float(np.median(vacancies)), spread(vacancies))
        text = f"{said}, are those of Fe₃₋δO₄ (0 to {WHOLE}; δ = {delta})"
        return passed(NAME, text, SOURCE)
    return Finding(
        NAME,
        "physics",
        "failed" if above > SURE else "warned",
        f"{said}, are those of no magnetite: at most {MOST}",
        probability=1.0 - above,
        value=value,
        detail="other lines under those of B, or B broadened where A was not",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
