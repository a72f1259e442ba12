"""What is not in the database: a doublet, singlet or sextet of no known phase.

They compete with the phases of the database, each as likely as one of these before the
spectrum is seen, and pay for the freedom to be anywhere.  So a phase is not bent to what
it never was, and a spectrum of none of them is not explained by all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from specfit.identify.patterns import UNSAID, Density, PhasePattern, SitePattern

UNKNOWN = "?"
"""The first character of their names."""
RANGES = {
    "singlet": ((0.3, 0.5),),
    "doublet": ((0.6, 0.5), (1.2, 1.0)),
    "sextet": ((0.3, 0.4), (0.0, 0.3), (35.0, 15.0)),
}
"""Middle and spread of IS, QS (mm/s), Bint (T): all that 57Fe is known to show."""
BOUNDS = ((-1.0, 1.6), (-4.3, 4.3), (0.0, 63.0))
DRAWS = {"singlet": 48, "doublet": 192, "sextet": 480}
COPIES = 2
USUAL = 0.30
"""mm/s, line width."""


def unknowns() -> tuple[PhasePattern, ...]:
    """Two of each kind: `?doublet`, `?doublet2` …"""
    return tuple(_pattern(kind, name) for kind in RANGES for name in _names(kind))


def is_unknown(phase: PhasePattern) -> bool:
    """Whether a phase is none of the database."""
    return phase.name.startswith(UNKNOWN)


def _pattern(kind: str, name: str) -> PhasePattern:
    priors = tuple(
        Density(
            np.ones(1), np.array([middle]), np.array([spread]), np.array([1e6]), *bounds
        )
        for (middle, spread), bounds in zip(RANGES[kind], BOUNDS, strict=False)
    )
    site = SitePattern(name, kind, priors, DRAWS[kind])
    return PhasePattern(
        name, kind, (site,), np.zeros(1), np.array([UNSAID]), USUAL, 0.0, np.nan
    )


def premature(there: Iterable[str]) -> set[str]:
    """The copies that have no turn as long as the one before is not there."""
    names = set(there)
    waiting = set()
    for kind in RANGES:
        copies = _names(kind)
        waiting |= {b for a, b in pairwise(copies) if a not in names}
    return waiting


def _names(kind: str) -> list[str]:
    return [f"{UNKNOWN}{kind}{'' if i == 0 else i + 1}" for i in range(COPIES)]
