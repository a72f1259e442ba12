"""Other engines under their own names: spectra of unit area and weights, no prior."""

from __future__ import annotations

import numpy as np

from specfit.maps import ard_so, starts
from specfit.maps.found import Array, Factorisation


def area(weights: Array, spectra: Array) -> tuple[Array, Array]:
    """The same product with spectra (K, M) of unit area; components of none left out."""
    size = spectra.sum(axis=1)
    used = (size > 0) & (weights.sum(axis=0) > 0)
    return weights[:, used] * size[used], spectra[used] / size[used, None]


def ard_so_nmf(counts: Array, request: Factorisation) -> tuple[Array, Array, Array]:
    """Weights, spectra and objective of `ard_so.separated` from the purest places.

    The least objective of the restarts is kept.
    """
    found = []
    for restart in range(max(1, request.restarts)):
        first = starts.purest(counts, request.components, restart)
        weights = counts.sum(axis=1, keepdims=True) / len(first)
        weights = weights * np.linalg.norm(first, axis=1)[None]
        found.append(
            ard_so.separated(
                counts, weights, first, request.overlap, request.iterations
            )
        )
    best = min(found, key=lambda one: float(one.objective[-1]))
    return *area(best.weights, best.spectra), -best.objective


def scikit_learn(counts: Array, request: Factorisation) -> tuple[Array, Array, Array]:
    """Weights, spectra and (minus) the divergence of scikit-learn's KL-NMF."""
    from sklearn.decomposition import NMF

    unit = float(counts.mean())
    model = NMF(
        request.components,
        init="nndsvda",
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=request.iterations,
        random_state=request.seed,
    )
    weights = model.fit_transform(counts / unit)
    weights, spectra = area(weights * unit, model.components_)
    return weights, spectra, np.array([-model.reconstruction_err_])
