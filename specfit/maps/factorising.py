"""A map's spectra and weights with their uncertainty, from counts to `Factorised`."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, intervals, passes, starts
from specfit.maps.checking import checked, unsupported
from specfit.maps.fitting import Chunked, Prior, Progress, State
from specfit.maps.found import Array, Factorisation, Factorised, Feasible, MapError
from specfit.maps.rotation import Projected, Settled, settled

FIRST_STRENGTH = 1000.0  # counts; only steers the start, the learned one replaces it


@dataclass(frozen=True)
class Turned:
    """How found spectra are turned into pure ones: best (K, K) and draws (D, K, K)."""

    best: Array
    draws: Array
    strength: Array
    evidence: float


def factorise(
    counts: Array,
    energy: Array,
    request: Factorisation,
    progress: Progress | None = None,
) -> Factorised:
    """Spectra, maps and bands of a map (n_pixels, n_channels) over an axis in eV."""
    checked(counts, energy, request)
    missing = unsupported(request)
    if missing or request.engine != "poisson":
        raise MapError(f"not for this engine yet: {', '.join(missing) or request.engine}")
    with jax.enable_x64(True):
        return _poisson(counts, energy, request, progress)


def curves(request: Factorisation, channels: int) -> list[Array | None]:
    """Library curves of unit area that are nowhere quite zero, None where none is."""
    if request.library is None:
        return [None] * request.components
    found: list[Array | None] = []
    for row in request.library:
        if np.isnan(row).all():
            found.append(None)
            continue
        curve = row / row.sum() + 1e-3 / channels
        found.append(curve / curve.sum())
    return found


def powers(request: Factorisation, energy: Array) -> Array:
    """Power laws of unit area, (n_backgrounds, n_channels)."""
    rows = [(energy / energy[0]) ** -r for r in request.background]
    return np.array([r / r.sum() for r in rows]).reshape(-1, energy.size)


def _space(
    counts: Array,
    data: Chunked,
    energy: Array,
    request: Factorisation,
    progress: Progress | None,
) -> tuple[State, Prior]:
    """The weights and spectra of the first, rough answer: the space is what counts."""
    k, m = request.components, counts.shape[1]
    given, fixed = curves(request, m), powers(request, energy)
    mean = starts.mean_spectrum(counts)
    worth = np.zeros((k + len(fixed), m))
    for i, curve in enumerate(given):
        if curve is not None:
            worth[i] = FIRST_STRENGTH * curve
    damp, gain = np.ones(k + len(fixed)), np.zeros(k + len(fixed))
    if request.map_scale is not None:
        scale = np.asarray(request.map_scale) / request.map_shape
        damp[:k], gain[:k] = 1.0 / (1.0 + 1.0 / scale), request.map_shape - 1.0
    prior = Prior(worth, damp, gain)
    best: State | None = None
    for restart in range(max(1, request.restarts)):
        if all(curve is not None for curve in given):
            first = np.repeat(mean[None], k, axis=0)
        else:
            first = starts.purest(counts, k, restart)
        for i, curve in enumerate(given):
            if curve is not None:
                first[i] = 0.9 * curve + 0.1 * mean
        spectra = np.concatenate([first, fixed])
        state = State(fitting.even(data, k + len(fixed)), spectra)
        if counts.shape[0] > 8192:  # runs of pixels bring the spectra close at less cost
            few = fitting.chunked(starts.pooled(counts, 2048), 2048)
            near = State(fitting.even(few, k + len(fixed)), spectra)
            near = fitting.fitted(few, near, prior, k, request.iterations, request.tolerance)
            soon = passes.weights(data.x, state.c, jnp.asarray(near.s, data.x.dtype),
                                  jnp.asarray(damp, data.x.dtype),
                                  jnp.asarray(gain, data.x.dtype), 2)  # fmt: skip
            state = State(soon, near.s)
        state = fitting.fitted(
            data, state, prior, k, request.iterations, request.tolerance, progress
        )
        if best is None or state.objective[-1] > best.objective[-1]:
            best = state
    assert best is not None
    return best, prior


def linear(counts: Array, data: Chunked, state: State) -> Projected:
    """Linear weights of the pixels that are not empty, for `settled`."""
    mean = starts.mean_spectrum(counts)
    weighted = state.s / mean
    matrix = weighted.T @ np.linalg.pinv(weighted @ state.s.T)
    weights = data.flat(passes.projected(data.x, jnp.asarray(matrix, data.x.dtype)))
    # the noise of what is modelled: that of the counts themselves is small where they
    # happen to be few, and would make every fluctuation downwards look the surer
    each = np.einsum("mk,ml,jm->jkl", matrix, matrix, state.s)
    covariance = np.einsum("nj,jkl->nkl", np.maximum(weights, 0.0), each)
    total = weights.sum(axis=1)
    # a pixel of a few counts says nothing of an edge, and is not normal either
    seen = total > max(25.0, 0.02 * float(np.median(total[total > 0])))
    weights, covariance, total = weights[seen], covariance[seen], total[seen]
    error = np.linalg.pinv((weights.T / total) @ weights)
    return Projected(weights, covariance, state.s, mean, error)


def turn(found: Projected, given: list[Array | None]) -> Turned:
    """Every pure spectrum along the lines to the others, and the draws of all lines.

    For two components this is exact; for more each line is taken with the others at
    their best, in the order of the components.
    """
    k = len(given)
    best, draws = np.eye(k), np.repeat(np.eye(k)[None], 64, axis=0)
    strength, evidence = np.full(k, np.nan), 0.0
    generator = np.random.default_rng(0)
    for i in range(k):
        for j in range(k):
            if i == j or found.weights.shape[0] < 10:
                continue
            one: Settled = settled(found, i, j, given[i])
            places = generator.permutation(one.draws)
            best[i, i], best[i, j] = best[i, i] - one.best, one.best
            draws[:, i, i] -= places
            draws[:, i, j] = places
            evidence += one.evidence
            if given[i] is not None:
                strength[i] = one.strength
    return Turned(best, draws, strength, evidence)


def _poisson(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    k = request.components
    data = fitting.chunked(counts, request.chunk)
    state, prior = _space(counts, data, energy, request, progress)
    found = linear(counts, data, state)
    given = curves(request, counts.shape[1])
    turned = turn(found, given)
    spectra = state.s.copy()
    spectra[:k] = unit(turned.best @ state.s[:k])
    kind = data.x.dtype
    fixed, damp, gain = (jnp.asarray(v, kind) for v in (spectra, prior.damp, prior.gain))
    c = passes.weights(data.x, state.c, fixed, damp, gain, 4)
    return _result(data, c, spectra, state, turned, found, request)


def unit(spectra: Array) -> Array:
    """Spectra cut at zero, of unit area."""
    cut = np.maximum(spectra, 0.0)
    return np.asarray(cut / cut.sum(axis=-1, keepdims=True))


def _result(
    data: Chunked,
    c: jax.Array,
    spectra: Array,
    state: State,
    turned: Turned,
    found: Projected,
    request: Factorisation,
) -> Factorised:
    k, m = request.components, spectra.shape[1]
    free, known, left, chi = passes.judged(data.x, c, jnp.asarray(spectra, data.x.dtype))
    weights = data.flat(c)
    filled = weights[:, :k].sum(axis=1) > 0
    relative = turned.draws @ np.linalg.inv(turned.best)
    loose = data.flat(free)[:, :k].copy()
    loose[~filled] = np.nan
    spectral, down, up = intervals.spread(loose, relative)
    centre = intervals.share(loose)
    count = np.full(centre.shape, np.nan)
    inside = np.maximum(weights[:, :k], 0.02 * weights[:, :k].sum(axis=1)[:, None])
    count[filled] = intervals.counting(inside[filled], data.flat(known)[filled])
    low, high = intervals.banded(centre, count, down, up)
    range_ = feasible(found, centre, turned) if k == 2 else None
    if range_ is not None and request.library is None:
        # nothing but the data speaks, and they allow all of it
        low = np.fmin(low, np.stack([range_.fraction_low, 1 - range_.fraction_high], 1))
        high = np.fmax(high, np.stack([range_.fraction_high, 1 - range_.fraction_low], 1))
    bands = np.stack([unit(t @ state.s[:k]) for t in turned.draws])
    noise = 1.645 * np.sqrt(np.diag(found.error)[:k, None] * found.mean[None])
    size = np.maximum(weights[:, :k].sum(axis=0), 1e-300)
    return Factorised(
        spectra[:k],
        np.maximum(np.quantile(bands, 0.05, axis=0) - noise, 0.0),
        np.quantile(bands, 0.95, axis=0) + noise,
        weights[:, :k],
        intervals.share(weights[:, :k]),
        count,
        spectral,
        low,
        high,
        weights[:, k:],
        weights[:, :k].mean(axis=0),
        turned.strength / size,
        np.zeros(k),
        None,
        np.array(state.objective),
        state.converged,
        range_,
        np.asarray(left),
        data.flat(chi) / max(1, m - spectra.shape[0]),
    )


def feasible(found: Projected, centre: Array, turned: Turned) -> Feasible | None:
    """The range of both pure spectra that the data allow, without any library.

    Source: Lawton & Sylvestre, Technometrics 13, 617 (1971), with noise: a place is
    allowed while its log-likelihood is within 2 of the best along its line.
    """
    if found.weights.shape[0] < 10:
        return None
    one, two = settled(found, 0, 1, None), settled(found, 1, 0, None)
    ends = np.array([[one.low, one.high], [two.low, two.high]])
    corners = [(a, b) for a in ends[0] for b in ends[1]]
    turns = np.array([[[1 - a, a], [b, 1 - b]] for a, b in corners])
    spectra = np.stack([unit(t @ found.spectra[:2]) for t in turns])
    back = np.linalg.inv(turns @ np.linalg.inv(turned.best))
    pair = np.stack([centre[:, 0], 1.0 - centre[:, 0]], axis=1)
    fractions = np.clip(intervals.share(pair @ back)[..., 0], 0.0, 1.0)
    low, high = fractions.min(axis=0), fractions.max(axis=0)
    open_by = float(np.nanmax(high - low))
    return Feasible(
        spectra.min(axis=0), spectra.max(axis=0), low, high, ends, open_by, open_by < 0.05
    )
