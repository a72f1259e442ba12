"""What a fit finds of the instrument beside what its reader knew before it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.model import ir
from specfit.readers.wording import plus_minus
from specfit.report.quantities import Findings


def after_the_fit(
    found: Findings, spectrum: ir.Spectrum, measurement: Measurement
) -> list[tuple[str, str]]:
    """(label, text): the drive and the baseline of each half; empty where folded."""
    if not measurement.readings:
        return []
    known = {
        symbol: np.ravel(found.quantity(name).draws)
        for symbol, name in spectrum.scalars.items()
    }
    moved = np.stack([known[name] for name in measurement.nuisance_names])
    return [
        (f"{r.label}, fitted", _text(r.value + r.weights @ moved, r.unit))
        for r in measurement.readings
    ] + _halves(known)


def _halves(known: Mapping[str, FloatArray]) -> list[tuple[str, str]]:
    """The parabola of each half: its height at rest, slope and curvature, in percent."""
    said = []
    for half, word in ((-1, "first"), (1, "second")):
        apart = half * known["geometry"]
        parts = {"at rest": apart}
        if "half_slope" in known:
            parts["slope"] = known["slope"] + half * known["half_slope"]
        parts["curvature"] = known.get("curvature", 0.0) - apart
        texts = [f"{name} {_text(100 * x, '%')}" for name, x in parts.items()]
        said.append((f"baseline of the {word} half, fitted", ", ".join(texts)))
    return said


def _text(draws: FloatArray, unit: str) -> str:
    return plus_minus(float(np.mean(draws)), float(np.std(draws)), unit)
