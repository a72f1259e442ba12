"""Rules that only a smooth barrier keeps: draws that cross it are dropped.

Inside the rule the density is untouched, so the draws that obey it are draws of the
exact posterior.  All chains are cut to one length, because what comes after works on
rectangular arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.compiled import Program
from specfit.inference.nuts import Chains

LEAST_SHARE = 0.05
"""Share of obedient draws below which the barrier, not the data, is being sampled."""


@Program
def _obeys(holds: Callable[..., Array], z: Array, data: Data) -> Array:
    found: Array = jax.lax.map(lambda x: holds({"z": x}, data), z)
    return found


def held_start(problem: Problem, wanted: FloatArray, others: FloatArray) -> FloatArray:
    """The position `wanted`, or where it breaks a rule, the likeliest of `others` (n, d)."""
    if problem.holds is None:
        return wanted
    rows = np.concatenate([wanted[None], others])
    good = np.asarray(_obeys(problem.holds, rows, problem.data))
    if good[0] or not good.any():
        return wanted
    kept = rows[good]
    heights = evaluate.log_densities(problem, kept)
    best: FloatArray = kept[int(np.argmax(np.nan_to_num(heights, nan=-np.inf)))]
    return best


def obedient(problem: Problem, chains: Chains) -> Chains:
    """The draws that obey every rule; the chains as they are where all do."""
    if problem.holds is None:
        return chains
    n_chains, n_draws, dimension = chains.positions.shape
    flat = chains.positions.reshape(-1, dimension)
    good = np.asarray(_obeys(problem.holds, flat, problem.data))
    good = good.reshape(n_chains, n_draws)
    kept = int(good.sum(axis=1).min())
    if good.all() or kept < LEAST_SHARE * n_draws:
        return _noted(chains, good)
    picked = [np.flatnonzero(row)[:kept] for row in good]

    def cut(array: FloatArray) -> FloatArray:
        return np.stack([a[p] for a, p in zip(array, picked, strict=True)])

    cropped = {name: cut(values) for name, values in chains.statistics.items()}
    return _noted(
        replace(chains, positions=cut(chains.positions), statistics=cropped), good
    )


def _noted(chains: Chains, good: FloatArray) -> Chains:
    share = float(good.mean())
    if share == 1.0:
        return chains
    note = f"{100 * share:.1f} % of the draws obey the rules that only a barrier keeps"
    if share < LEAST_SHARE:
        note += ": too few, and they were not filtered"
    else:
        note += "; the others were dropped"
    return replace(chains, notes=(*chains.notes, note))
