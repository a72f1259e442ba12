"""A map of even, known noise: least squares, from numbers to `Factorised`.

Minimised is  sum_nm (x_nm - (C S)_nm)^2 / 2 sd^2  over C, S >= 0 with S_k of unit area:
weights by non-negative least squares, spectra by rounds of the same (hierarchical
alternating least squares, Cichocki & Phan 2009), joined by leaps as in `fitting`. What
the spectra are mixed of is left to `rotation`, as for counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, passes, squares
from specfit.maps.assembling import Seen, assembled, parted
from specfit.maps.blurring import SHARP, Blur, blur
from specfit.maps.feasibility import unit
from specfit.maps.fitting import Chunked, Progress, State, leap, length, turned
from specfit.maps.found import Array, Factorisation, Factorised
from specfit.maps.levels import Law
from specfit.maps.neighbours import roughness
from specfit.maps.projecting import unbounded
from specfit.maps.rotation import Projected, every_line
from specfit.maps.space import alone, curves, first_spectra, powers
from specfit.maps.turning import offset_turn
from specfit.maps.weights import Weighed, evened, settled
from specfit.maps.weights import unbounded as unbounded_by

ROUNDS = 5  # of the spectra between two looks at the map
STEPS = 10  # of a smooth one in each
SURE = 4.0  # standard deviations of all weights of a pixel that holds something
LONGEST = 64.0  # steps that are leapt over at most


@dataclass(frozen=True)
class Fit:
    """Weights in chunks, spectra (L, M), C^T X and C^T C, chi-square / 2, pixels done.

    `latent` (L, M) is what spectra are blurred from, themselves if they are not.
    """

    c: jax.Array
    latent: Array
    s: Array
    seen: Array
    own: Array
    half: float
    done: jax.Array


def gaussian(
    counts: Array, energy: Array, request: Factorisation, progress: Progress | None
) -> Factorised:
    """Spectra, maps and bands of a map whose noise is `request.noise` everywhere."""
    k, sd = request.components, float(request.noise or 1.0)
    data = fitting.chunked(counts, request.chunk)
    state, fit = space(counts, data, energy, request, progress)
    by = blur(request.smooth, energy)
    found = replace(linear(data, fit, sd), blur=by)
    lines = every_line(found, k)
    given = curves(request, energy, 0.0)
    turn, offset = offset_turn(found, lines, given, energy, request)
    spectra = fit.s.copy()
    spectra[:k] = by.made(by.nearest(unit(turn.best @ fit.s[:k])))
    own = weighed(data, fit.c, spectra, sd, request)
    seen = judged(data, own, spectra, sd, request)
    result = assembled(seen, spectra, state, turn, found, request, lines)
    told = (*unbounded(lines), *own.notes)
    return replace(result, shift=np.full(k, offset), notes=told)


def weighed(
    data: Chunked, start: jax.Array, spectra: Array, sd: float, request: Factorisation
) -> Weighed:
    """The weights of greatest posterior for fixed spectra, as `weights.weighed`."""
    s = jnp.asarray(spectra)

    def best(c: jax.Array, law: Law) -> tuple[jax.Array, int]:
        rate = jnp.asarray(law.rate)
        found, done, *_ = squares.fitted(data.x, c, s, jnp.asarray(sd), rate)
        return found, int(np.count_nonzero(data.flat(done) == 0))

    alone = settled(data, start, len(spectra), request, best)
    if request.roughness <= 0:
        return alone
    seen = data.flat(passes.projected(data.x, s.T)) / sd**2 - alone.law.rate
    gram = spectra @ spectra.T / sd**2

    def look(flat: Array) -> tuple[Array, Array, Array]:
        bent = flat @ gram
        height = np.sum(flat * (seen - 0.5 * bent), axis=1)
        return height, seen - bent, np.broadcast_to(gram, (len(flat), *gram.shape))

    return evened(data, alone, look, request)


def _rest(
    data: Chunked, c: jax.Array, latent: Array, by: Blur, sd: float, size: float
) -> Fit:
    """The best weights for fixed spectra, and half of the chi-square."""
    s = by.made(latent)
    none = jnp.zeros(len(s))
    found = squares.fitted(data.x, c, jnp.asarray(s), jnp.asarray(sd), none)
    seen, own = (np.asarray(one) for one in found[2:])
    left = size - 2.0 * np.sum(seen * s) + np.sum(own * (s @ s.T))
    half = float(left) / (2.0 * sd**2)
    return Fit(found[0], latent, s, seen, own, half, found[1])


def space(
    counts: Array,
    data: Chunked,
    energy: Array,
    request: Factorisation,
    progress: Progress | None,
) -> tuple[State, Fit]:
    """The best factorisation of all starts, as `space.space` of counts."""
    given, fixed = curves(request, energy), powers(request, energy)
    window, by = alone(request, energy), blur(request.smooth, energy)
    several = any(curve is None for curve in given)
    best: tuple[State, Fit] | None = None
    for restart in range(max(1, request.restarts) if several else 1):
        held = window if len(fixed) else np.zeros_like(window)
        first = first_spectra(counts, given, fixed, window, restart, even=True)
        first[:, held > 0] = 0.0
        start = np.concatenate([unit(first), fixed])
        one = _alternated(data, start, held, by, request, progress)
        if best is None or one[0].objective[-1] > best[0].objective[-1]:
            best = one
    assert best is not None
    return best


def _alternated(
    data: Chunked,
    start: Array,
    held: Array,
    by: Blur,
    request: Factorisation,
    progress: Progress | None,
) -> tuple[State, Fit]:
    """Converged as in `fitting.fitted`; the objective is minus half the chi-square.

    Channels `held` (M,) are of the background alone: spectra have nothing there.
    """
    sd, size = float(request.noise or 1.0), float(squares.size(data.x))
    free = request.components
    weighed = partial(_rest, data, by=by, sd=sd, size=size)
    now = weighed(jnp.zeros((*data.x.shape[:2], len(start)), data.x.dtype), start)
    heights, quiet = [-now.half], 0
    for cycle in range(max(1, request.iterations // 3)):
        one = weighed(now.c, better(now, free, held, by))
        two = weighed(one.c, better(one, free, held, by))
        heights += [-one.half, -two.half]
        rows = (now.latent[:free], one.latent[:free], two.latent[:free])
        far = leap(*rows, min(length(rows), LONGEST))
        three = weighed(two.c, np.concatenate([unit(far), two.s[free:]]))
        last = three if three.half < two.half else two
        heights.append(-last.half)
        still = turned(now.s, last.s) < 3.0 * request.tolerance
        quiet, now = quiet + 1 if still else 0, last
        if progress is not None:
            progress("factorising", cycle, heights[-1])
        if quiet >= 2:
            break
    state = State(now.c, now.s, tuple(heights), converged=quiet >= 2)
    return state, now


def better(fit: Fit, free: int, held: Array, by: Blur = SHARP) -> Array:
    """Better spectra for fixed weights: rounds of one at a time, of unit area.

    What a smooth one is blurred from takes steps along the slope instead, each no
    longer than never rises.
    """
    s, latent = fit.s.copy(), fit.latent.copy()
    for _ in range(ROUNDS):
        for k in range(free):
            if fit.own[k, k] <= 0.0:
                continue
            kernel = by.of(k)
            for _ in range(1 if kernel is None else STEPS):
                step = (fit.seen[k] - fit.own[k] @ s) / fit.own[k, k]
                if kernel is not None:
                    step = kernel @ step / kernel.sum(axis=0).max()
                new = np.where(held, 0.0, np.maximum(latent[k] + step, 0.0))
                latent[k] = new if new.any() else latent[k]
                s[k] = latent[k] if kernel is None else latent[k] @ kernel
    area = latent[:free].sum(axis=1, keepdims=True)
    return np.concatenate([latent[:free] / np.maximum(area, 1e-300), s[free:]])


def linear(data: Chunked, fit: Fit, sd: float) -> Projected:
    """Linear weights of all pixels, that have one noise, and the spectra's own error."""
    m = fit.s.shape[1]
    weights = data.flat(passes.projected(data.x, jnp.asarray(np.linalg.pinv(fit.s))))
    spread = sd**2 * np.linalg.pinv(fit.s @ fit.s.T)
    covariance = np.broadcast_to(spread, (data.n, *spread.shape))
    # the covariance of two spectra in a channel is `error` times the mean of channels
    error = m * sd**2 * np.linalg.pinv(fit.own)
    return Projected(weights, covariance, fit.s, np.full(m, 1.0 / m), error)


