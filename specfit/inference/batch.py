"""Many spectra of one model, each by itself: mode, Laplace, importance check.

A few pilots, spread over all spectra, are searched without a starting value; their modes
are the starts of the others, which take all modes of the pilot that is most like them.
Of every spectrum importance weights say whether its posterior is the normal that
Laplace's method takes it for.  What is found for a spectrum depends on it and on the
pilots alone, and so neither on its neighbours nor on how the work is shared out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
from scipy.special import gammaln, logsumexp

from specfit.contracts import Data, Fit, FloatArray, Problem
from specfit.inference import evaluate, many
from specfit.inference.backend import layout
from specfit.inference.exchange import Exchange
from specfit.inference.ground import physical
from specfit.inference.laplace import FREEDOM, UNRELIABLE
from specfit.inference.many import Fitted, Starts
from specfit.inference.newton import FLAT
from specfit.inference.pareto import pareto_k
from specfit.inference.pilots import pilot
from specfit.inference.projection import Kernels
from specfit.inference.settings import Settings

IndexArray = np.ndarray[Any, np.dtype[np.intp]]
Look = Callable[..., tuple[FloatArray, FloatArray]]  # `_ratios` of one problem

BLOCK = 128
"""Spectra in one call; the last block is filled up, so that one shape is compiled."""
FEW, SOME, MORE = 64, 256, 1024
"""Draws for the importance weights: of all spectra, of those that look doubtful, of those
that still do."""
TOGETHER = 4
"""Doubtful spectra that are looked at again in one call."""
SHOWN = 256
"""Draws of the normal approximation that rules are judged on."""
CROOKED = 0.5
"""Sd of the log-density about the normal, over the few draws, above which many are taken.
So few draws say nothing of a tail, but how far a density is from a normal shows in all: of
154 posteriors of a doublet with k̂ below 0.5 (8192 draws) 6 % have more than 0.7, of 60
with k̂ above 0.7 every one."""
CERTAIN = 1.0 - 1.0 / np.log10(SOME)
"""Pareto k̂ up to which the weights of so few draws can be relied on (0.58)."""
LOST = 100.0
"""Nats below the highest weight at which a draw has none."""
REACHED = 1e-3
"""Gain (nats) of another step below which a mode counts as reached."""
SEED = 20_260_202


@dataclass(frozen=True)
class Many:
    """The fits of some spectra, the spectrum being the leading axis.

    names: of the columns of `values` and `sd` (n, n_names), in physical units.
    log_evidence: by importance sampling; pareto_k: of its weights.  others: share of the
    evidence that other modes have.  gain: what another step of the ascent would gain
    (nats), infinite where no maximum was reached.  expected: (n, n_spectra, n_channels).
    draws: (n, n_draws, n_names), of the normal approximation.
    """

    names: tuple[str, ...]
    position: FloatArray
    values: FloatArray
    sd: FloatArray
    log_density: FloatArray
    log_evidence: FloatArray
    pareto_k: FloatArray
    others: FloatArray
    gain: FloatArray
    expected: FloatArray
    draws: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def only(self, row: int) -> Many:
        """One row of it."""
        return self.rows(slice(row, row + 1))

    def first(self, count: int) -> Many:
        """The first rows of it."""
        return self.rows(slice(0, count))

    def rows(self, which: slice | IndexArray) -> Many:
        """Some rows of it."""
        parts = {name: v[which] for name, v in vars(self).items() if name != "names"}
        return replace(self, **parts)


@dataclass(frozen=True)
class Fitter:
    """What all spectra of a batch have in common: names of the values, starts, labels."""

    names: tuple[str, ...]
    starts: Starts
    change: Exchange
    settings: Settings

    def fit(self, problem: Problem, data: Data) -> Many:
        """The weightiest mode of at most `BLOCK` spectra, and what lies around it.

        data: `Problem.data` with the spectrum as a leading axis of every leaf; filled up
        with copies of the last, so that one shape is compiled.
        """
        return self._fit(problem, data, self.starts)

    def searched(self, problem: Problem, found: Many) -> Many:
        """The better of what was found and what a search of this spectrum finds.

        Raises NonFiniteStart where the density is finite at no draw of the prior.
        """
        own = pilot(problem, self.settings)
        again = self._again(problem, self.change.folded(own.positions), own.spreads)
        if not again.gain[0] < REACHED:
            return found
        better = again.log_density[0] > found.log_density[0]
        return again if better or not found.gain[0] < REACHED else found

    def relabelled(self, problem: Problem, found: Many) -> Many:
        """One spectrum in the labelling of the batch: fitted from its twin if need be."""
        position = self.change.folded(found.position)
        if (position == found.position).all():
            return found
        twin = self._again(problem, position, np.asarray(self.starts.spread)[0, :1])
        return twin if twin.gain[0] < REACHED else found

    def drawn(self, problem: Problem, fit: Fit) -> Fit:
        """The draws of one spectrum in the labelling of the batch, not in their own."""
        rows = fit.positions.reshape(-1, fit.positions.shape[-1])
        folded = self.change.folded(rows)
        if (folded == rows).all():
            return fit
        positions = folded.reshape(fit.positions.shape)
        return replace(fit, positions=positions, draws=physical(problem, positions))

    def _again(
        self, problem: Problem, positions: FloatArray, spreads: FloatArray
    ) -> Many:
        """One spectrum from modes of its own, in the shapes that are compiled."""
        n_pilots, n_modes = np.shape(self.starts.position)[:2]
        places = np.minimum(np.arange(n_modes), len(positions) - 1)
        mine = Starts(
            np.repeat(positions[None, places], n_pilots, axis=0),
            np.repeat(spreads[None, places], n_pilots, axis=0),
        )
        data = jax.tree.map(lambda x: np.asarray(x)[None], problem.data)
        return self._fit(problem, data, mine)

    def _fit(self, problem: Problem, data: Data, starts: Starts) -> Many:
        count = len(jax.tree.leaves(data)[0])
        places = np.minimum(np.arange(BLOCK), count - 1)
        full = jax.tree.map(lambda x: np.asarray(x)[places], data)
        found = _fit_block(problem, self.names, starts, full).first(count)
        evidence = found.log_evidence + self.change.log_labellings
        return replace(found, log_evidence=evidence)


def _fit_block(
    problem: Problem, names: tuple[str, ...], starts: Starts, data: Data
) -> Many:
    how = layout(BLOCK)
    found: Fitted = jax.device_get(many.fit(Kernels(problem), names, starts, data, how))
    mode = found.mode
    factor, volume = _factors(mode.hessian)
    frames = mode.position, factor
    look = partial(_ratios, problem, names)
    logs, pareto, draws = _weighed(look, (frames, volume, data), problem.dimension)
    slopes = np.einsum("nvd,nde->nve", found.slopes, factor)
    return Many(
        names=names,
        position=mode.position,
        values=found.values,
        sd=np.sqrt(np.sum(slopes**2, axis=2)),
        log_density=mode.log_density,
        log_evidence=logs,
        pareto_k=pareto,
        others=found.others,
        gain=np.where(np.isfinite(volume) & (mode.gain < REACHED), mode.gain, np.inf),
        expected=found.expected,
        draws=draws,
    )


def _weighed(
    look: Look, around: tuple[Any, FloatArray, Data], dimension: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-evidence and Pareto k̂ of each spectrum, and the draws that are shown.

    What looks doubtful on few draws is looked at again with some, on which the distance
    from a normal is sharper, and the tail by the bound that holds for so few (Vehtari et
    al. 2024); what still is doubtful, with many.
    """
    few, draws = look(*around, FEW)
    pareto = np.array([pareto_k(row) for row in few])
    logs = logsumexp(few, axis=1) - np.log(FEW)
    crooked = ~(_crooked(few, dimension) < CROOKED)
    doubtful = np.flatnonzero(crooked | (pareto > UNRELIABLE))
    for rows, ratios in _again(look, around, doubtful, SOME):
        pareto[rows] = [pareto_k(row) for row in ratios]
        logs[rows] = logsumexp(ratios, axis=1) - np.log(SOME)
        crooked[rows] = ~(_crooked(ratios, dimension) < CROOKED)
        crooked[rows] |= pareto[rows] > CERTAIN
    for rows, ratios in _again(look, around, np.flatnonzero(crooked), MORE):
        pareto[rows] = [pareto_k(row) for row in ratios]
        logs[rows] = logsumexp(ratios, axis=1) - np.log(MORE)
    return logs, pareto, draws


