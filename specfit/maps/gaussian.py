"""A map of even, known noise: least squares, from numbers to `Factorised`.

Minimised is  sum_nm (x_nm - (C S)_nm)^2 / 2 sd^2  over C, S >= 0 with S_k of unit area:
weights by non-negative least squares, spectra by rounds of the same (hierarchical
alternating least squares, Cichocki & Phan 2009), joined by leaps as in `fitting`. What
the spectra are mixed of is left to `rotation`, as for counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from specfit.maps import fitting, passes, squares
from specfit.maps.assembling import Seen, assembled, parted
from specfit.maps.feasibility import unit
from specfit.maps.fitting import Chunked, Progress, State, leap, length, turned
from specfit.maps.found import Array, Factorisation, Factorised
from specfit.maps.projecting import unbounded, unfinished
from specfit.maps.rotation import Projected, every_line
from specfit.maps.space import alone, curves, first_spectra, powers
from specfit.maps.turning import offset_turn

ROUNDS = 5  # of the spectra between two looks at the map
LONGEST = 64.0  # steps that are leapt over at most


@dataclass(frozen=True)
class Fit:
    """Weights in chunks, spectra (L, M), C^T X and C^T C, chi-square / 2, pixels done."""

    c: jax.Array
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
    found = linear(data, fit, sd)
    lines = every_line(found, k)
    given = curves(request, counts.shape[1])
    turn, offset = offset_turn(found, lines, given, energy, request)
    spectra = fit.s.copy()
    spectra[:k] = unit(turn.best @ fit.s[:k])
    pure = weighed(data, fit.c, spectra, sd, float(squares.size(data.x)))
    seen = judged(data, pure, sd, request)
    result = assembled(seen, spectra, state, turn, found, request, lines)
    left = int(np.count_nonzero(data.flat(pure.done) == 0))
    told = (*unbounded(lines), *unfinished(left, squares.STEPS))
    return replace(result, shift=np.full(k, offset), notes=told)


def weighed(data: Chunked, c: jax.Array, s: Array, sd: float, size: float) -> Fit:
    """The best weights for fixed spectra, and half of the chi-square."""
    found = squares.fitted(data.x, c, jnp.asarray(s), jnp.asarray(sd))
    seen, own = (np.asarray(one) for one in found[2:])
    left = size - 2.0 * np.sum(seen * s) + np.sum(own * (s @ s.T))
    return Fit(found[0], s, seen, own, float(left) / (2.0 * sd**2), found[1])


def space(
    counts: Array,
    data: Chunked,
    energy: Array,
    request: Factorisation,
    progress: Progress | None,
) -> tuple[State, Fit]:
    """The best factorisation of all starts, as `space.space` of counts."""
    given, fixed = curves(request, counts.shape[1]), powers(request, energy)
    window = alone(request, energy)
    several = any(curve is None for curve in given)
    best: tuple[State, Fit] | None = None
    for restart in range(max(1, request.restarts) if several else 1):
        held = window if len(fixed) else np.zeros_like(window)
        first = first_spectra(counts, given, fixed, window, restart, even=True)
        first[:, held > 0] = 0.0
        start = np.concatenate([unit(first), fixed])
        one = _alternated(data, start, held, request, progress)
        if best is None or one[0].objective[-1] > best[0].objective[-1]:
            best = one
    assert best is not None
    return best


def _alternated(
    data: Chunked,
    start: Array,
    held: Array,
    request: Factorisation,
    progress: Progress | None,
) -> tuple[State, Fit]:
    """Converged as in `fitting.fitted`; the objective is minus half the chi-square.

    Channels `held` (M,) are of the background alone: spectra have nothing there.
    """
    sd, size = float(request.noise or 1.0), float(squares.size(data.x))
    free = request.components
    c = jnp.zeros((*data.x.shape[:2], len(start)), data.x.dtype)
    now = weighed(data, c, start, sd, size)
    heights, quiet = [-now.half], 0
    for cycle in range(max(1, request.iterations // 3)):
        one = weighed(data, now.c, better(now, free, held), sd, size)
        two = weighed(data, one.c, better(one, free, held), sd, size)
        heights += [-one.half, -two.half]
        rows = (now.s[:free], one.s[:free], two.s[:free])
        far = np.asarray(leap(*rows, min(length(rows), LONGEST)))
        tried = np.concatenate([unit(far), two.s[free:]])
        three = weighed(data, two.c, tried, sd, size)
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


def better(fit: Fit, free: int, held: Array) -> Array:
    """Better spectra for fixed weights: rounds of one at a time, of unit area."""
    s = fit.s.copy()
    for _ in range(ROUNDS):
        for k in range(free):
            if fit.own[k, k] <= 0.0:
                continue
            slope = fit.seen[k] - fit.own[k] @ s
            new = np.maximum(s[k] + slope / fit.own[k, k], 0.0)
            new = np.where(held, 0.0, new)
            s[k] = new if new.any() else s[k]
    area = s[:free].sum(axis=1, keepdims=True)
    return np.concatenate([s[:free] / np.maximum(area, 1e-300), s[free:]])


def linear(data: Chunked, fit: Fit, sd: float) -> Projected:
    """Linear weights of all pixels, that have one noise, and the spectra's own error."""
    m = fit.s.shape[1]
    weights = data.flat(passes.projected(data.x, jnp.asarray(np.linalg.pinv(fit.s))))
    spread = sd**2 * np.linalg.pinv(fit.s @ fit.s.T)
    covariance = np.broadcast_to(spread, (data.n, *spread.shape))
    # the covariance of two spectra in a channel is `error` times the mean of channels
    error = m * sd**2 * np.linalg.pinv(fit.own)
    return Projected(weights, covariance, fit.s, np.full(m, 1.0 / m), error)


def judged(data: Chunked, pure: Fit, sd: float, request: Factorisation) -> Seen:
    """What the map looks like under the pure spectra."""
    s = jnp.asarray(pure.s)
    free, left, chi = squares.judged(data.x, pure.c, s, jnp.asarray(sd))
    weights = data.flat(pure.c)
    known = np.broadcast_to(pure.s @ pure.s.T / sd**2, (data.n, len(s), len(s)))
    place, count = parted(data, request.grid)
    part = place.reshape(-1)[: data.n]
    held = np.zeros((count, weights.shape[1]))
    np.add.at(held, part, weights)
    seen = np.asarray(passes.summed(data.x, jnp.asarray(place), count))
    noise = np.bincount(part, minlength=count)[:, None] * np.full(s.shape[1], sd**2)
    parts = np.stack([seen, held @ pure.s, noise])
    return Seen(
        weights, data.flat(free), known, np.asarray(left), data.flat(chi), parts
    )
