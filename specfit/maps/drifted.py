"""A map whose pixels drift along the axis, from counts to `Factorised`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from specfit.maps import fitting, looking, mixing, passes, starts
from specfit.maps.aligning import Aligned, aligned, begun, elsewhere, pixels
from specfit.maps.assembling import Seen, assembled, parted
from specfit.maps.blurring import blur
from specfit.maps.fitting import Chunked, Progress, State
from specfit.maps.found import Array, Factorisation, Factorised
from specfit.maps.knots import REACH
from specfit.maps.placing import widened
from specfit.maps.projecting import together, unbounded, unfinished
from specfit.maps.rotation import Projected, every_line
from specfit.maps.space import curves, space
from specfit.maps.turning import offset_turn

Held = NDArray[np.bool_]
MOST_STEPS = 60  # of weights and drifts for fixed spectra
FEW = 4096  # pixels that spectra of a larger map are learned of
SETTLING = 3  # steps of all pixels then
MORE = 1.3
"""Times the spread that was said of drifts beyond which that is told."""
RISE = 1e-3  # of a pixel's log-posterior, below which it is done


def drifted(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    """Spectra, maps and drifts; their bands hold what the drift leaves unsure."""
    k = request.components
    data, found = followed(counts, energy, request, progress)
    state = State(found.of.c, found.spectra, found.objective, found.converged)
    flat = replace(linear(counts, data, found), blur=blur(request.smooth, energy))
    few = learned(counts)
    part = 1.0 if few is None else few.size / np.count_nonzero(counts.any(axis=1))
    flat = replace(flat, error=flat.error / part)
    lines = every_line(flat, k)
    given = curves(request, energy, 0.0)
    turned, offset = offset_turn(flat, lines, given, energy, request)
    pure, left = weighed(data, turned_by(found, turned.best))
    seen, drift, sd = judged(data, pure, request)
    made = assembled(seen, pure.spectra, state, turned, flat, request, lines)
    empty = seen.weights.sum(axis=1) <= 0
    lost = beyond(data, pure) & ~empty
    drift, sd = np.where(empty, np.nan, drift), np.where(empty | lost, np.nan, sd)
    told = (
        *unbounded(lines),
        *unfinished(left, MOST_STEPS),
        *farther(drift[made.filled], sd[made.filled], request),
        *past(lost, request),
    )
    # of a pixel with the wrong axis nothing is known but that it is somewhere between
    opened = lost[:, None] & (k > 1)
    made = replace(
        made,
        fraction_low=np.where(opened, 0.0, made.fraction_low),
        fraction_high=np.where(opened, 1.0, made.fraction_high),
        shift=np.full(k, offset),
        drift=drift,
        drift_sd=sd,
        notes=told,
    )
    slopes = np.asarray(pure.table().slopes)[pure.knots.none]
    step = pure.knots.step
    return widened(made, slopes, request.drift_sd, step, request.level, part)


def followed(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> tuple[Chunked, Aligned]:
    """The drift of every pixel and the spectra without it, not yet turned."""
    data = fitting.chunked(counts, request.chunk, request.count)
    first = space(counts, data, energy, request, progress)
    start = begun(data, first, energy, request)
    few = learned(counts)
    if few is None:
        return data, aligned(data, start, request, progress)
    some = fitting.chunked(counts[few], request.chunk, request.count)
    own = replace(first, c=some.cut(data.flat(first.c)[few]))
    found = aligned(some, begun(some, own, energy, request), request, progress)
    # only weights and drifts are those of other pixels
    now, _ = elsewhere(data, replace(found, of=start.of))
    for _ in range(SETTLING):
        now, _ = pixels(data, now)
    return data, now


def learned(counts: Array) -> NDArray[np.int64] | None:
    """The pixels that spectra are learned of, None of all."""
    filled = np.flatnonzero(counts.sum(axis=1) > 0)
    if filled.size < 2 * FEW:
        return None
    return np.sort(np.random.default_rng(0).permutation(filled)[:FEW])


def linear(counts: Array, data: Chunked, found: Aligned) -> Projected:
    """Linear weights, each pixel's by spectra at its own drift."""
    mean = starts.mean_spectrum(counts)
    made = looking.projected(
        data.x, found.of.c, found.of.g, found.table(), jnp.asarray(mean)
    )
    weights, covariance = (data.flat(one) for one in made)
    seen = weights.sum(axis=1) * (counts.sum(axis=1) > 0)
    weights = np.where(seen[:, None] > 0, weights, 0.0)
    return together(weights, covariance, found.spectra, mean)


