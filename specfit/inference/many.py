"""One problem fitted to many spectra at once: the mode, its curvature, its weights.

Spectra are mapped as chains are: one after another on each core of a CPU, together on an
accelerator.  What is computed for a spectrum does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from specfit.contracts import Array, Data, Problem
from specfit.inference.backend import Layout, map_chains
from specfit.inference.compiled import THOROUGH, Program
from specfit.inference.levenberg import NEAR, approach, ascend
from specfit.inference.projection import Kernels, assembled

APART = 3.0
"""Standard deviations from the best mode beyond which another is another."""


class Starts(NamedTuple):
    """Where ascents may begin: the modes of each pilot, all of as many.

    position: (n_pilots, n_modes, dimension); spread: covariances there.
    """

    position: Any
    spread: Any


class Mode(NamedTuple):
    """A local maximum; gain: what one more step promises (nats)."""

    position: Any
    log_density: Any
    hessian: Any
    gain: Any
    turns: Any


class Fitted(NamedTuple):
    """The weightiest mode of each spectrum, the spectrum being the leading axis.

    others: share of the evidence that other modes have.  values: (n_values,) all
    unknowns and definitions, by `names`; slopes: (n_values, dimension), their
    derivatives; expected: (n_spectra, n_channels).
    """

    mode: Mode
    others: Any
    values: Any
    slopes: Any
    expected: Any


def _on_one_and_on_cores(function: Callable[..., Any]) -> tuple[Program, Program]:
    """A function of a problem, names and layout, and then of rows and what they share."""
    one, cores = (
        Program(function, n_static=3, n_split=n, options=THOROUGH) for n in (0, 1)
    )
    return one, cores


def _best_pilot(problem: Problem, starts: Starts, data: Data) -> Starts:
    """The modes of one pilot: of that which has the densest, linear unknowns fitted."""
    places = jnp.asarray(starts.position)
    rows = places.reshape(-1, places.shape[-1])
    if problem.separable is not None:
        placed = jnp.ones(len(problem.separable.component_names))
        rows = jax.lax.map(lambda z: assembled(problem, z, placed, data), rows)
    heights = jax.lax.map(lambda z: problem.logdensity({"z": z}, data), rows)
    heights = jnp.where(jnp.isfinite(heights), heights, -jnp.inf)
    best = jnp.argmax(jnp.max(heights.reshape(places.shape[:2]), axis=1))
    return Starts(rows.reshape(places.shape)[best], jnp.asarray(starts.spread)[best])


def _ended(problem: Problem, given: Starts, data: Data) -> Mode:
    """The mode above one start."""
    start = approach(problem, given.position, given.spread, data)
    end = ascend(problem, start, data)
    # the last step promises next to nothing: it is taken without looking there
    near = end.gain < NEAR
    return Mode(
        jnp.where(near, end.position + end.last, end.position),
        end.local.value + jnp.where(near, end.gain, 0.0),
        end.local.hessian, end.gain, end.turns,
    )  # fmt: skip


def _evidence(found: Mode) -> Array:
    """Laplace's log-evidence; −∞ where no mode was reached."""
    sign, size = jnp.linalg.slogdet(found.hessian)
    dimension = found.position.shape[-1]
    value = found.log_density - 0.5 * size + 0.5 * dimension * jnp.log(2.0 * jnp.pi)
    reached = (found.gain < NEAR) & (sign > 0.0)
    return jnp.where(reached, value, -jnp.inf)


def _others(found: Mode, weights: Array, best: Array) -> Array:
    """Share of the evidence that modes elsewhere than at the best have."""
    far = found.position - found.position[best]
    distance = jnp.einsum("ni,ij,nj->n", far, found.hessian[best], far)
    apart = distance > APART**2
    # several starts may lead to one mode: each distinct one counts once
    seen = jnp.einsum("nki,nij,nkj->nk", *_between(found)) < APART**2
    first = ~jnp.any(jnp.tril(seen, -1), axis=1)
    shares = jnp.where(first, jnp.exp(weights - weights[best]), 0.0)
    own = jnp.sum(jnp.where(apart, 0.0, shares))
    rest = jnp.sum(jnp.where(apart, shares, 0.0))
    return rest / (rest + jnp.maximum(own, 1.0))


