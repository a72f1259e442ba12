"""The No-U-Turn sampler in coordinates whitened by the curvature at the mode.

z = centre + factor @ u, with factor the Cholesky factor of the inverse Hessian, makes
the posterior nearly a unit sphere: about seven leapfrog steps a draw, and a warm-up
that only has to find one step size.  (Learning a mass matrix from draws instead needs
ten times the steps, and Stan's shrinkage towards 1e-3 is as wide as a posterior of
10⁶ counts.)  The loop over steps is ours: keys are `fold_in(chain key, step)`, so that
neither the chunk length nor an interruption changes a draw.

BlackJAX 1.x is wrapped here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from specfit.inference.backend import layout, map_chains
from specfit.inference.evaluate import Density
from specfit.inference.laplace import Gaussian, dispersed
from specfit.inference.settings import NonFiniteStart

TRIES = 100
"""Dispersed starts tried for each chain before giving up."""


class Frame(NamedTuple):
    """The whitened coordinates, an argument of the compiled sampler."""

    centre: Array
    factor: Array


class Chain(NamedTuple):
    """One chain between chunks; leading axis is the chain when stacked."""

    state: Any  # blackjax.mcmc.hmc.HMCState
    tuning: DualAveragingState
    key: Array


class Span(NamedTuple):
    """Which steps to make: `count` from `first`; the step size adapts before `settled`.

    target: the acceptance rate that the step size is tuned to.
    """

    first: Array
    count: Array
    settled: Array
    target: Array


@dataclass(frozen=True)
class Chains:
    """Draws: positions (n_chains, n_draws, dimension), and what the sampler reported."""

    positions: FloatArray
    statistics: dict[str, FloatArray]
    interrupted: bool = False
    notes: tuple[str, ...] = field(default=())


_START, _UPDATE, _ = dual_averaging()


@partial(jax.jit, static_argnames=("logdensity", "capacity", "how"))
def _advance(
    logdensity: Density,
    capacity: int,
    how: Any,
    chains: Chain,
    span: Span,
    frame: Frame,
    data: Data,
) -> tuple[Chain, dict[str, Array]]:
    """At most `capacity` steps of every chain; rows beyond `span.count` stay zero."""
    kernel = nuts.build_kernel()

    def chain(mine: Chain, shared: tuple[Span, Frame, Data]) -> Any:
        span, frame, data = shared
        density = _whitened(logdensity, frame, data)
        metric = jnp.ones_like(frame.centre)

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

        empty = jax.tree.map(
            lambda x: jnp.zeros((capacity, *x.shape), x.dtype), _blank(mine.state)
        )
        carry = (mine.state, mine.tuning, empty)
        state, tuning, record = jax.lax.fori_loop(0, span.count, step, carry)
        return Chain(state, tuning, mine.key), record

    result: tuple[Chain, dict[str, Array]] = map_chains(
        chain, chains, (span, frame, data), how
    )
    return result


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
    return lambda u: logdensity({"z": frame.centre + frame.factor @ u}, data)


def _begin(problem: Problem, z: FloatArray, keys: Array, frame: Frame) -> Chain:
    """Chains at positions `z` (n_chains, dimension), the step size not yet tuned."""
    factor = np.asarray(frame.factor)
    u = np.linalg.solve(factor, (z - np.asarray(frame.centre)).T).T
    value, slope = evaluate.gradients(problem, z)
    state = HMCState(*(jnp.asarray(part) for part in (u, value, slope @ factor)))
    size = 0.8 * z.shape[1] ** -0.25
    # arrays made by NumPy have a strong type, as those that come back from the steps:
    # otherwise the second chunk would compile again
    tuning = jax.tree.map(lambda x: jnp.asarray(np.full(len(z), x)), _START(size))
    return Chain(state, tuning, keys)


@dataclass(frozen=True)
class Plan:
    """How long to warm up and draw.

    windows: lengths of the warm-up windows.  After each but the last, centre and factor
    are estimated anew from its second half when `dense`.
    report: called with the share of steps done; may raise KeyboardInterrupt.
    """

    windows: tuple[int, ...]
    dense: bool
    draws: int
    target_accept: float
    chunk: int
    report: Callable[[float], None]

    @property
    def total(self) -> int:
        """All steps of one chain."""
        return sum(self.windows) + self.draws


def sample(
    problem: Problem, shape: Gaussian, key: Array, n_chains: int, plan: Plan
) -> Chains:
    """Warm up and draw; an interruption keeps the draws of the finished chunks.

    Raises NonFiniteStart naming the terms at fault when a chain finds no start, and
    KeyboardInterrupt when interrupted before the first draw was kept.
    """
    key_start, key_chains = jax.random.split(key)
    keys = jax.random.split(key_chains, n_chains)
    z = starts(problem, shape, key_start, n_chains)
    run = _Run(problem, plan, keys)
    frame = Frame(jnp.asarray(shape.mean), jnp.asarray(shape.factor))
    notes: tuple[str, ...] = ()
    for number, length in enumerate(plan.windows):
        last = number == len(plan.windows) - 1
        run.restart(frame, z)
        records = run.steps(length, length)
        z = _positions(frame, records["u"])
        if last:
            break
        if plan.dense:
            frame = _adapted(frame, z)
        z = z[:, -1]
    try:
        records = run.draws(plan.draws)
    except _Interrupted as stopped:
        records = stopped.records
        notes = (f"interrupted after {records['u'].shape[1]} draws a chain",)
    positions = _positions(frame, records.pop("u"))
    return Chains(positions, records, bool(notes), notes)


def starts(
    problem: Problem, shape: Gaussian, key: Array, n_chains: int
) -> FloatArray:
    """One finite start for each chain, wider than the posterior.

    Student-t draws twice as wide as the Gaussian at the mode; narrower by steps where
    the density is not finite, the mode itself never.
    """
    tries = TRIES // n_chains + 1
    spreads = np.repeat(np.geomspace(2.0, 0.2, tries), n_chains)
    u = dispersed(replace(shape, mean=0.0 * shape.mean), key, len(spreads), 1.0)
    z = shape.mean + spreads[:, None] * u
    finite = np.flatnonzero(evaluate.finite_starts(problem, z))
    if len(finite) < n_chains:
        bad = z[np.setdiff1d(np.arange(len(z)), finite)[0]]
        raise NonFiniteStart(evaluate.terms_at_fault(problem, bad), len(z))
    return z[finite[:n_chains]]


class _Interrupted(Exception):  # noqa: N818 - it carries the draws, it is no error
    """Ctrl-C between chunks, with what was drawn."""

    def __init__(self, records: dict[str, FloatArray]) -> None:
        super().__init__("interrupted")
        self.records = records


class _Run:
    """The chains as they stand and how far they are: the only state of the loop."""

    def __init__(self, problem: Problem, plan: Plan, keys: Array) -> None:
        self.problem, self.plan, self.keys = problem, plan, keys
        self.how = layout(len(keys))
        self.done = 0

    def restart(self, frame: Frame, z: FloatArray) -> None:
        """Put the chains at `z` in a new frame and forget the step size."""
        self.frame = frame
        self.chains = _begin(self.problem, z, self.keys, frame)

    def steps(self, count: int, adapt: int) -> dict[str, FloatArray]:
        """`count` steps, the step size adapting during the first `adapt`."""
        parts, settled = [], self.done + adapt
        while count > 0:
            part = min(count, self.plan.chunk)
            parts.append(self._chunk(part, settled))
            count -= part
        return {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}

    def draws(self, count: int) -> dict[str, FloatArray]:
        """`count` kept steps; raises `_Interrupted` with the finished chunks."""
        parts: list[dict[str, FloatArray]] = []
        try:
            while count > 0:
                part = min(count, self.plan.chunk)
                parts.append(self.steps(part, 0))
                count -= part
        except KeyboardInterrupt:
            if not parts:
                raise
            raise _Interrupted(_joined(parts)) from None
        return _joined(parts)

    def _chunk(self, count: int, settled: int) -> dict[str, FloatArray]:
        target = self.plan.target_accept
        span = Span(*(jnp.asarray(x) for x in (self.done, count, settled, target)))
        chunk = min(self.plan.chunk, self.plan.total)
        problem = self.problem
        self.chains, record = _advance(
            problem.logdensity, chunk, self.how, self.chains, span, self.frame,
            problem.data,
        )  # fmt: skip
        rows = {name: evaluate.numpy(value)[:, :count] for name, value in record.items()}
        self.done += count
        self.plan.report(self.done / self.plan.total)
        return rows


def _joined(parts: list[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    return {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}


def _positions(frame: Frame, u: FloatArray) -> FloatArray:
    positions: FloatArray = np.asarray(frame.centre) + u @ np.asarray(frame.factor).T
    return positions


def _adapted(frame: Frame, z: FloatArray) -> Frame:
    """Mean and covariance of the second half of a window, shrunk to the old frame."""
    tail = z[:, z.shape[1] // 2 :].reshape(-1, z.shape[2])
    count, dimension = tail.shape
    old = np.asarray(frame.factor)
    white = np.linalg.solve(old, (tail - tail.mean(axis=0)).T)
    trust = count / (count + 5.0 * dimension)
    spread = trust * (white @ white.T) / count + (1.0 - trust) * np.eye(dimension)
    factor = old @ np.linalg.cholesky(spread)
    return Frame(jnp.asarray(tail.mean(axis=0)), jnp.asarray(factor))
