"""Whether chains agree and how much they say: R-hat, effective sizes, E-BFMI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.evaluate import numpy

CONSTANT = 1e-10
"""Spread relative to size below which draws are one number up to rounding."""


@dataclass(frozen=True)
class Mixing:
    """Per quantity: rank-normalised split R-hat, bulk and tail effective sizes.

    NaN where the quantity does not vary, or where there are too few draws; `varying`
    names the others.
    """

    rhat: dict[str, float]
    ess_bulk: dict[str, float]
    ess_tail: dict[str, float]
    varying: tuple[str, ...]


def varies(draws: FloatArray) -> bool:
    """Whether draws (n_chains, n_draws) are more than one number with rounding."""
    size = np.max(np.abs(draws))
    return bool(np.ptp(draws) > CONSTANT * size) if np.isfinite(size) else True


def mixing(draws: Mapping[str, FloatArray]) -> Mixing:
    """R-hat and effective sizes of every quantity (n_chains, n_draws).

    Source: Vehtari et al. 2021, doi:10.1214/20-BA1221, as BlackJAX computes them.
    """
    n_draws = min(d.shape[1] for d in draws.values())
    names = [n for n, d in draws.items() if varies(d) and n_draws >= 4]
    blank = dict.fromkeys(draws, float("nan"))
    if not names:
        return Mixing(blank, dict(blank), dict(blank), ())
    stack = np.stack([draws[name] for name in names])
    figures = (numpy(row) for row in _figures(stack))
    rows = [blank | dict(zip(names, map(float, f), strict=True)) for f in figures]
    return Mixing(*rows, tuple(names))


@jax.jit
def _figures(stack: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    from blackjax.diagnostics import ess_bulk, ess_tail, rhat

    def one(draws: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        split = draws.shape[0] > 1
        ratio = rhat(draws) if split else jnp.nan * draws[0, 0]
        return ratio, ess_bulk(draws), ess_tail(draws)

    figures: tuple[jax.Array, jax.Array, jax.Array] = jax.lax.map(one, stack)
    return figures


def energy_fraction(energy: FloatArray) -> FloatArray:
    """E-BFMI of each chain: how well momentum refreshment explores the energy.

    energy: (n_chains, n_draws).  Source: Betancourt 2016, arXiv:1604.00695.
    """
    spread = np.var(energy, axis=1)
    change = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
    fraction: FloatArray = np.where(
        spread > 0.0, change / np.where(spread > 0.0, spread, 1.0), 0.0
    )
    return fraction
