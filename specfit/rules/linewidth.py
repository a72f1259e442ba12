"""The linewidth floor: no line is narrower than source and absorber together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.constants import MINIMUM_FWHM
from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import DOUBT, flat, iron_sites, passed, shares

NAME = "linewidth"
SOURCE = "twice the natural width of the 14.4 keV line, Γ_nat = 0.097 mm/s (τ = 141 ns)"
CLOSE = 1.01
"""Within one per cent of the floor counts as pressed against it."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a width that lies below 0.194 mm/s, or that the data press against it."""
    widths = _widths(model)
    found = [
        finding
        for name, sites in widths.items()
        if (finding := _judge_one(name, sites, flat(fit, model, name)))
    ]
    if found or not widths:
        return found
    text = f"every linewidth lies above {MINIMUM_FWHM} mm/s, twice the natural width"
    return [passed(NAME, text, SOURCE)]


def _widths(model: Model[Prior]) -> dict[str, list[str]]:
    """Names of width parameters, each with the sites that use it."""
    widths: dict[str, list[str]] = {}
    for item in iron_sites(model):
        if "width" in item.site.parameters:
            widths.setdefault(item.site.parameters["width"], []).append(item.name)
    return widths


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    broken = [_pressed(block.flat(name))[2] for name in _widths(block.model)]
    return worst(block, [graded(False, flags) for flags in broken])


def _pressed(draws: FloatArray) -> tuple[FloatArray, FloatArray, Flags]:
    """Shares below the floor and close to it, and whether that breaks the rule."""
    below, pressed = shares(draws < MINIMUM_FWHM), shares(draws < CLOSE * MINIMUM_FWHM)
    return below, pressed, np.asarray((below > DOUBT) | (pressed > 0.5))


def _judge_one(name: str, sites: list[str], draws: FloatArray) -> Finding | None:
    below, pressed, broken = _pressed(draws)
    if not broken:
        return None
    where = f"`{name}` ({', '.join(sites)})"
    said = "lies below" if below > DOUBT else "is pressed against"
    return Finding(
        NAME,
        "physics",
        "failed",
        f"linewidth {where} {said} {MINIMUM_FWHM} mm/s, twice the natural width: "
        "no source and absorber can give a narrower line",
        probability=1.0 - float(below if below > DOUBT else pressed),
        value=float(draws.mean()),
        detail="likely causes: velocity calibration too small, a half width (HWHM) "
        "taken for a full width, or one line fitted by several sites",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
