"""Poisson factorisation by expectation-maximisation, accelerated and never falling.

Maximised is  sum_nm [ x_nm log (C S)_nm - (C S)_nm ] + sum_km a_km log S_km
with S_k of unit area and pseudo-counts a_km of the spectra's prior. A smooth spectrum is
held as what it is blurred from. Steps are joined by SQUAREM (Varadhan & Roland, Scand. J.
Stat. 35, 335, 2008, scheme S3); a leap that does not raise the objective is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as Traced
from numpy.typing import NDArray

from specfit.maps import passes
from specfit.maps.blurring import SHARP, Blur
from specfit.maps.found import Array

CACHED = 2**19
"""Numbers of a chunk that the cache of a processor holds: a pass is then fastest."""
SINGLE = 4_000_000
"""Numbers of a map above which it is held in single precision."""
ALIGNED = 64  # bytes
Progress = Callable[[str, int, float], None]


@dataclass(frozen=True)
class Chunked:
    """A map in chunks on the device; `n` pixels, the rest of the last chunk is zero."""

    x: Traced
    n: int

    def flat(self, values: Traced) -> Array:
        """(chunks, n_chunk, …) → (n_pixels, …) in double precision."""
        found = np.asarray(values, np.float64)
        return found.reshape(-1, *found.shape[2:])[: self.n]

    def cut(self, values: Array) -> Traced:
        """(n_pixels, K) → (chunks, n_chunk, K) in double precision, the rest zero."""
        rows, size = self.x.shape[:2]
        full = np.zeros((rows * size, values.shape[1]))
        full[: self.n] = values
        return jnp.asarray(full.reshape(rows, size, -1))


@dataclass(frozen=True)
class Prior:
    """Of spectra: pseudo-counts (L, M) of those like a curve, and which are smooth."""

    counts: Array
    blur: Blur = SHARP

    def angle(self, before: Array, after: Array) -> float:
        """Sine of the largest angle between two sets of spectra, as they are seen."""
        return turned(self.blur.made(before), self.blur.made(after))


@dataclass(frozen=True)
class State:
    """Weights in chunks, spectra (L, M), and how the objective went.

    While they are fitted, spectra are held as what they are blurred from.
    """

    c: Traced
    s: Array
    objective: tuple[float, ...] = ()
    converged: bool = False


def precision(pixels: int, channels: int) -> type:
    """In which a map of that size is held."""
    return np.float32 if pixels * channels > SINGLE else np.float64


def chunked(counts: Array, size: int, count: float = 1.0) -> Chunked:
    """Counts (N, M) as chunks, by what one `count` is; single precision of a large map.

    Counts below 2^24 are exact in single precision, and sums over pixels are taken in
    double precision.
    """
    n, m = counts.shape
    size = max(1, min(size, n, CACHED // m))
    rows = -(-n // size)
    full = _aligned(rows * size, m, precision(n, m))
    full[:n] = counts
    full[n:] = 0.0
    if count != 1.0:
        full /= count
    return Chunked(jax.device_put(full.reshape(rows, size, m)), n)


def _aligned(rows: int, columns: int, kind: type) -> NDArray[Any]:
    """An array that JAX takes over as it is: one elsewhere in memory it would copy."""
    size = rows * columns * np.dtype(kind).itemsize
    raw = np.empty(size + ALIGNED, np.uint8)
    first = -raw.ctypes.data % ALIGNED
    return raw[first : first + size].view(kind).reshape(rows, columns)


def even(data: Chunked, components: int) -> Traced:
    """Every pixel's counts in equal parts, (chunks, n_chunk, K)."""
    total = jnp.sum(data.x, axis=2, keepdims=True) / components
    return jnp.repeat(total, components, axis=2)


