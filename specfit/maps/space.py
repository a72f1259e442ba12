"""The space that the spectra of a map span: from counts to a first, rough answer."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, passes, starts
from specfit.maps.blurring import blur
from specfit.maps.fitting import Chunked, Prior, Progress, State
from specfit.maps.found import Array, Factorisation, MapError
from specfit.maps.offsetting import shifted

LEVELS = (2048, 8192)  # sums of pixels that come before all pixels
SLOWER = 0.03  # the steps of what is blurred are so much shorter at the same distance
FIRST_SHARE = 1e-5
"""Of a component's counts that its curve is worth while the space is sought: enough to
keep components apart and in their order, too little to pull the space along."""


def curves(
    request: Factorisation, energy: Array, offset: float | None = None
) -> list[Array | None]:
    """Library curves of unit area that are nowhere quite zero, None where none is.

    Moved to where the offset of the axis is looked for first, or by `offset` eV.
    """
    by = request.offset if offset is None else offset
    if request.library is None:
        return [None] * request.components
    found: list[Array | None] = []
    for row in request.library:
        if np.isnan(row).all():
            found.append(None)
            continue
        curve = shifted(row / row.sum(), energy, by) + 1e-3 / energy.size
        found.append(curve / curve.sum())
    return found


def powers(request: Factorisation, energy: Array) -> Array:
    """Power laws of unit area, (n_backgrounds, n_channels)."""
    if any(request.background) and energy[0] <= 0:
        raise MapError(
            "a background that falls as a power asks for energies above zero"
        )
    above = energy / energy[0] if any(request.background) else np.ones(energy.size)
    rows = [above**-r for r in request.background]
    return np.array([r / r.sum() for r in rows]).reshape(-1, energy.size)


def _prior(
    given: list[Array | None],
    fixed: Array,
    energy: Array,
    total: float,
    request: Factorisation,
) -> Prior:
    """What is said of the spectra; while they are sought the weights have no prior."""
    worth = np.zeros((request.components + len(fixed), energy.size))
    for i, curve in enumerate(given):
        if curve is not None:
            worth[i] = FIRST_SHARE * total / request.components * curve
    return Prior(worth, blur(request.smooth, energy))


def alone(request: Factorisation, energy: Array) -> Array:
    """Channels (M,) of nothing but the background."""
    low, high = request.alone or (np.inf, -np.inf)
    return np.asarray((energy >= low) & (energy <= high))


def first_spectra(
    counts: Array,
    given: list[Array | None],
    fixed: Array,
    window: Array,
    restart: int,
    even: bool = False,
) -> Array:
    """Spectra to start from, (K, M): the library's, else the purest places'.

    None has anything where the background is alone, and expectation-maximisation leaves
    a zero where it is: a spectrum that may hold some of the background cannot be told
    from one that does not.
    """
    mean = starts.mean_spectrum(counts)
    curves = [curve for curve in given if curve is not None]
    law = starts.behind(counts, fixed, window)
    free = len(given) - len(curves)
    known = np.array(curves).reshape(-1, mean.size)
    if law is None and len(fixed):
        known = np.vstack([known, fixed.mean(axis=0)])
    strip = None if law is None else (law, window)
    found = starts.purest(counts, free, restart, known, strip, even) if free else ()
    places = iter(found)
    rows = np.array(
        [next(places) if curve is None else 0.9 * curve + 0.1 * mean for curve in given]
    )
    if law is not None:
        rows[:, window] = 0.0
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _nearer(
    counts: Array, data: Chunked, spectra: Array, prior: Prior, request: Factorisation
) -> State:
    """A start closer by: runs of pixels bring the spectra there at less cost.

    Of 2048 sums first, then of four times as many: each level starts where the one
    before it ended, and asks few passes over more data.
    """
    now, mean = spectra, starts.mean_spectrum(counts)
    for groups in LEVELS:
        if counts.shape[0] < 4 * groups:
            break
        kind = fitting.precision(groups, counts.shape[1])
        few = fitting.chunked(
            starts.pooled(counts, groups, kind), groups, request.count
        )
        now = fitting.fitted(
            few,
            _placed(few, now, mean, prior),
            prior,
            request.components,
            request.iterations,
            _tolerance(request),
        ).s
    return _placed(data, now, mean, prior)


def _tolerance(request: Factorisation) -> float:
    """The angle of a step that is called converged: what is blurred creeps."""
    return request.tolerance * (SLOWER if any(request.smooth) else 1.0)


def _placed(data: Chunked, spectra: Array, mean: Array, prior: Prior) -> State:
    """Weights near to the best for given spectra: the linear ones, and a few steps."""
    kind, made = data.x.dtype, prior.blur.made(spectra)
    by = jnp.asarray(projection(made, mean), kind)
    return State(passes.placed(data.x, by, jnp.asarray(made, kind)), spectra)


def projection(spectra: Array, mean: Array) -> Array:
    """What turns counts into linear weights, (M, K), by the noise of the mean spectrum."""
    weighted = spectra / mean
    return np.asarray(weighted.T @ np.linalg.pinv(weighted @ spectra.T))


def space(
    counts: Array,
    data: Chunked,
    energy: Array,
    request: Factorisation,
    progress: Progress | None,
) -> State:
    """The weights and spectra of the first, rough answer: the space is what counts."""
    given, fixed = curves(request, energy), powers(request, energy)
    window = alone(request, energy)
    total = float(counts.sum(dtype=np.float64)) / request.count
    prior = _prior(given, fixed, energy, total, request)
    best: State | None = None
    # starts differ in the spectra without a curve only
    several = any(curve is None for curve in given)
    for restart in range(max(1, request.restarts) if several else 1):
        spectra = np.concatenate(
            [first_spectra(counts, given, fixed, window, restart), fixed]
        )
        state = fitting.fitted(
            data,
            _nearer(counts, data, spectra, prior, request),
            prior,
            request.components,
            request.iterations,
            _tolerance(request),
            progress,
        )
        if best is None or state.objective[-1] > best.objective[-1]:
            best = state
    assert best is not None
    return replace(best, s=prior.blur.made(best.s))
