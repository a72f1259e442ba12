"""The No-U-Turn sampler in coordinates whitened by the curvature at the mode.

z = centre + factor @ u, with factor the Cholesky factor of the inverse Hessian, makes
the posterior nearly a unit sphere: about seven leapfrog steps a draw, and a warm-up
that only has to find one step size.  (Learning a mass matrix from draws instead needs
ten times the steps, and Stan's shrinkage towards 1e-3 is as wide as a posterior of
10⁶ counts.)  The loop over steps is ours: keys are `fold_in(chain key, step)`, so that
neither the chunk length nor an interruption changes a draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, FloatArray, Problem
from specfit.inference import evaluate, keys
from specfit.inference.backend import layout
from specfit.inference.journal import Journal
from specfit.inference.kernel import Frame, Span, advance, begin, kept, restored
from specfit.inference.laplace import Gaussian, dispersed
from specfit.inference.pace import Pace
from specfit.inference.settings import NonFiniteStart

TRIES = 100
"""Dispersed starts tried for each chain before giving up."""


@dataclass(frozen=True)
class Chains:
    """Draws (n_chains, n_draws, dimension) and what the sampler reported."""

    positions: FloatArray
    statistics: dict[str, FloatArray]
    interrupted: bool = False
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Plan:
    """How long to warm up and draw.

    windows: lengths of the warm-up windows.  After each but the last, centre and factor
    are estimated anew from its second half when `dense`.
    apart: take unknowns for independent, whatever the shape of the mode: where that is
    not the shape of the whole, and draws are too few to tell a covariance.
    report: called with the share of steps done; may raise KeyboardInterrupt.
    journal: where finished chunks are kept.
    """

    windows: tuple[int, ...]
    dense: bool
    apart: bool
    draws: int
    target_accept: float
    chunk: int
    report: Callable[[float], None]
    journal: Journal = field(default_factory=Journal)

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
    key_start, key_chains = keys.split(key)
    z = starts(problem, shape, key_start, n_chains)
    run = _Run(problem, plan, keys.stacked(key_chains, n_chains))
    frame = Frame(jnp.asarray(shape.mean), jnp.asarray(_factor(shape, plan)))
    notes: tuple[str, ...] = ()
    for number, length in enumerate(plan.windows):
        last = number == len(plan.windows) - 1
        run.restart(frame, z)
        records = run.steps(length, length)
        z = _positions(frame, records["u"])
        if last:
            break
        if plan.dense:
            frame = _spread(frame, z) if plan.apart else _adapted(frame, z)
        z = z[:, -1]
    try:
        records = run.draws(plan.draws)
    except _Interrupted as stopped:
        records = stopped.records
        notes = (f"interrupted after {records['u'].shape[1]} draws a chain",)
    positions = _positions(frame, records.pop("u"))
    return Chains(positions, records, bool(notes), notes)


def starts(problem: Problem, shape: Gaussian, key: Array, n_chains: int) -> FloatArray:
    """One finite start for each chain, wider than the posterior.

    Student-t draws twice as wide as the Gaussian at the mode; narrower by steps where
    the density is not finite, the mode itself never.
    """
    tries = TRIES // n_chains + 1
    spreads = np.repeat(np.geomspace(2.0, 0.2, tries), n_chains)
    z = dispersed(shape, key, len(spreads), spreads[:, None])
    finite = np.flatnonzero(evaluate.finite_starts(problem, z))
    if len(finite) < n_chains:
        bad = z[np.setdiff1d(np.arange(len(z)), finite)[0]]
        raise NonFiniteStart(evaluate.terms_at_fault(problem, bad), len(z))
    return z[finite[:n_chains]]


class _Interrupted(Exception):
    """Ctrl-C between chunks, with what was drawn."""

    def __init__(self, records: dict[str, FloatArray]) -> None:
        super().__init__("interrupted")
        self.records = records


class _Run:
    """The chains as they stand and how far they are: the only state of the loop."""

    def __init__(self, problem: Problem, plan: Plan, keys: Array) -> None:
        self.problem, self.plan, self.keys = problem, plan, keys
        self.how = layout(len(keys))
        self.pace = Pace(min(plan.chunk, plan.total))
        self.done = 0

    def restart(self, frame: Frame, z: FloatArray) -> None:
        """Put the chains at `z` in a new frame and forget the step size."""
        self.chains = begin(self.problem, z, self.keys, frame)

    def steps(self, count: int, adapt: int) -> dict[str, FloatArray]:
        """`count` steps, the step size adapting during the first `adapt`."""
        parts, end, settled = [], self.done + count, self.done + adapt
        while self.done < end:
            parts.append(self._chunk(end - self.done, settled))
        return _joined(parts)

    def draws(self, count: int) -> dict[str, FloatArray]:
        """`count` kept steps; raises `_Interrupted` with the finished chunks."""
        parts: list[dict[str, FloatArray]] = []
        end, settled = self.done + count, self.done
        try:
            while self.done < end:
                parts.append(self._chunk(end - self.done, settled))
        except KeyboardInterrupt:
            if not parts:
                raise
            raise _Interrupted(_joined(parts)) from None
        return _joined(parts)

    def _chunk(self, most: int, settled: int) -> dict[str, FloatArray]:
        """The next steps, at most so many: those that were kept, or a segment."""
        count, target = min(most, self.pace.steps), self.plan.target_accept
        span = Span(*(jnp.asarray(x) for x in (self.done, count, settled, target)))
        problem = self.problem

        def work() -> dict[str, Any]:
            with self.pace.timed(count):
                chains, record = advance(
                    problem.logdensity, self.pace.most, self.how, self.chains, span,
                    problem.data,
                )  # fmt: skip
                return kept(chains, record, count)

        arrays = self.plan.journal.step(f"{self.done}", work)
        self.chains, rows = restored(self.chains, arrays)
        self.done += rows["lp"].shape[1]
        self.plan.report(self.done / self.plan.total)
        return rows


def _joined(parts: list[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    return {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}


def _positions(frame: Frame, u: FloatArray) -> FloatArray:
    factor = np.asarray(frame.factor)
    away = u * factor if factor.ndim == 1 else u @ factor.T
    positions: FloatArray = np.asarray(frame.centre) + away
    return positions


def _factor(shape: Gaussian, plan: Plan) -> FloatArray:
    """Of the first frame; a diagonal matrix that stays as it is, as its diagonal."""
    diagonal: FloatArray = np.diag(shape.factor)
    if plan.apart:
        return np.ones_like(diagonal)
    lean = not plan.dense and np.count_nonzero(shape.factor) == len(diagonal)
    return diagonal if lean else shape.factor


def _spread(frame: Frame, z: FloatArray) -> Frame:
    """Mean and sds of the second half of a window, as they are."""
    tail = _tail(z)
    sd = tail.std(axis=0)
    if not (np.isfinite(sd).all() and (sd > 0.0).all()):
        return frame
    return Frame(jnp.asarray(tail.mean(axis=0)), jnp.asarray(sd))


def _tail(z: FloatArray) -> FloatArray:
    tail: FloatArray = z[:, z.shape[1] // 2 :].reshape(-1, z.shape[2])
    return tail


def _adapted(frame: Frame, z: FloatArray) -> Frame:
    """Mean and covariance of the second half of a window, shrunk to the old frame.

    Draws that ran away teach nothing: the old frame stays.
    """
    tail = _tail(z)
    count, dimension = tail.shape
    old = np.asarray(frame.factor)
    white = np.linalg.solve(old, (tail - tail.mean(axis=0)).T)
    trust = count / (count + 5.0 * dimension)
    spread = trust * (white @ white.T) / count + (1.0 - trust) * np.eye(dimension)
    if not np.isfinite(spread).all():
        return frame
    factor = old @ np.linalg.cholesky(spread)
    return Frame(jnp.asarray(tail.mean(axis=0)), jnp.asarray(factor))
