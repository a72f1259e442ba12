"""What the rules of a factorisation say of what was found."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from specfit.contracts import Finding, FloatArray, Verdict
from specfit.mapped import LibraryCurve, MapResult
from specfit.model.factorising import (
    Curve,
    Factorising,
    MapCheck,
    Order,
    Overlap,
    Roughness,
)
from specfit.rules import map_likeness, map_sums
from specfit.rules.map_likeness import likeness, moved_by
from specfit.rules.strength import Outcome

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
_FAR = 3.0
"""Standard deviations from what was expected beyond which that is said."""
_ROUGHER = 1.5
"""Times that neighbours may differ by more than was expected of them: held together more
closely than they are, their weights are wrong and their errors too small."""
_OPEN = 0.05
"""Of a fraction of more than two components, left open by the data."""
UNDECIDED = (
    "more than one set of spectra explains these counts as well; which of them is the "
    "right one is said by the library or by nothing"
)

Curves = Mapping[Curve, LibraryCurve]


def judge_map(factorising: Factorising, result: MapResult, curves: Curves) -> Verdict:
    """A rule that fails rejects the factorisation; without convergence none is judged."""
    findings = tuple(_findings(factorising, result, curves))
    if not result.found.converged:
        steps = result.found.objective.size
        reason = f"the spectra still change after {steps} steps"
        return Verdict("not_converged", findings, (reason,))
    failed = tuple(f"{f.text}: {f.detail}" for f in findings if f.outcome == "failed")
    return Verdict("rejected" if failed else "accepted", findings, failed)


def _findings(
    factorising: Factorising, result: MapResult, curves: Curves
) -> Iterator[Finding]:
    if factorising.order is not None:
        yield _order(factorising.order, result)
    if factorising.overlap is not None:
        yield _overlap(factorising.overlap, result)
    if factorising.roughness is not None:
        yield _roughness(factorising.roughness, result)
    for check in factorising.checks:
        yield _check(check, result, curves, factorising)
    yield from map_sums.findings(factorising, result)
    yield _number(factorising, result)
    yield from map_likeness.findings(factorising, result)
    widest = _open_by(result)
    if widest is not None:
        detail = f"{UNDECIDED} (a fraction may differ by {widest:.2f})"
        yield Finding(
            "ambiguity", "physics", "warned", "the data alone do not decide",
            value=widest, detail=detail,
            source="W. H. Lawton, E. A. Sylvestre, Technometrics 13, 617 (1971)",
        )  # fmt: skip


def _number(asked: Factorising, result: MapResult) -> Finding:
    """As many components as the map holds above its noise, or that is told."""
    held = result.numbered.best - (asked.background != "none")
    own = int(result.kept.size)
    many = {1: "more", -1: "fewer"}.get(int(np.sign(own - held)), "")
    why = {"more": "shares of one too many mean little",
           "fewer": "what is missing is in the others", "": ""}[many]  # fmt: skip
    return Finding(
        rule="number",
        kind="physics",
        outcome="warned" if many else "passed",
        text="as many components as the map holds above its noise",
        value=float(held),
        detail=f"it holds {held}, the answer has {own}" + (f": {why}" if why else ""),
        line=asked.place.line,
    )


def _open_by(result: MapResult) -> float | None:
    """How far a fraction may differ where the data alone do not decide, else nothing."""
    feasible = result.found.feasible
    if feasible is None:
        return result.found.open_by if result.found.open_by > _OPEN else None
    if feasible.decided:
        return None
    width = (feasible.fraction_high - feasible.fraction_low) * result.seen
    return float(np.nanmax(width)) if np.isfinite(width).any() else 1.0


def _said(text: str) -> str:
    """A rule as written, without its reason, which stands beside it."""
    return text.partition(" because ")[0]


def _order(order: Order, result: MapResult) -> Finding:
    steps = np.diff(result.centroid) * (1.0 if order.rising else -1.0)
    centres = ", ".join(f"{one:.2f}" for one in result.centroid)
    alone = result.centroid.size < 2
    outcome: Outcome = "passed" if bool((steps > 0).all()) else "failed"
    return Finding(
        rule="centroid",
        kind="require",
        outcome="warned" if alone else outcome,
        text=_said(order.place.text),
        because=order.because,
        detail=f"centroids at {centres} eV" + ": nothing to order" * alone,
        strategy="ordered",
        line=order.place.line,
    )


def overlap(maps: FloatArray) -> float:
    """Mean cosine between the maps of two components, 0 for those that never meet."""
    norm = np.linalg.norm(maps, axis=0)
    unit = maps / np.where(norm > 0.0, norm, 1.0)
    count = maps.shape[1]
    if count < 2:
        return 0.0
    cosines = unit.T @ unit
    return float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def _overlap(expected: Overlap, result: MapResult) -> Finding:
    value = overlap(result.maps)
    away = (value - expected.mean) / expected.sd
    detail = f"overlap of the maps is {value:.3f}, {abs(away):.1f} sd from expected"
    return Finding(
        rule="overlap",
        kind="expect",
        outcome="passed" if abs(away) <= _FAR else "warned",
        text=_said(expected.place.text),
        because=expected.because,
        value=value,
        detail=detail,
        line=expected.place.line,
    )


def roughness(maps: FloatArray, grid: tuple[int, int]) -> float:
    """The root mean square between neighbours, as a share of all weights of a pixel.

    maps: (n_pixels, K), of which the pixels that hold something count.
    """
    image = maps.reshape(*grid, -1)
    held = image.sum(axis=2) > 0.0
    found = []
    for axis in (0, 1):
        both = np.logical_and(*(np.delete(held, end, axis) for end in (0, -1)))
        found.append(np.diff(image, axis=axis)[both].ravel())
    apart = np.concatenate(found)
    mean = float(image[held].sum(axis=1).mean()) if held.any() else 1.0
    return float(np.sqrt(np.mean(apart**2)) / mean) if apart.size else 0.0


def _roughness(expected: Roughness, result: MapResult) -> Finding:
    own = result.found.roughness
    value = roughness(result.maps, result.grid) if own is None else own
    detail = f"neighbours differ by {value:.3f} of the mean weight by themselves"
    detail += f", {value / expected.sd:.1f} times what was expected"
    return Finding(
        rule="roughness",
        kind="expect",
        outcome="passed" if value <= _ROUGHER * expected.sd else "warned",
        text=_said(expected.place.text),
        because=expected.because,
        value=value,
        detail=detail,
        line=expected.place.line,
    )


def _check(
    check: MapCheck, result: MapResult, curves: Curves, asked: Factorising
) -> Finding:
    """A figure that was not found passes no check."""
    value, detail = _figure(check, result, curves, asked)
    passed = _COMPARE[check.comparison](value, check.bound)
    return Finding(
        rule=check.figure,
        kind="check",
        outcome="passed" if passed else "failed",
        text=_said(check.place.text),
        because=check.because,
        value=None if math.isnan(value) else value,
        detail=f"{detail}, asked for {check.comparison} {check.bound:g}",
        line=check.place.line,
    )


def _figure(
    check: MapCheck, result: MapResult, curves: Curves, asked: Factorising
) -> tuple[float, str]:
    """The value of a figure and what is said of it."""
    if check.figure == "components":
        return float(result.kept.size), f"{result.kept.size} components have counts"
    if check.figure == "chi2":
        return result.chi2, f"reduced chi-square is {result.chi2:.3f}"
    if check.figure == "overlap":
        value = overlap(result.maps)
        return value, f"overlap of the maps is {value:.3f}"
    if check.component not in result.numbers:
        return math.nan, f"component {check.component} has no counts"
    at = result.numbers.index(check.component)
    if check.figure == "centroid":
        value = float(result.centroid[at])
        return value, f"the centroid is {value:.2f} eV"
    if check.figure == "share":
        value = float(result.share[at])
        return value, f"its share of the counts is {value:.3f}"
    assert check.curve is not None  # of every `match`
    curve = curves[check.curve]
    middle, reach = moved_by(asked, result)
    spectrum = result.spectra[at]
    value, shift = likeness(spectrum, curve.values, result.energy, reach, middle)
    moved = f" moved by {shift:+.2f} eV" if asked.shift else ""
    note = f" ({curve.note})" if curve.note else ""
    return value, f"the match with `{curve.label}`{moved} is {value:.3f}{note}"
