"""How well the data know the members of a hierarchy by themselves.

A value that the data fix, drawn in units of its prior, drags its mean and spread along;
one that they leave open falls into the funnel if drawn by itself.  The information of the
counts, Σ (∂μ/∂z)(∂μ/∂z') / μ, says which it is, other unknowns being open as far as their
priors have them: taken at the draws of the prior that are the least unlike the data, as
area and level must be theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Position
from specfit.density.coordinates import Coordinates
from specfit.density.scope import Scope

_TRIED, _TAKEN = 2000, 8
_LEAST = 1e-12  # of information, which is then none
Predict = Callable[[Position, Data], Array]
"""Curves (n_spectra, n_channels) at a position."""


def informed(
    where: Coordinates, predict: Predict, data: Data, draws: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Name → sd, or that of the logarithm where this is measured; powers of two.

    So coarse that like data have like coordinates; the density is the same with any.
    where: coordinates that know nothing of the data yet.
    """
    tried = {name: jnp.asarray(x[:_TRIED]) for name, x in draws.items()}
    counts, mask = jnp.asarray(data["counts"]), jnp.asarray(data["mask"])
    names = [name for one in where.standards for name in one.names]
    above = {n for one in where.standards for n in one.rests_on}
    others = [n for n in where.names if n not in names and n not in above]
    rows = np.array([where.names.index(name) for name in (*names, *others)])
    units = jnp.eye(len(where.names))[rows]
    prior = jnp.diag(jnp.array([0.0] * len(names) + [1.0] * len(others)))

    def expected(z: Array) -> Array:
        return predict({"z": z}, data)

    def unlike(values: Mapping[str, Array]) -> tuple[Array, Array]:
        z = where.backward(values, data)
        curve = expected(z)
        return z, jnp.sum(mask * (counts - curve) ** 2 / curve)

    def information(at: Array) -> Array:
        scope: Scope = where.forward(at, data)[2]
        sizes = [
            jnp.broadcast_to(one.size(scope, at.dtype), len(one.names))
            for one in where.standards
        ]

        def one(unit: Array) -> Array:
            curve, slope = jax.jvp(expected, (at,), (unit,))
            found: Array = (slope * jnp.sqrt(mask / curve)).ravel()
            return found

        slopes = jax.vmap(one)(units)
        whole = slopes @ slopes.T + prior
        k = len(names)
        rest = jnp.linalg.solve(whole[k:, k:], whole[k:, :k])
        left = jnp.diag(whole[:k, :k] - whole[:k, k:] @ rest)
        by_value: Array = left / jnp.concatenate(sizes) ** 2
        return by_value

    z, misfit = jax.jit(jax.vmap(unlike))(tried)
    best = z[np.argsort(np.nan_to_num(misfit, nan=np.inf))[:_TAKEN]]
    known = np.median(jax.jit(jax.vmap(information))(best), axis=0)
    sd = 2.0 ** np.round(-0.5 * np.log2(np.maximum(known, _LEAST)))
    return dict(zip(names, sd.tolist(), strict=True))