def judged(
    data: Chunked, own: Weighed, spectra: Array, sd: float, request: Factorisation
) -> Seen:
    """What the map looks like under the pure spectra."""
    s, gram, k = jnp.asarray(spectra), spectra @ spectra.T / sd**2, request.components
    free, left, chi = squares.judged(data.x, own.c, s, jnp.asarray(sd))
    weights = data.flat(own.c)
    known = np.broadcast_to(gram, (data.n, *gram.shape))
    shrunk = data.flat(free) - np.linalg.pinv(gram) @ own.law.rate
    rough = None if own.field is None else roughness(own.field, shrunk, known)
    loose, known = unbounded_by(own, shrunk, known)
    place, count = parted(data, request.grid)
    part = place.reshape(-1)[: data.n]
    seen = np.asarray(passes.summed(data.x, jnp.asarray(place), count))
    noise = np.bincount(part, minlength=count)[:, None] * np.full(s.shape[1], sd**2)
    parts = np.stack([seen, seen @ np.linalg.pinv(spectra) @ spectra, noise])
    least = SURE * sd * np.sqrt(np.linalg.pinv(gram * sd**2)[:k, :k].sum())
    residual = np.asarray(left)
    return Seen(
        weights, loose, known, residual, data.flat(chi), parts, least=least, rough=rough
    )
