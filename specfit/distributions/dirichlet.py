"""The Dirichlet density on the simplex: fractions of one whole, `total`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Array, FloatArray
from specfit.distributions.families import Generator, as_arrays
from specfit.distributions.mathematics import JAX
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

FloatLike = Sequence[float] | FloatArray | Array


def log_density(x: Array, concentrations: FloatLike, total: float = 1.0) -> Array:
    """The log density of `x` (n,), which sums to `total`, over its first n − 1 entries.

    That is the measure that the log Jacobian of `bijectors.simplex_forward` belongs to.
    """
    part, power, whole = as_arrays(x, concentrations, total)
    constant = JAX.special.gammaln(jnp.sum(power)) - jnp.sum(JAX.special.gammaln(power))
    value = constant + jnp.sum(JAX.power_log(power - 1.0, part / whole))
    result: Array = value - (power.size - 1) * jnp.log(whole)
    return result


def sample(
    generator: Generator, size: int, concentrations: FloatLike, total: float = 1.0
) -> FloatArray:
    """Draws (size, n) that sum to `total`; imports no JAX.

    A gamma variate of a small shape is formed from its logarithm, so that no row
    underflows to nothing.
    """
    power = np.asarray(concentrations, dtype=float)
    shape = (size, power.size)
    logs = np.log(generator.gamma(power + 1.0, size=shape))
    logs += np.log1p(-generator.uniform(size=shape)) / power
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    draws: FloatArray = total * weights / weights.sum(axis=1, keepdims=True)
    return draws
