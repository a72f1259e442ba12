"""Ranges that what is computed must keep: of sites' parameters, and of reflections."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from specfit.model.expressions import references
from specfit.model.ir import Expression, Model, Prior, Ref
from specfit.model.kinds import SIGNATURES
from specfit.model.reflections import margins

Range = tuple[Expression, float, float]


def all_ranges(model: Model[Prior]) -> Iterator[Range]:
    """What is computed, the lowest and the highest that it may be."""
    for name, low, high in physical_ranges(model):
        yield Ref(name=name), low, high
    for margin in margins(model):
        yield margin, 0.0, inf


def physical_ranges(model: Model[Prior]) -> Iterator[tuple[str, float, float]]:
    """Computed site parameters that their kind bounds: name, lowest, highest.

    `C.I = 1 - A.I - B.I` must not be negative although nobody gave it a prior.
    """
    computed = {d.name for d in model.definitions if references(d.value)}
    seen: set[str] = set()
    for spectrum in model.spectra:
        for site in spectrum.sites:
            for entry in SIGNATURES[site.kind].parameters:
                name = site.parameters.get(entry.symbol, "")
                if name not in computed or name in seen:
                    continue
                seen.add(name)
                low = -inf if entry.low is None else entry.low
                high = inf if entry.high is None else entry.high
                if low > -inf or high < inf:
                    yield name, low, high