def _again(
    look: Look, around: Any, which: IndexArray, count: int
) -> Iterator[tuple[IndexArray, FloatArray]]:
    """The weights of more draws, of some spectra, a few at a time."""
    for rows in _groups(which):
        yield rows, look(*jax.tree.map(lambda x, r=rows: x[r], around), count)[0]


def _crooked(ratios: FloatArray, dimension: int) -> FloatArray:
    """How far densities are from a normal where it has its mass (n,): sd in nats.

    ratios: (n, n_draws), logarithms of the importance weights.
    """
    heavy, logs, _ = _white(dimension, ratios.shape[1])
    normal = -0.5 * np.sum(heavy**2, axis=1) - logs
    weight = np.exp(normal - logsumexp(normal))
    lowest = np.max(ratios, axis=1, keepdims=True) - LOST
    away = np.maximum(ratios, lowest) - normal
    away = away - (away @ weight)[:, None]
    spread: FloatArray = np.sqrt(away**2 @ weight)
    return spread


def _groups(rows: IndexArray) -> list[IndexArray]:
    """Rows by `TOGETHER` or what cores share evenly, filled up: one shape to compile."""
    size = TOGETHER + -TOGETHER % jax.local_device_count()
    full = np.append(rows, np.repeat(rows[-1:], -len(rows) % size))
    return list(full.reshape(-1, size))


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
