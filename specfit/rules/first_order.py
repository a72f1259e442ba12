"""Whether the lines of a sextet stand where first order in the field gradient puts them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.first_order import PART
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import source_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws
from specfit.sites import first_order_error

NAME = "first_order"
SOURCE = source_of(NAME)


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of sextets that only the whole Hamiltonian describes."""
    sites = list(iron_sites(model, "sextet"))
    found = []
    for item in sites:
        means = [
            np.array([draws.mean()])
            for symbol in ("Bint", "QS", "width")
            if (draws := symbol_draws(fit, model, item, symbol)) is not None
        ]
        far, off = _far(means, _slopes(model, measurements, item))
        found += [_warning(item.name, float(off[0]))] if far[0] else []
    if found or not sites:
        return found
    text = "first order in the quadrupole interaction is exact enough for every sextet"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item in iron_sites(block.model, "sextet"):
        means = [
            np.asarray(draws.mean(axis=-1))
            for symbol in ("Bint", "QS", "width")
            if (draws := block.symbol(item, symbol)) is not None
        ]
        far, _ = _far(means, _slopes(block.model, block.spectra, item))
        found.append(graded(far, False))
    return worst(block, found)


def _slopes(
    model: Model[Prior], measurements: Sequence[Measurement], item: IronSite
) -> FloatArray:
    """Line slopes (3,) of the spectrum of a site; one convention for a whole batch."""
    place = next(i for i, s in enumerate(model.spectra) if s is item.spectrum)
    return np.asarray(measurements[place].field_slopes, dtype=float)


def _far(means: Sequence[FloatArray], slopes: FloatArray) -> tuple[Flags, FloatArray]:
    """Whether lines are too far off, and how far (n,), from mean Bint, QS and width."""
    field, splitting, width = np.broadcast_arrays(*means)
    off = first_order_error(field, splitting, np.tile(slopes, (field.size, 1)))
    return np.asarray(off > PART * width), off


def _warning(name: str, off: float) -> Finding:
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the lines of `{name}` may stand up to {off:.2f} mm/s from where first order in "
        "the quadrupole interaction puts them",
        value=off,
        detail="write `hamiltonian` for `sextet`: eQVzz, and the angle theta between field "
        "and field gradient, in place of QS",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
