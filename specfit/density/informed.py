"""How well the data know the members of a hierarchy by themselves.

A value that the data fix, drawn in units of its prior, drags its mean and spread along;
one that they leave open falls into the funnel if drawn by itself.  The information of the
counts, Σ (∂μ/∂z)(∂μ/∂z') / μ, says which it is, other unknowns being open as far as their
priors have them: taken at the draws of the prior that are the least unlike the data, as
area and level must be theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Position
from specfit.density.coordinates import Coordinates
from specfit.density.scope import Scope

_TRIED, _TAKEN = 2000, 8
_FIXED = 8.0  # times its own sd: a prior so wide lets a value be drawn by itself
_LEAST = 1e-12  # of information, which is then none
Predict = Callable[[Position, Data], Array]
"""Curves (n_spectra, n_channels) at a position."""


def informed(
    where: Coordinates,
    predict: Predict,
    data: Data,
    draws: Mapping[str, FloatArray],
    variance: Predict | None = None,
) -> dict[str, float]:
    """Name → sd, or that of the logarithm where this is measured; powers of two.

    Without those that the data fix far better than the prior.  So coarse that like data
    have like coordinates; the density is the same with any.
    where: coordinates that know nothing of the data yet.  variance: of each datum, where
    it is not that of counts.
    """
    names = [name for one in where.standards for name in one.names]
    variance = variance or predict
    z = _likeliest(where, (predict, variance), data, draws)
    about = jax.jit(jax.vmap(_information(where, (predict, variance), data, names)))
    known = np.median(about(z), axis=0)
    sd = 2.0 ** np.round(-0.5 * np.log2(np.maximum(known, _LEAST)))
    prior = np.median(jax.vmap(lambda at: _sizes(where, at, data))(z), axis=0)
    every = zip(names, sd.tolist(), prior.tolist(), strict=True)
    return {name: own for name, own, size in every if size < _FIXED * own}


def _likeliest(
    where: Coordinates,
    both: tuple[Predict, Predict],
    data: Data,
    draws: Mapping[str, FloatArray],
) -> Array:
    """Coordinates (n, n_unknowns) of the draws whose curves are nearest to the counts."""
    tried = {name: jnp.asarray(x[:_TRIED]) for name, x in draws.items()}
    counts, mask = jnp.asarray(data["counts"]), jnp.asarray(data["mask"])

    def unlike(values: Mapping[str, Array]) -> tuple[Array, Array]:
        z = where.backward(values, data)
        curve, spread = (of({"z": z}, data) for of in both)
        return z, jnp.sum(mask * (counts - curve) ** 2 / spread)

    z, misfit = jax.jit(jax.vmap(unlike))(tried)
    best: Array = z[np.argsort(np.nan_to_num(misfit, nan=np.inf))[:_TAKEN]]
    return best


def _information(
    where: Coordinates, both: tuple[Predict, Predict], data: Data, names: Sequence[str]
) -> Callable[[Array], Array]:
    """What the counts say of each of `names` at z, mean and spread being known."""
    above = {n for one in where.standards for n in one.rests_on}
    others = [n for n in where.names if n not in names and n not in above]
    rows = np.array([where.names.index(name) for name in (*names, *others)])
    units = jnp.eye(len(where.names))[rows]
    k, mask = len(names), jnp.asarray(data["mask"])
    prior = jnp.diag(jnp.array([0.0] * k + [1.0] * len(others)))

    def about(at: Array) -> Array:
        spread = both[1]({"z": at}, data)

        def one(unit: Array) -> Array:
            _, slope = jax.jvp(lambda z: both[0]({"z": z}, data), (at,), (unit,))
            found: Array = (slope * jnp.sqrt(mask / spread)).ravel()
            return found

        slopes = jax.vmap(one)(units)
        whole = slopes @ slopes.T + prior
        rest = jnp.linalg.solve(whole[k:, k:], whole[k:, :k])
        left = jnp.diag(whole[:k, :k] - whole[:k, k:] @ rest)
        by_value: Array = left / _sizes(where, at, data) ** 2
        return by_value

    return about


def _sizes(where: Coordinates, at: Array, data: Data) -> Array:
    """The unit of z of each member."""
    scope: Scope = where.forward(at, data)[2]
    parts = [
        jnp.broadcast_to(one.size(scope, at.dtype), len(one.names))
        for one in where.standards
    ]
    return jnp.concatenate(parts)
