"""A map's spectra and weights with their uncertainty, from counts to `Factorised`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, intervals, passes, starts
from specfit.maps.checking import checked, unsupported
from specfit.maps.feasibility import feasible, unit
from specfit.maps.fitting import Chunked, Progress, State
from specfit.maps.found import Array, Factorisation, Factorised, Feasible, MapError
from specfit.maps.others import ard_so_nmf, scikit_learn
from specfit.maps.rotation import Projected, Settled, settled
from specfit.maps.space import curves, space, weighed

MOST_STEPS = 60  # of the weights for fixed spectra; three times what was ever needed


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
    if missing:
        raise MapError("; ".join(missing))
    with jax.enable_x64(True):
        if request.engine == "poisson":
            return _poisson(counts, energy, request, progress)
        return _other(counts, request)


def _other(counts: Array, request: Factorisation) -> Factorised:
    """Another engine's answer; its spectra are taken as they are, without a band."""
    engine = ard_so_nmf if request.engine == "ard_so" else scikit_learn
    weights, spectra, objective = engine(counts, request)
    k = len(spectra)
    data = fitting.chunked(counts, request.chunk)
    full = np.zeros((data.x.shape[0] * data.x.shape[1], k))
    full[: data.n] = weights
    c = jnp.asarray(full.reshape(*data.x.shape[:2], k), data.x.dtype)
    done = len(objective) < request.iterations
    state = State(c, spectra, tuple(objective), done)
    turned = Turned(np.eye(k), np.eye(k)[None], np.full(k, np.nan), 0.0)
    kept = replace(request, components=k, library=None)
    found = linear(counts, data, state)
    return _result(data, c, spectra, state, turned, found, kept)


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


def offset_turn(
    found: Projected, given: list[Array | None], energy: Array, request: Factorisation
) -> tuple[Turned, float]:
    """The turn and the offset (eV) of the map's axis of greatest evidence.

    One offset moves all curves: it belongs to the axis. Chemistry moves edges too, and
    an offset of each curve's own would take up what tells the components apart.
    """
    if request.shift_sd <= 0 or all(curve is None for curve in given):
        return turn(found, given), 0.0
    sd, place = request.shift_sd, 0.0
    tried: dict[float, tuple[float, Turned]] = {}
    for step in (0.5 * sd, 0.125 * sd):
        for shift in place + step * np.arange(-5, 6):
            moved = [None if c is None else shifted(c, energy, shift) for c in given]
            one = turn(found, moved)
            tried[float(shift)] = (one.evidence - 0.5 * (shift / sd) ** 2, one)
        place = max(tried, key=lambda shift: tried[shift][0])
    return tried[place][1], place


def shifted(curve: Array, energy: Array, shift: float) -> Array:
    """A curve moved up the axis by `shift` eV, of unit area, level beyond its ends."""
    moved = np.interp(energy - shift, energy, curve)
    return np.asarray(moved / moved.sum())


def _poisson(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    k = request.components
    data = fitting.chunked(counts, request.chunk)
    state, prior = space(counts, data, energy, request, progress)
    found = linear(counts, data, state)
    turned, offset = offset_turn(
        found, curves(request, counts.shape[1]), energy, request
    )
    spectra = state.s.copy()
    spectra[:k] = unit(turned.best @ state.s[:k])
    c = weighed(data, state.c, spectra, prior, MOST_STEPS)
    result = _result(data, c, spectra, state, turned, found, request)
    return replace(result, shift=np.full(k, offset))


@dataclass(frozen=True)
class _Fractions:
    counting: Array
    spectral: Array
    low: Array
    high: Array
    feasible: Feasible | None


def _fractions(
    loose: Array,
    known: Array,
    maps: Array,
    turned: Turned,
    found: Projected,
    alone: bool,
) -> _Fractions:
    """Bands of fractions; loose (N, K) unbounded weights, known their information.

    `alone`: nothing but the data speaks; the band then holds all they allow.
    """
    total = maps.sum(axis=1)
    filled = total > 0
    loose = np.where(filled[:, None], loose, np.nan)
    relative = turned.draws @ np.linalg.inv(turned.best)
    spectral, down, up = intervals.spread(loose, relative)
    centre = intervals.share(loose)
    count = np.full(centre.shape, np.nan)
    inside = np.maximum(maps, 0.02 * total[:, None])
    count[filled] = intervals.counting(inside[filled], known[filled])
    low, high = intervals.banded(centre, count, down, up)
    range_ = feasible(found, centre, turned.best) if maps.shape[1] == 2 else None
    if range_ is not None and alone:
        least, most = range_.fraction_low, range_.fraction_high
        low = np.fmin(low, np.stack([least, 1.0 - most], axis=1))
        high = np.fmax(high, np.stack([most, 1.0 - least], axis=1))
    return _Fractions(count, spectral, low, high, range_)


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
    free, known, left, chi = passes.judged(
        data.x, c, jnp.asarray(spectra, data.x.dtype)
    )
    weights = data.flat(c)
    maps, loose = weights[:, :k], data.flat(free)[:, :k]
    alone = all(curve is None for curve in curves(request, m))
    of = _fractions(loose, data.flat(known), maps, turned, found, alone)
    bands = np.stack([unit(t @ state.s[:k]) for t in turned.draws])
    noise = 1.645 * np.sqrt(np.diag(found.error)[:k, None] * found.mean[None])
    return Factorised(
        spectra=spectra[:k],
        spectra_low=np.maximum(np.quantile(bands, 0.05, axis=0) - noise, 0.0),
        spectra_high=np.quantile(bands, 0.95, axis=0) + noise,
        maps=maps,
        fraction=intervals.share(maps),
        counting_sd=of.counting,
        spectral_sd=of.spectral,
        fraction_low=of.low,
        fraction_high=of.high,
        background=weights[:, k:],
        relevance=maps.mean(axis=0),
        strength=turned.strength / np.maximum(maps.sum(axis=0), 1e-300),
        shift=np.zeros(k),
        drift=None,
        objective=np.array(state.objective),
        converged=state.converged,
        feasible=of.feasible,
        residual_sum=np.asarray(left),
        residual_chi=data.flat(chi) / max(1, m - spectra.shape[0]),
    )
