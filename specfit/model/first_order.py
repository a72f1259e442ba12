"""Sextets that their priors put where first order in the field gradient fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.model.ir import Const, Dist, Model, Prior, Ref, Site
from specfit.model.predictive import quantile
from specfit.model.rule_library import thresholds_of
from specfit.sites import first_order_error

PART = thresholds_of("first_order")["part"]
"""Part of a linewidth by which a line may be misplaced before it is worth a word."""
_KNOWN = ("normal", "student_t", "uniform", "mixture")
"""Families of which a median can be had without JAX."""


def misplaced(model: Model[Prior]) -> Iterator[tuple[Site, float, float]]:
    """Sextets of which a line stands too far off, by how much and for what width, mm/s.

    At the medians of their priors; what is computed from other unknowns is passed over.
    """
    middles = _medians(model)
    slopes = np.array([FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes])
    seen = set()
    for spectrum in model.spectra:
        for site in spectrum.sites:
            names = [site.parameters.get(s, "") for s in ("Bint", "QS", "width")]
            if site.kind != "sextet" or not all(n in middles for n in names):
                continue
            field, splitting, width = (np.array([middles[name]]) for name in names)
            off = float(first_order_error(field, splitting, slopes)[0])
            if off > PART * width[0] and site.name not in seen:
                seen.add(site.name)
                yield site, off, float(width[0])


def _medians(model: Model[Prior]) -> Mapping[str, float]:
    """Medians of the unknowns and values of the constants, by name."""
    found = {
        one.name: quantile(one.prior.dist, 0.5)
        for one in model.parameters
        if one.unit in ("mm/s", "T") and _plain(one.prior.dist)
    }
    for item in model.definitions:
        if isinstance(item.value, Const):
            found[item.name] = item.value.value
    for item in model.definitions:
        if isinstance(item.value, Ref) and item.value.name in found:
            found[item.name] = found[item.value.name]
    return found


def _plain(dist: Dist) -> bool:
    return dist.family in _KNOWN and all(isinstance(a, Const) for a in dist.arguments)
