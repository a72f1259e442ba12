"""Maps factorised: counts of pixels and channels into spectra and their weights."""

from __future__ import annotations

from specfit.maps.found import Array, Factorisation, Factorised

__all__ = ["Factorisation", "Factorised", "factorise"]


def factorise(counts: Array, energy: Array, request: Factorisation) -> Factorised:
    """Spectra and maps (n_pixels, n_channels) → `Factorised`; written apart."""
    raise NotImplementedError
