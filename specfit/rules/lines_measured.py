"""Lines of a sextet beyond the measured velocities: nothing was seen of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws

NAME = "lines_measured"
SOURCE = source_of(NAME)
SYMBOLS = ("IS", "QS", "Bint")


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of sextets with lines outside the velocities that were measured."""
    data = dict(zip(map(id, model.spectra), measurements, strict=True))
    sextets = list(iron_sites(model, "sextet"))
    found = [
        finding
        for item in sextets
        if (finding := _judge_one(model, fit, item, data[id(item.spectrum)]))
    ]
    if found or not sextets:
        return found
    return [passed(NAME, "every line of every sextet was measured", SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    low, high = np.array([(m.axis.min(), m.axis.max()) for m in block.spectra]).T
    slopes = np.array([one.field_slopes for one in block.spectra])
    found = []
    for item in iron_sites(block.model, "sextet"):
        draws = [block.symbol(item, symbol) for symbol in SYMBOLS]
        lines = _lines(draws, slopes)
        missing = (lines < low[:, None]) | (lines > high[:, None])
        found.append(graded(missing.any(axis=1), False))
    return worst(block, found)


def _lines(draws: Sequence[FloatArray | None], slopes: FloatArray) -> FloatArray:
    """The six positions (…, 6) at the means of the draws (…, n_draws), mm/s.

    slopes: (…, 3), k16, k25, k34.
    """
    means = [np.zeros(1) if d is None else d.mean(axis=-1)[..., None] for d in draws]
    shift, splitting, field = means
    signed = slopes[..., [0, 1, 2, 2, 1, 0]] * np.array([-1, -1, -1, 1, 1, 1])
    bend = 0.5 * splitting * np.array([1, -1, -1, -1, -1, 1])
    return np.asarray(shift + signed * field + bend)


def _judge_one(
    model: Model[Prior], fit: Fit, item: IronSite, measurement: Measurement
) -> Finding | None:
    draws = [symbol_draws(fit, model, item, symbol) for symbol in SYMBOLS]
    lines = _lines(draws, np.array(measurement.field_slopes))
    low, high = float(measurement.axis.min()), float(measurement.axis.max())
    missing = [i + 1 for i, v in enumerate(lines) if not low <= v <= high]
    if not missing:
        return None
    places = ", ".join(f"{i} at {lines[i - 1]:+.2f}" for i in missing)
    return Finding(
        NAME,
        "physics",
        "warned",
        f"of the sextet `{item.name}` these lines lie beyond the measured "
        f"{low:.2f} … {high:.2f} mm/s: {places} mm/s",
        detail="its field rests on the other lines only: measure a wider range of "
        "velocities, or doubt the assignment",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
