"""Partial fits taken uphill, many in one call, with the linear unknowns eliminated.

The ascent is that of `newton`, compiled whole: a search refines hundreds of partial fits
and the host's part of every step would cost more than the step.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.backend import Layout, layout, map_chains
from specfit.inference.compiled import Program
from specfit.inference.newton import FLAT, LONGEST_STEP
from specfit.inference.projection import Kernels, eliminated, project
from specfit.inference.slope import Local, Pattern, local

ENOUGH = 0.1
"""Gain (nats) of another step below which a partial fit is refined enough."""
BLOCK = 16
"""Partial fits in one call; a shape that never changes compiles once."""
HOPELESS = 1e12


class Ascended(NamedTuple):
    """Where the partial fits ended, the fit being the leading axis.

    value: −½χ² + log prior; the rest is weighted: chi2; residual: (n_data,); background:
    (n_baseline, n_data), of any height; curves: (n_components, n_data), what each
    component takes away.
    """

    position: Any
    value: Any
    chi2: Any
    residual: Any
    background: Any
    curves: Any


_Row = tuple[Array, Array, Array]
"""Start (dimension,), `placed` (n_components,), and the steps allowed."""
_Shared = tuple[Pattern, Data]


class _State(NamedTuple):
    position: Array
    local: Local
    step: Array
    damping: Array
    gain: Array
    stalled: Array
    left: Array


def ascended(
    problem: Problem,
    pattern: Pattern,
    z: FloatArray,
    placed: FloatArray,
    steps: int,
) -> Ascended:
    """Positions (n, dimension) with `placed` components (n, n_components) refined.

    Not finite where the density is not finite at the start; `steps` 0 only looks.
    """
    count, how, kernels = len(z), layout(BLOCK), Kernels(problem)
    order = np.arange(-(-count // BLOCK) * BLOCK)
    limits = np.where(order < count, steps, 0)
    order[count:] = 0
    blocks = []
    for rows in order.reshape(-1, BLOCK):
        own = (z[rows], placed[rows], limits[: len(rows)])
        limits = limits[len(rows) :]
        shared = (tuple(pattern), problem.data)
        blocks.append(jax.device_get(_program(how)(kernels, how, own, shared)))
    joined = [np.concatenate(parts)[:count] for parts in zip(*blocks, strict=True)]
    return Ascended(*joined)


def _ascend(kernels: Kernels, how: Layout, rows: Any, shared: Any) -> Any:
    seen = (Pattern(*shared[0]), shared[1])

    def one(row: _Row, same: _Shared) -> tuple[Array, ...]:
        return tuple(_ascent(kernels.problem, row, same))

    return map_chains(one, rows, seen, how)


_ON_ONE = Program(_ascend, n_static=2)
_ON_CORES = Program(_ascend, n_static=2, n_split=1)


def _program(how: Layout) -> Program:
    return _ON_CORES if how == "cores" else _ON_ONE


def _ascent(problem: Problem, row: _Row, shared: _Shared) -> Ascended:
    z, placed, steps = row

    def going(state: _State) -> Array:
        worth: Array = (state.gain >= ENOUGH) & (state.stalled < 3)
        return worth & (state.left >= 0) & (state.damping < HOPELESS)

    n = z.size
    nowhere = Local(jnp.asarray(-jnp.inf), jnp.zeros(n), jnp.eye(n))
    first = _State(
        z, nowhere, jnp.zeros(n), jnp.asarray(1e-3), jnp.asarray(jnp.inf),
        jnp.asarray(0), steps,
    )  # fmt: skip
    end = jax.lax.while_loop(going, partial(_turn, problem, row, shared), first)
    residual, columns, coefficients = project(problem, end.position, placed, shared[1])
    chi2 = jnp.sum(residual**2)
    curves = (coefficients[:, None] * columns)[-placed.size :]
    background = columns[: -placed.size]
    value = end.local.value
    return Ascended(end.position, value, chi2, residual, background, curves)


def _turn(problem: Problem, row: _Row, shared: _Shared, state: _State) -> _State:
    """One place looked at and taken or not; the first is the start, and is taken."""
    _, placed, steps = row
    position = state.position + state.step
    trial = local(problem, position, placed, *shared)
    rounding = 1e-15 * jnp.abs(trial.value)
    better = trial.value >= state.local.value - rounding
    better &= jnp.isfinite(trial.gradient).all() & jnp.isfinite(trial.hessian).all()
    small = trial.value - state.local.value < 1e-9
    position, best = jax.tree.map(
        partial(jnp.where, better), (position, trial), (state.position, state.local)
    )
    first = state.left == steps
    factor = jnp.where(better, jnp.where(first, 1.0, 0.1), 10.0)
    damping = jnp.maximum(factor * state.damping, 1e-12)
    step, gain = _step(best, damping)
    stalled = state.stalled + (better & small)
    return _State(position, best, step, damping, gain, stalled, state.left - 1)


def _step(at: Local, damping: Array) -> tuple[Array, Array]:
    """The damped step, at most `LONGEST_STEP` long, and the gain that it promises.

    The curvature is that of Gauss and Newton, never negative: a system is solved, where
    eigenvalues would cost as much as all else.
    """
    diagonal = jnp.abs(jnp.diagonal(at.hessian))
    scale = 1.0 / jnp.sqrt(jnp.where(diagonal > 0.0, diagonal, 1.0))
    scaled = at.hessian * scale * scale[:, None]
    slope, unit = scale * at.gradient, jnp.eye(len(scale))
    full, damped = (
        eliminated(scaled + extra * unit, slope[:, None])[:, 0]
        for extra in (FLAT, FLAT + damping)
    )
    step = scale * damped
    longest = jnp.maximum(jnp.max(jnp.abs(step)), LONGEST_STEP)
    return step * (LONGEST_STEP / longest), 0.5 * jnp.dot(slope, full)