def turned_by(found: Aligned, turn: Array) -> Aligned:
    """With the spectra `turn @ S`, cut at zero and of unit area, and weights to match."""
    k = len(turn)
    own = np.maximum(turn @ found.blur.made(found.coefficients), 0.0)
    coefficients = found.blur.nearest(own)
    back = np.eye(k + len(found.laws))
    back[:k, :k] = np.linalg.inv(turn)
    c = jnp.maximum(found.of.c @ jnp.asarray(back), 0.0)
    tilt = found.of.tilt @ jnp.asarray(back)
    of = replace(found, coefficients=coefficients, of=found.of._replace(c=c, tilt=tilt))
    size = of.spectra[:k].sum(axis=1, keepdims=True)
    return replace(of, coefficients=coefficients / size)


def weighed(data: Chunked, start: Aligned) -> tuple[Aligned, int]:
    """The best weights and drifts for fixed spectra, and how many pixels still rise."""
    # a weight that was cut at zero could not be lifted by expectation-maximisation
    c = start.of.c
    c = jnp.maximum(c, 0.01 * jnp.sum(c, axis=2, keepdims=True))
    now = replace(start, of=start.of._replace(c=c))
    now, _ = elsewhere(data, now)
    heights, left = np.full(data.n, -np.inf), data.n
    for _ in range(MOST_STEPS):
        now, each = pixels(data, now)
        new = data.flat(each)
        left = int(np.count_nonzero(new - heights > RISE))
        heights = new
        if not left:
            break
    return now, left


def farther(drift: Array, sd: Array, request: Factorisation) -> Iterator[str]:
    """Pixels (N,) that drift by more than was said of them, what is unsure with it."""
    spread = float(np.sqrt(np.nanmean(drift**2 + np.nan_to_num(sd) ** 2)))
    if spread > MORE * request.drift_sd:
        yield (
            f"The pixels drift by {spread:.2g} eV, more than the "
            f"{request.drift_sd:.2g} eV that they were said to: they are held back."
        )


def beyond(data: Chunked, pure: Aligned) -> Held:
    """Which pixels (N,) lie at an end of the drifts that are looked at."""
    last = pure.knots.drifts.size - 1
    g = data.flat(pure.of.g)
    return np.asarray((g <= 1) | (g >= last - 1))


def past(lost: Held, request: Factorisation) -> Iterator[str]:
    """Pixels (N,) that may drift beyond all that is looked at."""
    number = int(np.count_nonzero(lost))
    if number:
        drift = "1 pixel drifts" if number == 1 else f"{number} pixels drift"
        yield (
            f"{drift} by {REACH * request.drift_sd:.2g} eV or more, beyond which nothing "
            f"is looked for: the fractions there may be any."
        )


def judged(
    data: Chunked, pure: Aligned, request: Factorisation
) -> tuple[Seen, Array, Array]:
    """What the map looks like, and the drift (N,) with its standard deviation, eV."""
    table = pure.table()
    left, chi = looking.judged(data.x, pure.of.c, pure.of.g, table)
    of = mixing.mixed(data.x, pure.of.c, pure.of.g, table)
    spread = np.nan_to_num(data.flat(of.covariance))
    place, count = parted(data, request.grid)
    part = jnp.asarray(place)
    made = np.asarray(looking.summed(pure.of.c, pure.of.g, table, part, count))
    parts = np.stack([np.asarray(passes.summed(data.x, part, count)), made, made])
    seen = Seen(
        data.flat(pure.of.c),
        data.flat(of.free),
        np.asarray(np.linalg.pinv(spread, hermitian=True)),
        np.asarray(left),
        data.flat(chi),
        parts,
    )
    return seen, data.flat(of.drift), data.flat(of.sd)
