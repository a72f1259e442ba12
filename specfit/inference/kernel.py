"""Steps of the No-U-Turn sampler in whitened coordinates, compiled once.

Frame, data and what to do are arguments: neither a second spectrum nor a new whitening
compiles again, and one compilation serves warm-up and sampling.  BlackJAX 1.x is
wrapped here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from blackjax.mcmc import nuts
from blackjax.mcmc.hmc import HMCState
from blackjax.optimizers.dual_averaging import DualAveragingState, dual_averaging

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.backend import Layout, map_chains
from specfit.inference.evaluate import Density


class Frame(NamedTuple):
    """Whitened coordinates, z = centre + factor @ u; an argument of the sampler.

    labels: what else a position of the density holds, by name.
    """

    centre: Array
    factor: Array
    labels: dict[str, Array] | None = None


class Chain(NamedTuple):
    """One chain between chunks; leading axis is the chain when stacked.

    Each has a frame of its own: particles of several modes move in one call.
    """

    state: Any  # blackjax.mcmc.hmc.HMCState
    tuning: DualAveragingState
    key: Array
    frame: Frame


class Span(NamedTuple):
    """Which steps: `length` from `first`; the step size adapts before `settled`.

    target: the acceptance rate that the step size is tuned to.
    """

    first: Array
    length: Array
    settled: Array
    target: Array


_START, _UPDATE, _ = dual_averaging()


@partial(jax.jit, static_argnames=("logdensity", "capacity", "how"))
def advance(
    logdensity: Density,
    capacity: int,
    how: Layout,
    chains: Chain,
    span: Span,
    data: Data,
) -> tuple[Chain, dict[str, Array]]:
    """At most `capacity` steps of every chain; rows beyond `span.length` stay zero."""
    kernel = nuts.build_kernel()

    def chain(mine: Chain, shared: tuple[Span, Data]) -> Any:
        span, data = shared
        density = _whitened(logdensity, mine.frame, data)
        metric = jnp.ones_like(mine.frame.centre)

        def step(i: Array, carry: Any) -> Any:
            state, tuning, record = carry
            t = span.first + i
            adapting = t < span.settled
            size = jnp.exp(jnp.where(adapting, tuning.log_x, tuning.log_x_avg))
            key = jax.random.fold_in(mine.key, t)
            state, info = kernel(key, state, density, size, metric)
            rate = jnp.where(jnp.isnan(info.acceptance_rate), 0.0, info.acceptance_rate)
            updated = _UPDATE(tuning, span.target - rate)
            tuning = jax.tree.map(partial(jnp.where, adapting), updated, tuning)
            row = _row(state, info, size)
            record = {name: record[name].at[i].set(row[name]) for name in record}
            return state, tuning, record

        carry = (mine.state, mine.tuning, _empty(capacity, mine.state))
        state, tuning, record = jax.lax.fori_loop(0, span.length, step, carry)
        return mine._replace(state=state, tuning=tuning), record

    result: tuple[Chain, dict[str, Array]] = map_chains(
        chain, chains, (span, data), how
    )
    return result


def _empty(capacity: int, state: Any) -> Any:
    """Room for the rows of all steps."""
    return jax.tree.map(
        lambda x: jnp.zeros((capacity, *x.shape), x.dtype), _blank(state)
    )


def _row(state: Any, info: Any, size: Array) -> dict[str, Array]:
    ends = info.trajectory_leftmost_state, info.trajectory_rightmost_state
    finite = jnp.isfinite(state.logdensity)
    for end in ends:
        finite &= ~jnp.isnan(end.logdensity)
    real = state.logdensity.dtype
    return {
        "u": state.position,
        "lp": state.logdensity,
        "energy": jnp.asarray(info.energy, real),
        "acceptance_rate": jnp.asarray(info.acceptance_rate, real),
        "step_size": jnp.asarray(size, real),
        "n_steps": jnp.asarray(info.num_integration_steps, real),
        "diverging": jnp.asarray(info.is_divergent, real),
        "non_finite": jnp.asarray(~finite, real),
    }


def _blank(state: Any) -> dict[str, Array]:
    numbers = ("lp", "energy", "acceptance_rate", "step_size", "n_steps")
    flags = ("diverging", "non_finite")
    return {"u": state.position} | {n: state.logdensity for n in (*numbers, *flags)}


def _whitened(
    logdensity: Density, frame: Frame, data: Data
) -> Callable[[Array], Array]:
    return lambda u: logdensity(
        {"z": frame.centre + frame.factor @ u, **(frame.labels or {})}, data
    )


def begin(problem: Problem, z: FloatArray, keys: Array, frame: Frame) -> Chain:
    """Chains at positions `z` (n_chains, dimension), the step size not yet tuned.

    frame: one for all chains, or stacked, one for each; labels always stacked.
    """
    count, dimension = z.shape
    centre = np.broadcast_to(np.asarray(frame.centre), (count, dimension))
    factor = np.broadcast_to(np.asarray(frame.factor), (count, dimension, dimension))
    u = np.linalg.solve(factor, (z - centre)[..., None])[..., 0]
    value, slope = evaluate.gradients(problem, z, frame.labels)
    white = np.einsum("ni,nij->nj", slope, factor)
    state = HMCState(*(jnp.asarray(part) for part in (u, value, white)))
    size = 0.8 * dimension**-0.25
    # arrays made by NumPy have a strong type, as those that come back from the steps:
    # otherwise the second chunk would compile again
    tuning = jax.tree.map(lambda x: jnp.asarray(np.full(count, x)), _START(size))
    own = Frame(jnp.asarray(centre), jnp.asarray(factor), frame.labels)
    return Chain(state, tuning, keys, own)


def kept(chains: Chain, record: dict[str, Array], count: int) -> dict[str, Any]:
    """What a journal keeps of a chunk: `count` rows of the record, and the new states."""
    leaves = jax.tree.leaves((chains.state, chains.tuning))
    rows = {f"row.{name}": np.asarray(v)[:, :count] for name, v in record.items()}
    return rows | {f"state.{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}


def restored(
    before: Chain, arrays: Mapping[str, Any]
) -> tuple[Chain, dict[str, FloatArray]]:
    """The chains after a chunk and its rows; `before` gives key, frame and structure."""
    old, shape = jax.tree.flatten((before.state, before.tuning))
    leaves = [jnp.asarray(arrays[f"state.{i}"]) for i in range(len(old))]
    state, tuning = jax.tree.unflatten(shape, leaves)
    rows = {
        name.removeprefix("row."): evaluate.numpy(value)
        for name, value in arrays.items()
        if name.startswith("row.")
    }
    return before._replace(state=state, tuning=tuning), rows
