"""The physical range of a site's parameter, where it is computed and not drawn."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from specfit.model.expressions import references
from specfit.model.ir import Model, Prior
from specfit.model.kinds import SIGNATURES


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
