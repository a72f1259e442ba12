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

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.backend import Layout, map_chains
from specfit.inference.compiled import Program
from specfit.inference.evaluate import Density


class Frame(NamedTuple):
    """Whitened coordinates, z = centre + factor @ u; an argument of the sampler.

    factor: a matrix, or a vector where unknowns are taken for independent: z = centre +
    factor u, which saves most of the work of many unknowns with a simple density.
    labels: what else a position of the density holds, by name.
    """

    centre: Any
    factor: Any
    labels: dict[str, Array] | None = None


class State(NamedTuple):
    """Where a chain is; BlackJAX's `HMCState`, without importing it."""

    position: Any
    logdensity: Any
    logdensity_grad: Any


class Tuning(NamedTuple):
    """Dual averaging of the step size; BlackJAX's `DualAveragingState`."""

    log_x: Any
    log_x_avg: Any
    step: Any
    avg_error: Any
    mu: Any


class Chain(NamedTuple):
    """One chain between chunks; leading axis is the chain when stacked.

    Each has a frame of its own: particles of several modes move in one call.
    key: the words of a JAX key.
    """

    state: State
    tuning: Tuning
    key: Any
    frame: Frame


class Span(NamedTuple):
    """Which steps: `length` from `first`; the step size adapts before `settled`.

    target: the acceptance rate that the step size is tuned to.
    """

    first: Array
    length: Array
    settled: Array
    target: Array


def advance(
    logdensity: Density,
    capacity: int,
    how: Layout,
    chains: Chain,
    span: Span,
    data: Data,
) -> tuple[Chain, dict[str, Array]]:
    """At most `capacity` steps of every chain; rows beyond `span.length` stay zero."""
    program = _ON_CORES if how == "cores" else _ON_ONE
    state, tuning, record = program(
        logdensity, capacity, how, _plain(chains), tuple(span), data
    )
    return chains._replace(state=State(*state), tuning=Tuning(*tuning)), record


def job(problem: Problem, n_chains: int, capacity: int, how: Layout) -> tuple[Any, ...]:
    """What `compiled.ahead` needs to have `advance` ready for chains of one frame."""
    z, matrix = np.zeros((n_chains, problem.dimension)), np.eye(problem.dimension)
    factor = np.ones(problem.dimension) if problem.whole else matrix
    frame = Frame(z, np.repeat(factor[None], n_chains, axis=0))
    words = np.zeros((n_chains, 2), np.uint32)
    chains = Chain(State(z, z[:, 0], z), _untuned(z), words, frame)
    span = tuple(np.asarray(x) for x in (0, 0, 0, 0.0))
    program = _ON_CORES if how == "cores" else _ON_ONE
    return (
        program,
        problem.logdensity,
        capacity,
        how,
        _plain(chains),
        span,
        problem.data,
    )


def _untuned(z: FloatArray) -> Tuning:
    """The step size of chains (n_chains, dimension) before any step."""
    size = 0.8 * z.shape[1] ** -0.25
    start = (np.log(size), 0.0, 1, 0.0, np.log(10.0 * size))
    return Tuning(*(np.full(len(z), x) for x in start))


def _plain(chains: Chain) -> Any:
    """Nested tuples, which can be told from their shapes alone."""
    return (tuple(chains.state), tuple(chains.tuning), chains.key, tuple(chains.frame))


def _advance(
    logdensity: Density, capacity: int, how: Layout, plain: Any, span: Any, data: Data
) -> Any:
    from blackjax.mcmc import nuts
    from blackjax.mcmc.hmc import HMCState
    from blackjax.optimizers.dual_averaging import DualAveragingState, dual_averaging

    kernel = nuts.build_kernel()
    update = dual_averaging()[1]
    state, tuning, words, frame = plain
    chains = Chain(HMCState(*state), DualAveragingState(*tuning), words, Frame(*frame))

    def chain(mine: Chain, shared: tuple[Span, Data]) -> Any:
        span, data = shared
        density = _whitened(logdensity, mine.frame, data)
        metric = jnp.ones_like(mine.frame.centre)

        def step(i: Array, carry: Any) -> Any:
            state, tuning, record = carry
            t = span.first + i
            adapting = t < span.settled
            size = jnp.exp(jnp.where(adapting, tuning.log_x, tuning.log_x_avg))
            key = jax.random.fold_in(jax.random.wrap_key_data(mine.key), t)
            state, info = kernel(key, state, density, size, metric)
            rate = jnp.where(jnp.isnan(info.acceptance_rate), 0.0, info.acceptance_rate)
            updated = update(tuning, span.target - rate)
            tuning = jax.tree.map(partial(jnp.where, adapting), updated, tuning)
            row = _row(state, info, size)
            record = {name: record[name].at[i].set(row[name]) for name in record}
            return state, tuning, record

        carry = (mine.state, mine.tuning, _empty(capacity, mine.state))
        state, tuning, record = jax.lax.fori_loop(0, span.length, step, carry)
        return tuple(state), tuple(tuning), record

    return map_chains(chain, chains, (Span(*span), data), how)


_ON_ONE = Program(_advance, n_static=3)
_ON_CORES = Program(_advance, n_static=3, n_split=1)


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
    apart = jnp.ndim(frame.factor) == 1

    def density(u: Array) -> Array:
        away = frame.factor * u if apart else frame.factor @ u
        return logdensity({"z": frame.centre + away, **(frame.labels or {})}, data)

    return density


def begin(problem: Problem, z: FloatArray, keys: Array, frame: Frame) -> Chain:
    """Chains at positions `z` (n_chains, dimension), the step size not yet tuned.

    frame: one for all chains, or stacked, one for each, its centre and its factor alike;
    labels always stacked.
    """
    count, dimension = z.shape
    centre = np.broadcast_to(np.asarray(frame.centre), (count, dimension))
    apart = np.ndim(frame.factor) == np.ndim(frame.centre)
    each = (count, dimension) if apart else (count, dimension, dimension)
    factor = np.broadcast_to(np.asarray(frame.factor), each)
    value, slope = evaluate.gradients(problem, z, frame.labels)
    if apart:
        u, white = (z - centre) / factor, slope * factor
    else:
        u = np.linalg.solve(factor, (z - centre)[..., None])[..., 0]
        white = np.einsum("ni,nij->nj", slope, factor)
    words = np.asarray(jax.random.key_data(keys))
    own = Frame(np.array(centre), np.array(factor), frame.labels)
    return Chain(State(u, value, white), _untuned(z), words, own)


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
