"""Site kinds: hyperfine parameters → line positions, areas and Gaussian widths.

This table is the only place that knows them all; its order is the order in which they
are shown.  Every kind gives its lines by increasing velocity for positive splitting and
areas that sum to one, so that `I` is always the fraction of the total resonant area.
"""

from __future__ import annotations

from specfit.contracts import SiteKind
from specfit.sites import (
    distribution,
    elements,
    hamiltonian,
    magnetic,
    oriented,
    paramagnetic,
    relaxation,
)
from specfit.sites.magnetic import first_order_error, random_error

__all__ = ["OTHERS", "SITES", "first_order_error", "random_error"]

_ENTRIES = (
    paramagnetic.SINGLET,
    paramagnetic.DOUBLET,
    magnetic.SEXTET,
    hamiltonian.HAMILTONIAN,
    oriented.APPLIED,
    oriented.CRYSTAL,
    relaxation.RELAXING,
    distribution.DOUBLET_DISTRIBUTION,
    distribution.SEXTET_DISTRIBUTION,
    distribution.CZJZEK,
    *(kind for words in elements.WORDS.values() for kind in words.values()),
)

OTHERS = elements.WORDS
"""Isotope → word of the language → site kind, for all but 57Fe."""

SITES: dict[str, SiteKind] = {entry.signature.name: entry for entry in _ENTRIES}
"""Every site kind by its name: the word of the language, and the isotope if not 57Fe."""

if len(SITES) != len(_ENTRIES):
    raise ValueError("two site kinds share a name")
