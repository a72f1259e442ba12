"""A map's spectra and weights with their uncertainty, from counts to `Factorised`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import bands, fitting, intervals, passes, starts
from specfit.maps.checking import checked, unsupported
from specfit.maps.feasibility import feasible, unit
from specfit.maps.fitting import Chunked, Progress, State
from specfit.maps.found import Array, Factorisation, Factorised, MapError
from specfit.maps.others import ard_so_nmf, scikit_learn
from specfit.maps.rotation import Lines, Projected, every_line
from specfit.maps.space import curves, projection, space, weighed
from specfit.maps.turning import Turned, offset_turn

PARTS = 6  # of the image, along each side
ENOUGH = 100.0  # counts of which weights are normal
FEWEST = 10  # pixels, or faint ones taken together, that bound anything
MOST_STEPS = 60  # of the weights for fixed spectra; three times what was ever needed


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
    weights, spectra, objective, done = engine(counts, request)
    k = len(spectra)
    data = fitting.chunked(counts, request.chunk)
    full = np.zeros((data.x.shape[0] * data.x.shape[1], k))
    full[: data.n] = weights
    c = jnp.asarray(full.reshape(*data.x.shape[:2], k), data.x.dtype)
    state = State(c, spectra, tuple(objective), done)
    turned = Turned(np.eye(k), np.eye(k)[None], np.full(k, np.nan), 0.0)
    kept = replace(request, components=k, library=None)
    found = linear(counts, data, state)
    return _result(data, c, spectra, state, turned, found, kept, every_line(found, k))


def linear(counts: Array, data: Chunked, state: State) -> Projected:
    """Linear weights of the pixels that are not empty, for `every_line`.

    A pixel of a few counts says nothing of an edge, and is not normal either: faint ones
    are taken together. Left out, those that happen to have more would be chosen.
    """
    mean = starts.mean_spectrum(counts)
    matrix = projection(state.s, mean)
    weights = data.flat(passes.projected(data.x, jnp.asarray(matrix, data.x.dtype)))
    # the noise of what is modelled: that of the counts themselves is small where they
    # happen to be few, and would make every fluctuation downwards look the surer
    each = np.einsum("mk,ml,jm->jkl", matrix, matrix, state.s)
    covariance = np.einsum("nj,jkl->nkl", np.maximum(weights, 0.0), each)
    runs = starts.together(np.maximum(weights.sum(axis=1), 0.0), ENOUGH)
    weights, covariance = (starts.summed(one, runs) for one in (weights, covariance))
    if len(weights) < FEWEST:
        raise MapError(
            f"the map says too little: {len(weights)} pixels, those of less than "
            f"{ENOUGH:.0f} counts taken together, and {FEWEST} are needed"
        )
    total = weights.sum(axis=1)
    error = np.linalg.pinv((weights.T / total) @ weights)
    return Projected(weights, covariance, state.s, mean, error)


def _poisson(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    k = request.components
    data = fitting.chunked(counts, request.chunk)
    state, prior = space(counts, data, energy, request, progress)
    found = linear(counts, data, state)
    lines = every_line(found, k)
    given = curves(request, counts.shape[1])
    turned, offset = offset_turn(found, lines, given, energy, request)
    spectra = state.s.copy()
    spectra[:k] = unit(turned.best @ state.s[:k])
    back = np.eye(len(spectra))
    back[:k, :k] = np.linalg.inv(turned.best)
    start = jnp.maximum(state.c @ jnp.asarray(back, state.c.dtype), 0.0)
    start = start + 1e-3 * jnp.mean(start, axis=2, keepdims=True)
    c, done = weighed(data, start, spectra, prior, MOST_STEPS)
    result = _result(data, c, spectra, state, turned, found, request, lines)
    told = (*unbounded(lines), *unfinished(data.flat(done)))
    return replace(result, shift=np.full(k, offset), notes=told)


def unfinished(done: Array) -> Iterator[str]:
    """Pixels whose weights were still rising."""
    left = int(np.count_nonzero(done == 0))
    if left:
        yield f"The weights of {left} pixels still rise after {MOST_STEPS} steps."


def unbounded(lines: Lines) -> Iterator[str]:
    """Where the band cannot hold all that is possible, because nothing bounds that."""
    for (k, j), level in lines.items():
        if not level.closed:
            yield (
                f"How much of component {j + 1} the spectrum of component {k + 1} may "
                f"hold is bounded by nothing in the data: the two hardly differ."
            )


def parts(
    data: Chunked, weights: Array, spectra: Array, grid: tuple[int, int] | None
) -> Array:
    """Counts (P, M) of parts of the image and what is expected of them, (2, P, M).

    The sum of all pixels is met by free spectra whatever is missing from the model; what
    is missing here and too much there is seen in its parts alone.
    """
    if grid is None or grid[0] * grid[1] != data.n:
        grid = (1, data.n)
    side = [min(PARTS, n) for n in grid]
    if min(grid) == 1:
        side = [min(PARTS**2, n) for n in grid]
    rows, columns = (np.arange(n) * k // n for n, k in zip(grid, side, strict=True))
    place = (rows[:, None] * side[1] + columns[None]).ravel()
    count = side[0] * side[1]
    padded = np.zeros(data.x.shape[:2], np.int32)
    padded.reshape(-1)[: data.n] = place
    held = np.zeros((count, weights.shape[1]))
    np.add.at(held, place, weights)
    seen = np.asarray(passes.summed(data.x, jnp.asarray(padded), count))
    return np.stack([seen, held @ spectra])


def _reduced(chi: Array, weights: Array, channels: int) -> Array:
    """Pearson's chi-square (N,) a channel; NaN of a pixel that has no count."""
    free = max(1, channels - weights.shape[1])
    return np.where(weights.sum(axis=1) > 0, chi / free, np.nan)


def _result(
    data: Chunked,
    c: jax.Array,
    spectra: Array,
    state: State,
    turned: Turned,
    found: Projected,
    request: Factorisation,
    lines: Lines,
) -> Factorised:
    k, m = request.components, spectra.shape[1]
    free, known, left, chi = passes.judged(data.x, c, jnp.asarray(spectra))
    weights = data.flat(c)
    maps, loose = weights[:, :k], data.flat(free)[:, :k]
    of = bands.fractions(loose, data.flat(known), maps, turned, request.level)
    low, high = bands.spectra(turned, found, request.level)
    return Factorised(
        spectra=spectra[:k],
        spectra_low=low,
        spectra_high=high,
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
        feasible=feasible(found, lines, of.centre, turned.best) if k == 2 else None,
        average=bands.average(loose, of, maps, turned, request.level),
        parts=parts(data, weights, spectra, request.grid),
        open_by=of.open_by,
        residual_sum=np.asarray(left),
        residual_chi=_reduced(data.flat(chi), weights, m),
    )