def _between(found: Mode) -> tuple[Array, Array, Array]:
    far = found.position[:, None] - found.position[None]
    return far, found.hessian, far


def fit(
    kernels: Kernels, names: tuple[str, ...], starts: Starts, data: Data, how: Layout
) -> Fitted:
    """The weightiest mode of every spectrum, from all modes of the pilot most like it.

    data: `Problem.data` with the spectrum as a leading axis of every leaf.
    """
    found = _FITS[how == "cores"](kernels, names, how, data, tuple(starts))
    mode, *rest = found
    return Fitted(Mode(*mode), *rest)


def _fit(
    kernels: Kernels, names: tuple[str, ...], how: Layout, data: Data, starts: Any
) -> Any:
    """As plain tuples, which can be kept from one run to the next."""
    problem = kernels.problem

    def values(z: Array, own: Data) -> Array:
        return _values(problem, names, z, own)

    def one(own: Data, given: Any) -> Any:
        begin = _best_pilot(problem, Starts(*given), own)
        found = jax.lax.map(lambda start: _ended(problem, start, own), begin)
        weights = _evidence(found)
        heights = jnp.where(jnp.isnan(found.log_density), -jnp.inf, found.log_density)
        lost = ~jnp.isfinite(jnp.max(weights))
        best = jnp.where(lost, jnp.argmax(heights), jnp.argmax(weights))
        others = jnp.where(lost, 0.0, _others(found, weights, best))
        mode = jax.tree.map(lambda x: x[best], found)
        z = mode.position
        return (
            tuple(mode), others,
            values(z, own), jax.jacfwd(values)(z, own), problem.predict({"z": z}, own),
        )  # fmt: skip

    return map_chains(one, data, starts, how)


_FITS = _on_one_and_on_cores(_fit)


def weigh(
    kernels: Kernels,
    names: tuple[str, ...],
    frames: tuple[Any, Any],
    white: tuple[Any, Any],
    data: Data,
    how: Layout,
) -> tuple[Array, Array]:
    """What lies around the mode of each spectrum, at centre + factor @ white.

    frames: centres (n, dimension) and factors (n, dimension, dimension).  white: draws
    whose log-density is asked (n, n_heavy), and draws whose values are (n, n_normal,
    n_names).
    """
    program = _WEIGHINGS[how == "cores"]
    found: tuple[Array, Array] = program(kernels, names, how, (frames, data), white)
    return found


def _weigh(
    kernels: Kernels, names: tuple[str, ...], how: Layout, rows: Any, white: Any
) -> Any:
    problem = kernels.problem

    def likelihood(z: Array, mine: Data) -> Array:
        expected = problem.predict({"z": z}, mine)
        return jnp.sum(problem.noise(expected, {"z": z}, mine))

    def one(own: Any, draws: tuple[Array, Array]) -> tuple[Array, Array]:
        (centre, factor), mine = own
        heavy, normal = (centre + white @ factor.T for white in draws)
        # numbers of all draws at once, channels draw by draw: both stay in the cache
        prior = jax.vmap(lambda z: problem.logprior({"z": z}, mine))(heavy)
        likelihoods = jax.lax.map(lambda z: likelihood(z, mine), heavy)
        values = jax.vmap(lambda z: _values(problem, names, z, mine))(normal)
        return prior + likelihoods, values

    return map_chains(one, rows, white, how)


_WEIGHINGS = _on_one_and_on_cores(_weigh)


def _values(problem: Problem, names: tuple[str, ...], z: Array, data: Data) -> Array:
    found = problem.constrain({"z": z}, data)
    return jnp.stack([found[name] for name in names])
