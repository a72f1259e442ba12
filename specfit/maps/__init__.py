"""Maps factorised: counts of pixels and channels into spectra and their weights."""

from __future__ import annotations

from specfit.maps.factorising import factorise
from specfit.maps.found import Factorisation, Factorised, Feasible, MapError

__all__ = ["Factorisation", "Factorised", "Feasible", "MapError", "factorise"]
