"""Many spectra of one model, each by itself: mode, Laplace, importance check.

A few pilots, spread over all spectra, are searched without a starting value; their modes
are the starts of the others.  A spectrum that fits worse than the pilots is searched by
itself.  Of every spectrum importance weights say whether its posterior is the normal
that Laplace's method takes it for.  What is found for a spectrum depends on it and on the
pilots alone, and so neither on its neighbours nor on how the work is shared out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from scipy.special import gammaln, logsumexp

from specfit.contracts import Data, FloatArray, Problem
from specfit.inference import evaluate, many
from specfit.inference.backend import layout
from specfit.inference.laplace import FREEDOM, evidence, gaussian
from specfit.inference.many import Fitted, Starts
from specfit.inference.newton import FLAT
from specfit.inference.pareto import pareto_k
from specfit.inference.projection import Kernels
from specfit.inference.search import search
from specfit.inference.settings import Settings

IndexArray = np.ndarray[Any, np.dtype[np.intp]]

BLOCK = 128
"""Spectra in one call; the last block is filled up, so that one shape is compiled."""
FEW, MORE = 64, 1024
"""Draws for the importance weights: of all spectra, of those that look doubtful."""
TOGETHER = 8
"""Doubtful spectra that are looked at again in one call."""
SHOWN = 64
"""Draws of the normal approximation that rules are judged on."""
DOUBTFUL = 0.6
"""Pareto k̂ of the few draws above which many are taken."""
PILOTS = 5
CARRIED = 1e-2
"""Weight of a mode of a pilot that makes it a start."""
SLACK = 2.0
"""A misfit may exceed that of the worst pilot by this factor before it is searched."""
REACHED = 1e-3
"""Gain (nats) of another step below which a mode counts as reached."""
SEED = 20_260_202


@dataclass(frozen=True)
class Pilot:
    """What a search of one spectrum found: positions of its modes and their shapes."""

    positions: FloatArray  # (n_modes, dimension)
    spreads: FloatArray  # (n_modes, dimension, dimension), covariances
    excess: float  # of χ² over its degrees of freedom, in their standard deviations

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Pilot:
        """A pilot from its arrays, as a journal keeps them."""
        excess = float(arrays["excess"])
        return cls(arrays["positions"], arrays["spreads"], excess)


@dataclass(frozen=True)
class Many:
    """The fits of some spectra, the spectrum being the leading axis.

    names: of the columns of `values` and `sd` (n, n_names), in physical units.
    log_evidence: by importance sampling; pareto_k: of its weights.  gain: what another
    step of the ascent would gain (nats).  expected: (n, n_spectra, n_channels).
    draws: (n, n_draws, n_names), of the normal approximation.
    """

    names: tuple[str, ...]
    position: FloatArray
    values: FloatArray
    sd: FloatArray
    log_density: FloatArray
    log_evidence: FloatArray
    pareto_k: FloatArray
    gain: FloatArray
    expected: FloatArray
    draws: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def only(self, row: int) -> Many:
        """One row of it."""
        return self._rows(slice(row, row + 1))

    def first(self, count: int) -> Many:
        """The first rows of it."""
        return self._rows(slice(0, count))

    def _rows(self, which: slice) -> Many:
        parts = {name: v[which] for name, v in vars(self).items() if name != "names"}
        return replace(self, **parts)


def pilot(problem: Problem, settings: Settings) -> Pilot:
    """Search one spectrum; its modes of more than `CARRIED` of the evidence.

    Raises NonFiniteStart where the density is finite at no draw of the prior.
    """
    keys = jax.random.split(jax.random.key(settings.seed), 2)
    found = search(problem, keys[0], settings)
    shapes = [gaussian(peak) for peak in found.peaks]
    shares = evidence(problem, shapes, keys[1]).shares
    kept = [s for s, share in zip(shapes, shares, strict=True) if share > CARRIED]
    best = shapes[int(np.argmax(shares))]
    return Pilot(
        np.stack([shape.mean for shape in kept]),
        np.stack([shape.factor @ shape.factor.T for shape in kept]),
        excess(problem, expected_at(problem, best.mean), problem.data),
    )


def expected_at(problem: Problem, z: FloatArray) -> FloatArray:
    """Expected counts at one position."""
    return evaluate.numpy(problem.predict({"z": jax.numpy.asarray(z)}, problem.data))


def excess(problem: Problem, expected: FloatArray, data: Data) -> float:
    """How far Pearson's χ² lies above its degrees of freedom, in standard deviations."""
    chi2, freedom = misfit(problem, expected, data)
    return (chi2 - freedom) / float(np.sqrt(2.0 * freedom))


def misfit(problem: Problem, expected: FloatArray, data: Data) -> tuple[float, int]:
    """Pearson's χ² of the channels that count, and its degrees of freedom."""
    mask = np.asarray(data["mask"]) > 0.0
    counts = np.asarray(data["counts"])[mask]
    mean = np.maximum(expected[mask], 1e-12)
    freedom = max(1, counts.size - problem.dimension)
    return float(np.sum((counts - mean) ** 2 / mean)), freedom


def bound(pilots: Sequence[Pilot]) -> float:
    """The misfit above which a spectrum is searched by itself, in standard deviations.

    What a pilot could not fit after a search of its own, no search will.
    """
    return max(4.0, SLACK * max(one.excess for one in pilots))


