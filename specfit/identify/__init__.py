"""Which phases of the database a spectrum shows, without a model of it.

What: every phase that has records at the temperature is tried, sets of them are grown,
mended and ranked by evidence.  Why: a file with nothing but data should have an answer,
too.  Instead of: a table of line positions to look up by hand.  Growing sets of phases
with several broad doublets still misses the best one often; no command uses it yet.
"""

from __future__ import annotations

from specfit.identify.appearance import Spectrum
from specfit.identify.mixture import Mixture
from specfit.identify.patterns import PhasePattern, patterns
from specfit.identify.search import Ranking, identify

__all__ = ["Mixture", "PhasePattern", "Ranking", "Spectrum", "identify", "patterns"]
