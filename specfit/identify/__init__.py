"""Which phases of the database a spectrum shows, without a model of it.

What: every phase that has records at the temperature, and any of none, is tried; sets of
them are grown, taken apart, and ranked by evidence.  Why: a file with nothing but data
should have an answer, too.  Instead of: a table of line positions to look up by hand.
"""

from __future__ import annotations

from specfit.identify.appearance import Spectrum
from specfit.identify.mixture import Mixture
from specfit.identify.patterns import PhasePattern, patterns
from specfit.identify.ranking import Answer, Ranking
from specfit.identify.search import identify
from specfit.identify.unknown import is_unknown, unknowns

__all__ = [
    "Answer",
    "Mixture",
    "PhasePattern",
    "Ranking",
    "Spectrum",
    "identify",
    "is_unknown",
    "patterns",
    "unknowns",
]
