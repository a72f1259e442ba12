"""A factorisation that stands in for the numerics: short, plain, good enough to look at.

Expectation maximisation of Poisson counts; a curve of the library counts as 3 % of its
component's counts. Bands are counting noise only.
"""

from __future__ import annotations

import numpy as np

from specfit.maps.found import Factorisation, Factorised, Feasible


def factorise(
    counts: np.ndarray, energy: np.ndarray, request: Factorisation, progress=None
) -> Factorised:
    x = np.asarray(counts, dtype=float)
    n, m = x.shape
    generator = np.random.default_rng(request.seed)
    library = request.library
    if library is None:
        library = np.full((request.components, m), np.nan)
    known = np.isfinite(library).all(axis=1)
    s = np.where(known[:, None], library, generator.random((request.components, m)))
    s = s / s.sum(axis=1, keepdims=True)
    powers = [(energy / energy[0]) ** -r for r in request.background]
    fixed = np.array([p / p.sum() for p in powers]).reshape(-1, m)
    weights = np.full((n, s.shape[0] + fixed.shape[0]), x.sum() / n / m)
    objective = []
    for _ in range(min(request.iterations, 150)):
        basis = np.vstack([s, fixed])
        mean = np.maximum(weights @ basis, 1e-12)
        objective.append(float((x * np.log(mean) - mean).sum()))
        ratio = x / mean
        weights = weights * (ratio @ basis.T)
        seen = s * (weights[:, : s.shape[0]].T @ ratio)
        prior = 0.03 * weights[:, : s.shape[0]].sum(axis=0)[:, None] * library
        s = seen + np.where(known[:, None], prior, 0.0)
        s = s / np.maximum(s.sum(axis=1, keepdims=True), 1e-300)
    return _found(x, s, fixed, weights, np.array(objective), known)


def _found(x, s, fixed, weights, objective, known) -> Factorised:
    k = s.shape[0]
    maps = weights[:, :k]
    total = maps.sum(axis=1, keepdims=True)
    fraction = np.where(total > 0, maps / np.maximum(total, 1e-12), np.nan)
    sd = np.sqrt(fraction * (1 - fraction) / np.maximum(total, 1.0))
    mean = np.maximum(weights @ np.vstack([s, fixed]), 1e-12)
    spread = 2.0 * np.sqrt(s / np.maximum(maps.sum(axis=0)[:, None], 1.0))
    feasible = None
    if k == 2:
        feasible = Feasible(
            low=np.maximum(s - 2 * spread, 0.0), high=s + 2 * spread,
            fraction_low=np.clip(fraction[:, 0] - 0.2, 0, 1),
            fraction_high=np.clip(fraction[:, 0] + 0.1, 0, 1),
            ends=np.zeros((2, 2)), open_by=0.02, decided=False,
        )  # fmt: skip
    places = np.arange(x.shape[0]) * 36 // x.shape[0]
    parts = np.zeros((2, 36, x.shape[1]))
    for at, values in enumerate((x, mean)):
        np.add.at(parts[at], places, values)
    return Factorised(
        spectra=s, spectra_low=np.maximum(s - spread, 0.0), spectra_high=s + spread,
        maps=maps, fraction=fraction, counting_sd=sd, spectral_sd=0.5 * sd + 0.01,
        fraction_low=np.clip(fraction - 2 * sd, 0, 1),
        fraction_high=np.clip(fraction + 2 * sd, 0, 1),
        background=weights[:, k:], relevance=maps.mean(axis=0),
        strength=np.where(known, 0.03, np.nan), shift=np.where(known, 0.0, np.nan),
        drift=None, objective=objective, converged=True, feasible=feasible,
        residual_sum=(x - mean).sum(axis=0),
        residual_chi=((x - mean) ** 2 / mean).mean(axis=1),
        parts=np.stack([*parts, parts[1]]),
    )  # fmt: skip
