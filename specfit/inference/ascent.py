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
from numpy.typing import NDArray

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.backend import Layout, layout, map_chains
from specfit.inference.compiled import Program
from specfit.inference.newton import FLAT, LONGEST_STEP
from specfit.inference.placement import everywhere
from specfit.inference.projection import Kernels, eliminated, project
from specfit.inference.slope import Local, Pattern, local

ENOUGH = 0.1
"""Gain (nats) of another step below which a partial fit is refined enough."""
BLOCK = 16
"""Partial fits in one call; a shape that never changes compiles once."""
HOPELESS = 1e12
IDLE = -1
"""Steps of a row that only fills a block up."""


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
_Same = tuple[Pattern, Data]


class _State(NamedTuple):
    position: Array
    local: Local
    step: Array
    damping: Array
    gain: Array
    stalled: Array
    left: Array


class Shared(NamedTuple):
    """What every ascent of a problem shares, on the devices that do the work."""

    kernels: Kernels
    pattern: Pattern
    data: Data
    n_data: int
    n_components: int


def shared_of(problem: Problem, pattern: Pattern) -> Shared:
    """The shared part of all ascents, placed once."""
    parts = problem.separable
    assert parts is not None
    there = everywhere if layout(BLOCK) == "cores" else jax.device_put
    n_data, n_components = (
        len(parts.target(problem.data)[0]),
        len(parts.component_names),
    )
    pattern, data = there((pattern, problem.data))
    return Shared(Kernels(problem), pattern, data, n_data, n_components)


def ascended(shared: Shared, z: FloatArray, placed: FloatArray, steps: int) -> Ascended:
    """Positions (n, dimension) with `placed` components (n, n_components) refined.

    Not finite where the density is not finite at the start; `steps` 0 only looks.
    """
    count, how = len(z), layout(BLOCK)
    given = np.column_stack([z, placed, np.full(count, steps)])
    filler = np.tile(np.append(given[0, :-1], IDLE), (-count % BLOCK, 1))
    rows = np.concatenate([given, filler])
    same, dealt, blocks = (tuple(shared.pattern), shared.data), _dealt(how), []
    for own in rows.reshape(-1, BLOCK, rows.shape[1]):
        done = np.asarray(_program(how)(shared.kernels, how, own[dealt], same))
        blocks.append(done[np.argsort(dealt)])
    return _unpacked(np.concatenate(blocks)[:count], shared, z.shape[1])


def _dealt(how: Layout) -> NDArray[np.int_]:
    """The rows of a block in the order in which cores take them: each its share."""
    cores = len(jax.local_devices()) if how == "cores" else 1
    return np.arange(BLOCK).reshape(-1, cores).T.ravel()


def _ascend(kernels: Kernels, how: Layout, rows: Any, shared: Any) -> Any:
    """One array in and one out, (n, ·): many small ones take longer to hand over."""
    seen, problem = (Pattern(*shared[0]), shared[1]), kernels.problem
    dimension = seen[0].moves.shape[1]

    def one(packed: Array, same: _Same) -> Array:
        row = packed[:dimension], packed[dimension:-1], packed[-1].astype(int)

        def worked() -> Array:
            return jnp.concatenate([jnp.ravel(x) for x in _ascent(problem, row, same)])

        like = jax.eval_shape(worked)
        idle = partial(jnp.zeros, like.shape, like.dtype)
        found: Array = jax.lax.cond(row[2] == IDLE, idle, worked)
        return found

    return map_chains(one, rows, seen, how)


def _unpacked(rows: FloatArray, shared: Shared, dimension: int) -> Ascended:
    """The rows that `_ascend` made, taken apart again."""
    position, value, chi2, rest = np.split(
        rows, [dimension, dimension + 1, dimension + 2], axis=1
    )
    columns = rest.reshape(len(rows), -1, shared.n_data)
    n_background = columns.shape[1] - 1 - shared.n_components
    residual, background, curves = np.split(columns, [1, 1 + n_background], axis=1)
    return Ascended(
        position, value[:, 0], chi2[:, 0], residual[:, 0], background, curves
    )


_ON_ONE = Program(_ascend, n_static=2)
_ON_CORES = Program(_ascend, n_static=2, n_split=1)


def _program(how: Layout) -> Program:
    return _ON_CORES if how == "cores" else _ON_ONE


def _ascent(problem: Problem, row: _Row, shared: _Same) -> Ascended:
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


def _turn(problem: Problem, row: _Row, shared: _Same, state: _State) -> _State:
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
