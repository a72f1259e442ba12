"""The linewidth floor: no line is narrower than source and absorber together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of, thresholds_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import DOUBT, flat, iron_sites, passed, shares

NAME = "linewidth"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail a width that lies below the floor, or that the data press against it."""
    known = limits(model, NAME)
    widths = _widths(model)
    found = [
        finding
        for name, sites in widths.items()
        if (finding := _judge_one(name, sites, flat(fit, model, name), known))
    ]
    found += _judge_parts(model, lambda name: flat(fit, model, name), known)
    if found or not widths:
        return found
    text = f"every linewidth lies above {known['floor']:g} mm/s{_why(known)}"
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
    known = limits(block.model, NAME)
    broken = [_pressed(block.flat(name), known)[2] for name in _widths(block.model)]
    found = [graded(False, flags) for flags in broken]
    for _, _, width in _parts(block.model, block.flat):
        below = shares(width < 0.5 * known["floor"])
        found.append(graded(below > DOUBT, below > 0.5))
    return worst(block, found)


def _pressed(
    draws: FloatArray, known: Mapping[str, float]
) -> tuple[FloatArray, FloatArray, Flags]:
    """Shares below the floor and close to it, and whether that breaks the rule."""
    floor = known["floor"]
    below, pressed = shares(draws < floor), shares(draws < known["close"] * floor)
    return below, pressed, np.asarray((below > DOUBT) | (pressed > 0.5))


def _judge_parts(
    model: Model[Prior], draws: Callable[[str], FloatArray], known: Mapping[str, float]
) -> list[Finding]:
    """In a thick absorber's model source and absorber are each judged by half the floor."""
    half, found = 0.5 * known["floor"], []
    for what, sites, width in _parts(model, draws):
        below = float(shares(width < half))
        if below > DOUBT:
            found.append(
                Finding(
                    NAME,
                    "physics",
                    "failed" if below > 0.5 else "warned",
                    f"{what} ({', '.join(sites)}) is or may be narrower than "
                    f"{half:g} mm/s, the natural width, which nothing can be",
                    probability=1.0 - below,
                    value=float(width.mean()),
                    detail="`width` is that of source and absorber together; thickness, "
                    "background and the source's width are then wrong with it",
                    source=SOURCE,
                )
            )
    return found


def _parts(
    model: Model[Prior], draws: Callable[[str], FloatArray]
) -> Iterator[tuple[str, list[str], FloatArray]]:
    """What is the source's and what the absorber's of every width."""
    for spectrum in model.spectra:
        name = spectrum.scalars.get("source_width")
        if name is None:
            continue
        source = draws(name)
        yield f"the source line `{name}`", [spectrum.label or spectrum.data], source
        for site in spectrum.sites:
            width = site.parameters["width"]
            yield f"`{width}` less `{name}`", [site.name], draws(width) - source


def _why(known: Mapping[str, float]) -> str:
    """What the floor is, where it is the library's."""
    usual = known["floor"] == thresholds_of(NAME)["floor"]
    return ", twice the natural width" if usual else ""


def _judge_one(
    name: str, sites: list[str], draws: FloatArray, known: Mapping[str, float]
) -> Finding | None:
    below, pressed, broken = _pressed(draws, known)
    if not broken:
        return None
    where = f"`{name}` ({', '.join(sites)})"
    said = "lies below" if below > DOUBT else "is pressed against"
    return Finding(
        NAME,
        "physics",
        "failed",
        f"linewidth {where} {said} {known['floor']:g} mm/s{_why(known)}: "
        "no source and absorber can give a narrower line",
        probability=1.0 - float(below if below > DOUBT else pressed),
        value=float(draws.mean()),
        detail="likely causes: velocity calibration too small, a half width (HWHM) "
        "taken for a full width, or one line fitted by several sites",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
