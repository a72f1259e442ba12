"""Other engines under their own names: spectra of unit area and weights, no prior."""

from __future__ import annotations

import warnings

import numpy as np

from specfit.maps import ard_so, starts
from specfit.maps.found import Array, Factorisation


def area(weights: Array, spectra: Array) -> tuple[Array, Array]:
    """The same product with spectra (K, M) of unit area; components of none left out."""
    size = spectra.sum(axis=1)
    used = (size > 0) & (weights.sum(axis=0) > 0)
    return weights[:, used] * size[used], spectra[used] / size[used, None]


def even(counts: Array, spectra: Array) -> Array:
    """Every pixel's counts in equal parts, (N, K), of spectra of any length."""
    total = counts.sum(axis=1, keepdims=True, dtype=np.float64) / len(spectra)
    total = np.maximum(total, 0.0)
    return np.asarray(total * np.linalg.norm(spectra, axis=1))


def ard_so_nmf(
    counts: Array, request: Factorisation
) -> tuple[Array, Array, Array, bool]:
    """Weights, spectra and objective of `ard_so.separated` from the purest places.

    The least objective of the restarts is kept.
    """
    found = []
    for restart in range(max(1, request.restarts)):
        first = starts.purest(counts, request.components, restart)
        weights = even(counts, first)
        found.append(
            ard_so.separated(
                counts, weights, first, request.overlap, request.iterations
            )
        )
    best = min(found, key=lambda one: float(one.objective[-1]))
    settled = len(best.objective) < request.iterations
    return *area(best.weights, best.spectra), -best.objective, settled


def scikit_learn(
    counts: Array, request: Factorisation
) -> tuple[Array, Array, Array, bool]:
    """Weights, spectra, (minus) the divergence of scikit-learn's KL-NMF; did it settle."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    unit = float(counts.mean(dtype=np.float64))
    model = NMF(
        request.components,
        init="nndsvda",
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=request.iterations,
        random_state=request.seed,
    )
    with warnings.catch_warnings():  # whether it came to rest is told by ourselves
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = model.fit_transform(np.divide(counts, unit, dtype=np.float64))
    weights, spectra = area(weights * unit, model.components_)
    settled = model.n_iter_ < request.iterations
    heights = np.full(model.n_iter_, np.nan)  # it tells the last of them only
    heights[-1] = -model.reconstruction_err_
    return weights, spectra, heights, settled
