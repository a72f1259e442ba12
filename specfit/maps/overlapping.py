"""How much maps are expected to share their pixels, as a prior of the pure spectra.

Maps whose components seldom meet have a small cosine between them. Turning the spectra
turns that cosine, so that an expectation of it speaks where the data leave them open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specfit.maps.found import Array
from specfit.maps.rotation import Projected


@dataclass(frozen=True)
class Overlapping:
    """An expected overlap `mean` ± `sd` of maps with the products `gram` (K, K)."""

    gram: Array
    mean: float
    sd: float

    def at(self, turns: Array) -> Array:
        """The mean cosine (…) of maps, of spectra `turns` (…, K, K) times those found."""
        back = np.linalg.inv(turns)
        own = np.swapaxes(back, -1, -2) @ self.gram @ back
        norm = np.sqrt(np.maximum(np.einsum("...kk->...k", own), 1e-300))
        cosine = own / (norm[..., :, None] * norm[..., None, :])
        k = len(self.gram)
        off = cosine.sum(axis=(-1, -2)) - np.einsum("...kk->...", cosine)
        return np.asarray(off / (k * (k - 1)))

    def log(self, turns: Array) -> Array:
        """The logarithm of the density of what is expected."""
        return np.asarray(-0.5 * ((self.at(turns) - self.mean) / self.sd) ** 2)


def overlapping(found: Projected, k: int, said: tuple[float, float]) -> Overlapping:
    """The products of the maps without those of their noise; said: mean, sd."""
    weights, noise = found.weights[:, :k], found.covariance[:, :k, :k]
    return Overlapping(weights.T @ weights - noise.sum(axis=0), *said)
