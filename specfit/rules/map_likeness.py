"""How like the curves spectra are that were said to be like them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specfit.contracts import Finding, FloatArray
from specfit.mapped import MapResult
from specfit.model.factorising import Factorising
from specfit.rules.strength import Outcome

FAR = 3.0
"""Standard deviations of an offset that is not found but said."""
LEAST = 0.9
"""Cosine below which a spectrum is hardly like a curve: measured ones of two instruments
have 0.95 to 0.97."""
UNLIKE = 0.7
"""And below which it is another: the component is not what it was said to be."""
ELSEWHERE, BETTER = 6.0, 0.05
"""Where else (eV) a curve is tried then, and what that must gain to be told."""


def likeness(
    spectrum: FloatArray,
    curve: FloatArray,
    energy: FloatArray,
    reach: float,
    middle: float = 0.0,
) -> tuple[float, float]:
    """Cosine with a curve moved by `middle` ± `reach` eV, and the best such shift."""
    shifts = middle + (np.linspace(-reach, reach, 121) if reach > 0.0 else np.zeros(1))
    moved = np.array([np.interp(energy - s, energy, curve) for s in shifts])
    norms = np.linalg.norm(moved, axis=1) * np.linalg.norm(spectrum)
    cosines = moved @ spectrum / np.where(norms > 0.0, norms, 1.0)
    best = int(np.argmax(cosines))
    return float(cosines[best]), float(shifts[best])


def moved_by(asked: Factorising, result: MapResult) -> tuple[float, float]:
    """By how much the axis is off, and how surely (eV): curves are moved no farther.

    The place of an edge is what tells a valence; a match must not look for its own.
    """
    if not asked.shift:
        return 0.0, 0.0
    if not result.library:
        return 0.0, FAR * asked.shift
    found = result.found
    return float(found.shift[result.kept[0]]), 2.0 * found.shift_sd


def findings(asked: Factorising, result: MapResult) -> Iterator[Finding]:
    """Of every component with a curve; the curve decides where the data leave it open."""
    middle, reach = moved_by(asked, result)
    for at, curve in result.library.items():
        given = result.spectra[at], curve.values, result.energy
        value, _ = likeness(*given, reach, middle)
        detail = f"the match is {value:.2f}"
        if value < LEAST:
            other, shift = likeness(*given, ELSEWHERE)
            if other > value + BETTER:
                detail += f"; moved by {shift:+.1f} eV it would be {other:.2f}"
        outcome: Outcome = "passed" if value >= LEAST else "warned"
        yield Finding(
            rule="library",
            kind="physics",
            outcome="failed" if value < UNLIKE else outcome,
            text=f"component {result.numbers[at]} is like {curve.label}",
            value=value,
            detail=detail,
            line=asked.place.line,
        )
