"""The weights of every pixel for fixed spectra, under all that is said of weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array as Traced
from numpy.typing import NDArray

from specfit.maps import levels, neighbours, passes, weighing
from specfit.maps.assembling import Seen
from specfit.maps.fitting import Chunked
from specfit.maps.found import Array, Factorisation
from specfit.maps.levels import Law
from specfit.maps.neighbours import Field, Look
from specfit.maps.projecting import unfinished

MOST_STEPS = 60  # three times what was ever needed


@dataclass(frozen=True)
class Weighed:
    """Weights in chunks, the law that they are drawn by, and pixels that still rise."""

    c: Traced
    law: Law
    left: int
    field: Field | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of them."""
        steps = MOST_STEPS if self.field is None else neighbours.STEPS
        return tuple(unfinished(self.left, steps))


def weighed(
    data: Chunked, start: Traced, spectra: Array, request: Factorisation
) -> Weighed:
    """The weights of greatest posterior for counts, from weights to start from."""
    s = jnp.asarray(spectra, data.x.dtype)

    def best(c: Traced, law: Law) -> tuple[Traced, int]:
        found, done = weighing.weights(data.x, c, s, *law, MOST_STEPS)
        return found, int(np.count_nonzero(data.flat(done) == 0))

    alone = settled(data, start, len(spectra), request, best)
    if request.roughness <= 0:
        return alone

    def look(flat: Array) -> tuple[Array, Array, Array]:
        at = data.cut(flat), jnp.asarray(spectra)
        found = weighing.sloped(data.x, *at, *alone.law)
        height, slope, curve = (data.flat(one) for one in found)
        return height, slope, curve

    return evened(data, alone, look, request)


def settled(
    data: Chunked,
    c: Traced,
    size: int,
    request: Factorisation,
    best: Callable[[Traced, Law], tuple[Traced, int]],
) -> Weighed:
    """The best weights and the law that they are drawn by, by turns, from weights `c`."""
    law = levels.free(size)
    if request.levels is None:
        c, left = best(c, law)
        return Weighed(c, law, left)
    for _ in range(levels.ROUNDS):
        own = data.flat(c)[:, : request.components]
        last, law = law, levels.learned(own, request.levels, size)
        if np.allclose(law.rate, last.rate, rtol=levels.MOVED):
            break
        c, left = best(c, law)
    return Weighed(c, law, left)


def evened(
    data: Chunked,
    alone: Weighed,
    look: Look,
    request: Factorisation,
) -> Weighed:
    """The same with neighbours held together, by the weights of each pixel alone."""
    c = data.flat(alone.c)
    of = field(c, request)
    least = np.where(alone.law.gain > 0, 0.1, 0.0)
    flat, left = neighbours.evened(look, c, of, least)
    return Weighed(data.cut(flat).astype(alone.c.dtype), alone.law, left, of)


def field(weights: Array, request: Factorisation) -> Field:
    """How stiffly neighbours are held together, by weights (N, L) of each pixel alone."""
    total = weights[:, : request.components].sum(axis=1)
    filled: NDArray[np.bool_] = total > 0
    stiff = np.zeros(weights.shape[1])
    if filled.any():
        spread = request.roughness * float(total[filled].mean())
        stiff[: request.components] = 1.0 / spread**2
    return neighbours.field(filled, request.grid, stiff)


def unbounded(of: Weighed, free: Array, known: Array) -> tuple[Array, Array]:
    """Weights (N, L) that may be negative and their information, with neighbours.

    `free` and `known` (N, L, L) are those of each pixel alone.
    """
    if of.field is None:
        return free, known
    every = np.ones(free.shape, bool)
    right = np.einsum("nkl,nl->nk", known, free)[..., None]
    held = neighbours.solved(of.field, known, right, every)[..., 0]
    covariance = neighbours.spread(of.field, known)
    return held, np.asarray(np.linalg.pinv(covariance, hermitian=True))


def judged(data: Chunked, of: Weighed, spectra: Array, parts: Array) -> Seen:
    """What the map looks like under these spectra and weights; `parts` of the image."""
    law = (jnp.asarray(one) for one in of.law)
    free, known, chi, told = passes.judged(data.x, of.c, jnp.asarray(spectra), *law)
    alone, each = data.flat(free), data.flat(known)
    loose, sure = unbounded(of, alone, each)
    rough = None if of.field is None else neighbours.roughness(of.field, alone, each)
    left = (parts[0] - parts[1]).sum(axis=0)
    flat = (data.flat(one) for one in (chi, told))
    chi_square, channels = flat
    own = data.flat(of.c)
    return Seen(own, loose, sure, left, chi_square, parts, channels, rough=rough)
