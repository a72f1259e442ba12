"""Partial assignments completed: values that are wanted, the rest from a prior draw.

An atom fixes the unknowns of one component, a beam those of the components already
placed.  The others are taken from the first of several bases with which every rule that
moves or orders the unknowns leaves the wanted values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference.compiled import Program
from specfit.inference.evaluate import in_blocks
from specfit.inference.projection import Kernels

SAME = 1e-6
"""Relative difference from what was wanted that rounding may make."""


class Seat(NamedTuple):
    """Values wanted by name, and the position from which those in `kept` are taken."""

    position: FloatArray
    kept: frozenset[str]
    wanted: Mapping[str, float]


def seated(
    problem: Problem, bases: Mapping[str, FloatArray], seats: Sequence[Seat]
) -> list[FloatArray | None]:
    """For each seat the position with its values; None where no base (n,) allows it."""
    names = tuple(sorted(bases))
    completing = np.stack([bases[name] for name in names], axis=1)
    kept = np.array([[name in seat.kept for name in names] for seat in seats])
    wanted = np.array([[s.wanted.get(n, np.nan) for n in names] for s in seats])
    rows = (np.stack([seat.position for seat in seats]), kept, wanted)

    def block(part: Any) -> Any:
        return _seated(Kernels(problem), names, part, completing, problem.data)

    found, holds = in_blocks(block, rows)
    return [z if held else None for z, held in zip(found, holds, strict=True)]


@partial(Program, n_static=2)
def _seated(
    kernels: Kernels, names: tuple[str, ...], rows: Any, bases: Array, data: Data
) -> Any:
    problem = kernels.problem

    def values(z: Array) -> Array:
        found = problem.constrain({"z": z}, data)
        return jnp.stack([found[name] for name in names])

    def one(row: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        position, kept, wanted = row
        fixed = kept | ~jnp.isnan(wanted)
        target = jnp.where(kept, values(position), wanted)

        def attempt(state: Any) -> Any:
            mixed = jnp.where(fixed, target, bases[state[0]])
            given = dict(zip(names, mixed, strict=True))
            z = problem.unconstrain(given, data)["z"]
            close = jnp.abs(values(z) - target) <= SAME * (1.0 + jnp.abs(target))
            holds = (close | ~fixed).all() & jnp.isfinite(z).all()
            return state[0] + 1, z, holds

        def going(state: Any) -> Array:
            more: Array = ~state[2] & (state[0] < len(bases))
            return more

        first = (jnp.asarray(0), position, jnp.asarray(False))
        _, z, holds = jax.lax.while_loop(going, attempt, first)
        return z, holds

    return jax.lax.map(one, rows)