def _step(
    data: Chunked, c: Traced, s: Array, prior: Prior, free: int, told: bool = True
) -> tuple[Traced, Array, float]:
    """One step, and the objective before it if told; spectra from row `free` on stay."""
    made = prior.blur.made(s)
    new, growth, fit = passes.em(data.x, c, jnp.asarray(made, data.x.dtype), told)
    logs = np.log(np.maximum(made, 1e-300))
    height = float(fit) + float(np.sum(prior.counts * logs))
    total = s * prior.blur.back(np.asarray(growth)) + prior.counts
    area = np.maximum(total.sum(axis=1, keepdims=True), 1e-300)
    found = np.concatenate([(total / area)[:free], s[free:]])
    return new, found, height


def turned(before: Array, after: Array) -> float:
    """Sine of the largest angle between the spaces of two sets of spectra."""
    a, b = np.linalg.qr(before.T)[0], np.linalg.qr(after.T)[0]
    least = float(np.linalg.svd(a.T @ b, compute_uv=False).min())
    return float(np.sqrt(max(0.0, 1.0 - min(1.0, least) ** 2)))


def leap(a: Array, b: Array, c: Array, length: float) -> Array:
    """Extrapolated from three successive values, never below a tenth of the last."""
    far = a + 2.0 * length * (b - a) + length**2 * (c - 2.0 * b + a)
    return np.asarray(np.maximum(far, 0.1 * c))


def _far(s: tuple[Array, Array, Array], reach: float, free: int) -> Array:
    """Spectra that a leap ends at, of unit area; those from row `free` on stay."""
    found = leap(*s, reach)
    found[:free] /= found[:free].sum(axis=1, keepdims=True)
    found[free:] = s[2][free:]
    return found


@jax.jit
def _leapt(a: Traced, b: Traced, c: Traced, length: float) -> Traced:
    """The same of weights on the device."""
    far = a + 2.0 * length * (b - a) + length**2 * (c - 2.0 * b + a)
    return jnp.maximum(far, 0.1 * c)


def length(s: Sequence[Array]) -> float:
    """How many steps to leap over by three successive values (K, M) of the spectra."""
    first, second = s[1] - s[0], s[2] - 2.0 * s[1] + s[0]
    scale = np.maximum(s[1].mean(axis=0), 1e-300)
    bent = float(np.sum(second**2 / scale))
    return max(1.0, float(np.sqrt(np.sum(first**2 / scale) / max(bent, 1e-300))))


def fitted(
    data: Chunked,
    start: State,
    prior: Prior,
    free: int,
    iterations: int,
    tolerance: float,
    progress: Progress | None = None,
) -> State:
    """The factorisation of greatest posterior near a start.

    Converged: in two cycles running the space of the spectra turned by less than
    `tolerance` per step. Directions within that space along which likelihood hardly
    changes are not waited for; they are settled by `rotation`.
    """
    c0, s0 = start.c, start.s
    heights: list[float] = list(start.objective)
    quiet, longest = 0, 4.0
    for turn in range(max(1, iterations // 3)):
        c1, s1, _ = _step(data, c0, s0, prior, free, told=False)
        c2, s2, h1 = _step(data, c1, s1, prior, free)
        heights.append(h1)
        reach = min(length((s0, s1, s2)), longest)
        far = _far((s0, s1, s2), reach, free)
        c3, s3, h2 = _step(data, _leapt(c0, c1, c2, reach), far, prior, free)
        taken = h2 >= h1
        before = s0
        c0, s0 = (c3, s3) if taken else (c2, s2)
        longest = longest * 2.0 if taken and reach == longest else longest
        longest = longest if taken else max(1.5, longest / 2.0)
        if taken:
            heights.append(h2)
        if progress is not None:
            progress("factorising", turn, heights[-1])
        still = prior.angle(before, s0) < 3.0 * tolerance
        quiet = quiet + 1 if still else 0
        if quiet >= 2:
            break
    return replace(start, c=c0, s=s0, objective=tuple(heights), converged=quiet >= 2)
