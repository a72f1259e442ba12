"""What a model says of data it has not seen: sampled anew without them, fold by fold.

Each refit begins in the shape of the whole posterior, which is near, so that a short
warm-up does; a fold is other data for the same compiled density.  No weights of the whole
posterior (PSIS) have to stretch for the rows that matter most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import Data, FloatArray, Problem
from specfit.inference import evaluate, keys
from specfit.inference.laplace import Gaussian
from specfit.inference.mixing import ess_bulk, rhat
from specfit.inference.nuts import Chains, Plan, sample
from specfit.inference.obedience import obedient
from specfit.inference.predictions import prediction_program
from specfit.inference.projection import Kernels

CHAINS, WARMUP, DRAWS, TARGET = 2, 200, 500, 0.97
KEY = 9100
"""Folded into the seed's key: other numbers than those of the run."""


_PLAN = Plan(
    windows=(WARMUP,), dense=False, apart=False, draws=DRAWS, target_accept=TARGET,
    chunk=WARMUP + DRAWS, report=lambda done: None,
)  # fmt: skip


@dataclass(frozen=True)
class Fold:
    """The places that are left out, the data without them, and for looking at them."""

    rows: tuple[int, ...]
    learn: Data
    seen: Data


@dataclass(frozen=True)
class LeftOut:
    """Of each datum while it was left out, (n,): mean, 5 and 95 % of new data, log density.

    divergences: of all refits together.  rhat, ess: (n_folds,) of what each predicts.
    """

    mean: FloatArray
    band: FloatArray
    log_density: FloatArray
    divergences: int
    rhat: FloatArray
    ess: FloatArray


def left_out(
    problem: Problem,
    positions: FloatArray,
    folds: Sequence[Fold],
    seed: int,
    tell: Callable[[float], None],
) -> LeftOut:
    """Refits without each fold; positions: draws (n_chains, n_draws, dimension).

    Raises NonFiniteStart where a refit cannot begin, KeyboardInterrupt when stopped: some
    rows alone have no score.
    """
    rows = positions.reshape(-1, positions.shape[-1])
    spread = np.cov(rows.T) + 1e-9 * np.eye(rows.shape[1])
    if problem.whole:  # draws are too few to tell so many correlations
        spread = np.diag(np.diag(spread))
    factor = evaluate.numpy(np.linalg.cholesky(spread))
    shape = Gaussian(rows.mean(axis=0), factor, 0.0, 0)
    n = max(max(fold.rows) for fold in folds) + 1
    mean, band, density = np.empty(n), np.empty((2, n)), np.empty(n)
    divergences, rhats, sizes = 0, [], []
    for number, fold in enumerate(folds):
        key = keys.fold_in(keys.fold_in(keys.seeded(seed), KEY), number)
        own = problem._replace(data=fold.learn)
        chains = _whole(sample(own, shape, key, CHAINS, _PLAN))
        divergences += int(chains.statistics["diverging"].sum())
        chains = obedient(own, chains)
        draws = chains.positions.reshape(-1, rows.shape[1])
        looked = problem._replace(data=fold.seen)
        curves, logs = _seen(looked, draws)
        new = _new(looked, curves, draws, seed + number)
        at = list(fold.rows)
        told = [row.reshape(chains.positions.shape[:2]) for row in curves[:, at].T]
        rhats.append(max(rhat(one) for one in told))
        sizes.append(min(ess_bulk(one) for one in told))
        mean[at] = curves[:, at].mean(axis=0)
        band[:, at] = np.quantile(new[:, at], (0.05, 0.95), axis=0)
        density[at] = logsumexp(logs[:, at], axis=0) - np.log(len(logs))
        tell((number + 1) / len(folds))
    return LeftOut(mean, band, density, divergences, np.array(rhats), np.array(sizes))


def _whole(chains: Chains) -> Chains:
    """The chains, unless the user stopped them."""
    if chains.interrupted:
        raise KeyboardInterrupt
    return chains


def _seen(problem: Problem, draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Curves and log densities of every datum, (n_draws, n)."""
    curves, logs, _ = prediction_program(Kernels(problem), draws, problem.data)
    return evaluate.numpy(curves)[:, 0], evaluate.numpy(logs)[:, 0]


def _new(
    problem: Problem, curves: FloatArray, draws: FloatArray, seed: int
) -> FloatArray:
    """New data about each curve (n_draws, n)."""
    generator = np.random.default_rng([seed, KEY])
    values = evaluate.constrain(problem, draws)
    return np.stack(
        [
            problem.scatter(
                generator,
                curve[None],
                {name: value[i] for name, value in values.items()},
                problem.data,
            )[0]
            for i, curve in enumerate(curves)
        ]
    )
