"""Which unknowns of a model are the waves of a histogram."""

from __future__ import annotations

from specfit.model.ir import Model, Prior
from specfit.model.kinds import SIGNATURES


def waves_of(model: Model[Prior]) -> tuple[str, ...]:
    """Their names, site by site."""
    return tuple(
        site.parameters[entry.symbol]
        for spectrum in model.spectra
        for site in spectrum.sites
        for entry in SIGNATURES[site.kind].parameters
        if entry.minor
    )
