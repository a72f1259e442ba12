"""A map's spectra and weights with their uncertainty, from counts to `Factorised`."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, levels, passes, starts
from specfit.maps.assembling import assembled, parted
from specfit.maps.blurring import blur
from specfit.maps.checking import checked, unsupported
from specfit.maps.drifted import drifted
from specfit.maps.feasibility import unit
from specfit.maps.fitting import Chunked, Progress, State
from specfit.maps.found import Array, Factorisation, Factorised, MapError
from specfit.maps.gaussian import gaussian
from specfit.maps.offsetting import first_offset
from specfit.maps.others import ard_so_nmf, scikit_learn
from specfit.maps.projecting import linear, unbounded
from specfit.maps.rotation import Lines, Projected, every_line
from specfit.maps.space import curves, powers, projection, space
from specfit.maps.turning import Turned, offset_turn
from specfit.maps.weights import Weighed, judged, weighed


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
    request = _near(counts, energy, request)
    with jax.enable_x64(True):
        if request.engine == "poisson":
            fit = drifted if request.drift_sd > 0 else _poisson
            inside = _in_counts(request)
            return _in_unit(fit(counts, energy, inside, progress), request.count)
        if request.engine == "gaussian":
            return gaussian(counts, energy, request, progress)
        return _other(counts, request)


def _near(counts: Array, energy: Array, request: Factorisation) -> Factorisation:
    """With a first guess of the offset of the axis."""
    given, laws = curves(request, energy, 0.0), powers(request, energy)
    offset = first_offset(counts, given, laws, energy, request.shift_sd)
    return replace(request, offset=offset)


def _in_counts(request: Factorisation) -> Factorisation:
    """The same asked in counts."""
    said = request.levels
    if said is not None:
        said = replace(said, beta=said.beta / request.count)
    return replace(request, levels=said)


def _in_unit(found: Factorised, count: float) -> Factorised:
    """What was found in counts in the unit of the data; `parts` stay counts."""
    return replace(
        found,
        maps=found.maps * count,
        background=found.background * count,
        relevance=found.relevance * count,
        residual_sum=found.residual_sum * count,
    )


def _other(counts: Array, request: Factorisation) -> Factorised:
    """Another engine's answer; its bands are all that the data leave open about it."""
    engine = ard_so_nmf if request.engine == "ard_so" else scikit_learn
    weights, spectra, objective, done = engine(counts, request)
    k = len(spectra)
    data = fitting.chunked(counts, request.chunk, request.count)
    c = data.cut(weights).astype(data.x.dtype)
    state = State(c, spectra, tuple(objective), done)
    kept = replace(request, components=k, library=None)
    found = linear(counts, data, state)
    own, lines = Weighed(c, levels.free(k), 0), every_line(found, k)
    # its objective knows no rotation: all that the data leave open is possible
    left = tuple((i, j, *of.ends) for (i, j), of in lines.items())
    turned = Turned(np.eye(k), np.eye(k)[None], np.full(k, np.nan), 0.0, open=left)
    made = _result(data, own, spectra, state, turned, found, kept, lines)
    return replace(made, notes=tuple(unbounded(lines)))


def _poisson(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    k = request.components
    data = fitting.chunked(counts, request.chunk, request.count)
    state = space(counts, data, energy, request, progress)
    of = blur(request.smooth, energy)
    found = replace(linear(counts, data, state), blur=of)
    lines = every_line(found, k)
    given = curves(request, energy, 0.0)
    turned, offset = offset_turn(found, lines, given, energy, request)
    spectra = state.s.copy()
    spectra[:k] = of.made(of.nearest(unit(turned.best @ state.s[:k])))
    back = np.eye(len(spectra))
    back[:k, :k] = np.linalg.inv(turned.best)
    start = passes.turned(state.c, jnp.asarray(back, state.c.dtype))
    own = weighed(data, start, spectra, request)
    result = _result(data, own, spectra, state, turned, found, request, lines)
    told = (*unbounded(lines), *own.notes)
    return replace(result, shift=np.full(k, offset), notes=told)


def parts(data: Chunked, spectra: Array, grid: tuple[int, int] | None) -> Array:
    """Counts of parts of the image, what is expected and its variance, (3, P, M).

    Each part is fitted by weights that may be negative, by the noise of the mean.
    """
    place, count = parted(data, grid)
    seen = np.asarray(passes.summed(data.x, jnp.asarray(place), count))
    made = seen @ projection(spectra, starts.mean_spectrum(seen)) @ spectra
    return np.stack([seen, made, np.maximum(made, 0.0)])


def _result(
    data: Chunked,
    own: Weighed,
    spectra: Array,
    state: State,
    turned: Turned,
    found: Projected,
    request: Factorisation,
    lines: Lines,
) -> Factorised:
    here = parts(data, spectra, request.grid)
    seen = judged(data, own, spectra, here)
    return assembled(seen, spectra, state, turned, found, request, lines)
