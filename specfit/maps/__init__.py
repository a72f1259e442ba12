"""Maps of spectra as few component spectra and their weights: numbers in, numbers out.

The likelihood finds the space of the spectra and leaves open which members of it are
pure; a weak library, learned in strength, settles that, and what it leaves open is told
in every pixel's interval. So the two are separate steps (`fitting`, `rotation`) instead
of one long iteration, which would creep along the directions the data do not decide.
"""

from __future__ import annotations

from specfit.maps.found import (
    Factorisation,
    Factorised,
    Feasible,
    Levels,
    MapError,
)

__all__ = ["Factorisation", "Factorised", "Feasible", "Levels", "MapError"]
