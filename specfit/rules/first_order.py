"""Whether the lines of a sextet stand where first order in the field gradient puts them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.first_order import PART
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws
from specfit.sites import first_order_error, random_error

NAME = "first_order"
SOURCE = source_of(NAME)
KINDS = ("sextet", "sextet_distribution")
SYMBOLS = ("Bint", "QS", "width", "sigma_QS", "QS_random")


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of sextets that only the whole Hamiltonian describes."""
    sites = [site for kind in KINDS for site in iron_sites(model, kind)]
    found = []
    for item in sites:
        means = _means(partial(symbol_draws, fit, model, item))
        slopes = _slopes(model, measurements, item)
        off, scattered = (float(part[0]) for part in _off(means, slopes))
        limit = PART * float(means[2][0])
        if scattered > max(off, limit):
            found.append(_scattering(item.name, scattered, float(means[3][0])))
        elif off > limit:
            found.append(_warning(item.name, item.site.kind, off))
    if found or not sites:
        return found
    text = "first order in the quadrupole interaction is exact enough for every sextet"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item in (site for kind in KINDS for site in iron_sites(block.model, kind)):
        means = _means(partial(block.symbol, item))
        off = np.maximum(*_off(means, _slopes(block.model, block.spectra, item)))
        found.append(graded(np.asarray(off > PART * means[2]), False))
    return worst(block, found)


def _slopes(
    model: Model[Prior], measurements: Sequence[Measurement], item: IronSite
) -> FloatArray:
    """Line slopes (3,) of the spectrum of a site; one convention for a whole batch."""
    place = next(i for i, s in enumerate(model.spectra) if s is item.spectrum)
    return np.asarray(measurements[place].field_slopes, dtype=float)


def _means(draws_of: Callable[[str], FloatArray | None]) -> list[FloatArray]:
    """The means (n,) of `SYMBOLS`; what a site does not have is 0."""
    every = [draws_of(symbol) for symbol in SYMBOLS]
    return [
        np.zeros(1) if draws is None else np.atleast_1d(draws.mean(axis=-1))
        for draws in every
    ]


def _off(
    means: Sequence[FloatArray], slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """By how much lines are off for QS, and for the scatter of QS: (n,), mm/s."""
    field, splitting, _, scatter, random = np.broadcast_arrays(*means)
    every = np.tile(slopes, (field.size, 1))
    mean = first_order_error(field, splitting, every)
    return mean, random_error(field, scatter, random, every)


_WHOLE = (
    "write `hamiltonian` for `sextet`: eQVzz, and the angle theta between field "
    "and field gradient, in place of QS"
)
_PARTS = (
    "raise `low`, below which lines stand elsewhere, or write a few `hamiltonian` "
    "populations in place of the distribution"
)


def _warning(name: str, kind: str, off: float) -> Finding:
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the lines of `{name}` may stand up to {off:.2f} mm/s from where first order in "
        "the quadrupole interaction puts them",
        value=off,
        detail=_WHOLE if kind == "sextet" else _PARTS,
        source=SOURCE,
    )


def _scattering(name: str, off: float, scatter: float) -> Finding:
    likely = math.sqrt(5.0) * scatter
    return Finding(
        NAME,
        "physics",
        "warned",
        f"QS of `{name}` scatters by {scatter:.2f} mm/s: if its field gradients lie at "
        f"random to the field, its lines stand up to {off:.2f} mm/s from where first "
        "order in the quadrupole interaction puts them",
        value=off,
        detail=f"write `QS_random ~ {likely:.2f} ± {0.25 * likely:.2f} mm/s`: the splitting "
        "that the sample shows without a field; where composition spreads QS and all axes "
        "lie alike to the field, nothing moves",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