def again(problem: Problem, names: tuple[str, ...], own: Pilot, starts: Starts) -> Many:
    """One spectrum from its own modes; shapes are those of `starts`, as compiled."""
    count = len(starts.position)
    places = np.arange(count) % len(own.positions)
    mine = Starts(own.positions[places], own.spreads[places])
    data = jax.tree.map(lambda x: np.asarray(x)[None], problem.data)
    return fit(problem, names, mine, data)


def starts_of(pilots: Sequence[Pilot]) -> Starts:
    """The modes of all pilots, one for those that lie close together."""
    positions = np.concatenate([one.positions for one in pilots])
    spreads = np.concatenate([one.spreads for one in pilots])
    whitened = np.linalg.inv(np.linalg.cholesky(spreads))
    kept: list[int] = []
    for i in range(len(positions)):
        apart = [whitened[j] @ (positions[i] - positions[j]) for j in kept]
        if all(float(np.linalg.norm(far)) > CLOSE for far in apart):
            kept.append(i)
    return Starts(positions[kept], spreads[kept])


CLOSE = 3.0
"""Distance in standard deviations within which one mode is start enough for two."""


def fit(problem: Problem, names: tuple[str, ...], starts: Starts, data: Data) -> Many:
    """The mode of at most `BLOCK` spectra and what Laplace's method makes of it.

    data: `Problem.data` with the spectrum as a leading axis of every leaf; filled up with
    copies of the last, so that one shape is compiled.
    """
    count = len(jax.tree.leaves(data)[0])
    places = np.minimum(np.arange(BLOCK), count - 1)
    full = jax.tree.map(lambda x: np.asarray(x)[places], data)
    return _fit_block(problem, names, starts, full).first(count)


def _fit_block(
    problem: Problem, names: tuple[str, ...], starts: Starts, data: Data
) -> Many:
    how = layout(BLOCK)
    found: Fitted = jax.device_get(many.fit(Kernels(problem), names, starts, data, how))
    factor, volume = _factors(found.hessian)
    frames = found.position, factor
    few, draws = _ratios(problem, names, frames, volume, data, FEW)
    pareto = np.array([pareto_k(row) for row in few])
    logs = logsumexp(few, axis=1) - np.log(FEW)
    for rows in _groups(np.flatnonzero(~(pareto <= DOUBTFUL))):
        mine, size, own = jax.tree.map(
            lambda x, rows=rows: x[rows], (frames, volume, data)
        )
        more = _ratios(problem, names, mine, size, own, MORE)[0]
        pareto[rows] = [pareto_k(row) for row in more]
        logs[rows] = logsumexp(more, axis=1) - np.log(MORE)
    slopes = np.einsum("nvd,nde->nve", found.slopes, factor)
    return Many(
        names=names,
        position=found.position,
        values=found.values,
        sd=np.sqrt(np.sum(slopes**2, axis=2)),
        log_density=found.log_density,
        log_evidence=logs,
        pareto_k=pareto,
        gain=np.where(np.isfinite(volume), found.gain, np.inf),
        expected=found.expected,
        draws=draws,
    )


def _groups(rows: IndexArray) -> list[IndexArray]:
    """Rows by `TOGETHER`, the last group filled up with its last: one shape to compile."""
    full = np.append(rows, np.repeat(rows[-1:], -len(rows) % TOGETHER))
    return list(full.reshape(-1, TOGETHER))


def _factors(hessians: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Square roots of the covariances, and the logarithms of their determinants.

    NaN in the latter where a curvature is not positive: that is no maximum.
    """
    clean = np.where(np.isfinite(hessians), hessians, 0.0)
    diagonal = np.abs(np.diagonal(clean, axis1=1, axis2=2))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(clean * scale[:, :, None] * scale[:, None, :])
    stiff = np.maximum(values, FLAT)
    factor = scale[:, :, None] * vectors / np.sqrt(stiff)[:, None, :]
    volume = np.sum(np.log(scale), axis=1) - 0.5 * np.sum(np.log(stiff), axis=1)
    return factor, np.where(values.min(axis=1) > FLAT, volume, np.nan)


@lru_cache(maxsize=8)
def _white(dimension: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draws (count, dimension) of a Student-t, the same for all spectra, and their logs.

    And normal draws (SHOWN, dimension), in pairs of opposite sign, so that their mean is
    the mode.
    """
    generator = np.random.default_rng([SEED, dimension, count])
    normal = generator.standard_normal((count, dimension))
    heavy = normal / np.sqrt(generator.chisquare(FREEDOM, (count, 1)) / FREEDOM)
    constant = (
        gammaln(0.5 * (FREEDOM + dimension))
        - gammaln(0.5 * FREEDOM)
        - 0.5 * dimension * np.log(FREEDOM * np.pi)
    )
    distance = np.sum(heavy**2, axis=1)
    tail = 0.5 * (FREEDOM + dimension) * np.log1p(distance / FREEDOM)
    half = generator.standard_normal((SHOWN // 2, dimension))
    return heavy, constant - tail, np.concatenate([half, -half])


def _ratios(
    problem: Problem,
    names: tuple[str, ...],
    frames: tuple[FloatArray, FloatArray],
    volume: FloatArray,
    data: Data,
    count: int,
) -> tuple[FloatArray, FloatArray]:
    """Logarithms of the importance weights (n, count), values at the normal draws."""
    heavy, logs, normal = _white(problem.dimension, count)
    how = layout(len(volume))
    kernels = Kernels(problem)
    found = many.weigh(kernels, names, frames, (heavy, normal), data, how)
    heights, draws = (evaluate.numpy(part) for part in found)
    ratios = heights - logs + volume[:, None]
    return np.where(np.isfinite(ratios), ratios, -np.inf), draws
