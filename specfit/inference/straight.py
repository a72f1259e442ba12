"""A curved posterior in the coordinates that straighten it, for the samplers.

The map is an argument of the density, so that a second spectrum compiles nothing anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, Problem
from specfit.inference.bend import KNOTS, Bend
from specfit.inference.evaluate import Density
from specfit.inference.laplace import Gaussian
from specfit.inference.nuts import Chains, Plan, sample
from specfit.inference.transport import FAR, Transport

MAP = "straight coordinates"


def straightened(problem: Problem, shape: Gaussian, bend: Bend) -> Problem:
    """The density, and its terms, of the problem in the coordinates of the shape."""
    arrays: dict[str, Any] = {
        "mean": shape.mean,
        "basis": bend.basis,
        "third": bend.third,
        "valley": bend.spline.c,
        "learned": tuple(bend.learned),
    }
    data = {**problem.data, MAP: arrays}
    return problem._replace(
        logdensity=_moved(problem.logdensity), terms=_terms(problem.terms), data=data
    )


def sampled(
    problem: Problem, shape: Gaussian, key: Array, n_chains: int, plan: Plan
) -> Chains:
    """`nuts.sample` of a mode: of a curved one in the coordinates that straighten it."""
    bend = shape.bend
    if bend is None:
        return sample(problem, shape, key, n_chains, plan)
    chains = sample(
        straightened(problem, shape, bend), spherical(shape), key, n_chains, plan
    )
    away, volume = bend.away(chains.positions.reshape(-1, problem.dimension))
    lp = chains.statistics["lp"]
    statistics = {**chains.statistics, "lp": lp - volume.reshape(lp.shape)}
    positions = (shape.mean + away).reshape(chains.positions.shape)
    return replace(chains, positions=positions, statistics=statistics)


def spherical(shape: Gaussian) -> Gaussian:
    """The shape in its own coordinates."""
    n = len(shape.mean)
    return Gaussian(np.zeros(n), np.eye(n), shape.log_evidence, shape.floored)


@cache
def _moved(logdensity: Density) -> Density:
    def density(position: dict[str, Array], data: Data) -> Array:
        z, volume = _place(position["z"], data)
        return logdensity({**position, "z": z}, data) + volume

    return density


def _terms(terms: Any) -> Any:
    def moved(position: dict[str, Array], data: Data) -> Any:
        return terms({**position, "z": _place(position["z"], data)[0]}, data)

    return moved


def _place(v: Array, data: Data) -> tuple[Array, Array]:
    """z, and log |dw/dv|, of one position v; see `Bend.away`."""
    found: Any = data[MAP]
    w, volume = Transport(*found["learned"]).traced(v)
    near = jnp.clip(w, -FAR, FAR)
    pairs = jnp.einsum("ijk,j,k->i", found["third"], near, near)
    bent = w + _along(found["valley"], w[0]) - 0.5 * pairs
    return found["mean"] + found["basis"] @ bent, volume


def _along(valley: Array, first: Array) -> Array:
    """The spline of coefficients (4, n_knots − 1, dimension) at one place."""
    inside = jnp.clip(first, KNOTS[0], KNOTS[-1])
    cell = jnp.clip(jnp.searchsorted(KNOTS, inside) - 1, 0, len(KNOTS) - 2)
    step = inside - jnp.asarray(KNOTS)[cell]
    return jnp.asarray(jnp.polyval(valley[:, cell], step))
