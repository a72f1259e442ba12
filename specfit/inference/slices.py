"""Sweeps of slices along lines, compiled once; directions and data are arguments.

R. M. Neal, Ann. Stat. 31, 705 (2003), doi:10.1214/aos/1056562461, figures 3 and 5.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from specfit.contracts import Array, Data
from specfit.inference.backend import Layout, map_chains
from specfit.inference.compiled import THOROUGH, Program
from specfit.inference.evaluate import Density

WIDTH = 3.0
"""First interval on a line, in standard deviations along it."""
STEPS_OUT = 12
"""Widths that an interval is widened by at most: more than any chain needs."""
TRIES = 200
"""Halvings of an interval after which rounding has the word and the point stays."""


class _Line(NamedTuple):
    """An interval about a point: what is left of widening it, and what it has come to.

    phase: 0 widens it downwards, 1 upwards, 2 shrinks it, 3 is done.
    """

    left: Array
    right: Array
    down: Array
    up: Array
    phase: Array
    asked: Array
    place: Array
    lp: Array
    strange: Array


def advance(
    logdensity: Density,
    capacity: int,
    how: Layout,
    chains: Any,
    span: Any,
    lines: Array,
    data: Data,
) -> Any:
    """Sweeps `first` to `first + length` of every chain; further rows stay zero.

    lines: (n_lines, dimension), of which each is as long as the draws vary along it.
    """

    def chain(mine: Any, shared: Any) -> Any:
        (y, lp, words), (first, length, lines, data) = mine, shared
        own = jax.random.wrap_key_data(words)

        def sweep(i: Array, carry: Any) -> Any:
            state, record = carry
            key = jax.random.fold_in(own, first + i)
            state, row = _sweep(partial(_height, logdensity, data), lines, key, state)
            return state, {name: record[name].at[i].set(row[name]) for name in record}

        room = {"y": (capacity, y.size)} | dict.fromkeys(ROWS, (capacity,))
        empty = {name: jnp.zeros(shape, y.dtype) for name, shape in room.items()}
        (y, lp), record = jax.lax.fori_loop(0, length, sweep, ((y, lp), empty))
        return y, lp, record

    return map_chains(chain, chains, (*span, lines, data), how)


ROWS = ("lp", "n_steps", "non_finite")
ON_ONE, ON_CORES = (
    Program(advance, n_static=3, n_split=n, options=THOROUGH) for n in (0, 1)
)


def _height(logdensity: Density, data: Data, y: Array) -> Array:
    return logdensity({"z": y}, data)


def _sweep(height: Any, lines: Array, key: Array, state: Any) -> Any:
    """Along each of the lines in turn."""

    def along(carry: Any, given: Any) -> Any:
        (y, lp), (line, number) = carry, given
        found = _drawn(height, y, lp, line, jax.random.fold_in(key, number))
        return (y + found.place * line, found.lp), (found.asked, found.strange)

    numbers = jnp.arange(len(lines))
    state, (counts, strange) = jax.lax.scan(along, state, (lines, numbers))
    real = lines.dtype
    row = {"y": state[0], "lp": state[1], "n_steps": jnp.sum(counts, dtype=real)}
    return state, {**row, "non_finite": jnp.asarray(jnp.any(strange), real)}


def _drawn(height: Any, y: Array, lp: Array, line: Array, key: Array) -> _Line:
    """A place on the line through `y`, evenly from what is above a level there."""
    dice = jax.random.uniform(key, (3,), y.dtype)
    level = lp + jnp.log(dice[0])
    left = -WIDTH * dice[1]
    down = jnp.floor(dice[2] * STEPS_OUT)
    nothing = jnp.zeros((), y.dtype)
    flag, none = jnp.asarray(False), jnp.asarray(0)
    begun = _Line(
        left, left + WIDTH, down, STEPS_OUT - 1 - down, none, none, nothing, lp, flag
    )

    def step(at: _Line) -> _Line:
        die = jax.random.uniform(jax.random.fold_in(key, at.asked), (), y.dtype)
        between = at.left + die * (at.right - at.left)
        ends = jnp.stack([at.left, at.right, between])
        place = ends[at.phase]
        value = height(y + place * line)
        strange = at.strange | jnp.isnan(value)
        return _moved(at, place, value, value > level)._replace(strange=strange)

    found: _Line = jax.lax.while_loop(lambda x: x.phase < 3, step, begun)
    return found


def _moved(line: _Line, place: Array, value: Array, above: Array) -> _Line:
    """The interval after the density was asked for at `place`."""
    lower, upper, shrink = (line.phase == phase for phase in range(3))
    wider_down = lower & above & (line.down > 0)
    wider_up = upper & above & (line.up > 0)
    taken, given_up = shrink & above, shrink & (line.asked >= TRIES)
    missed = shrink & ~above
    left = jnp.where(wider_down, line.left - WIDTH, line.left)
    right = jnp.where(wider_up, line.right + WIDTH, line.right)
    done = (lower & ~wider_down) | (upper & ~wider_up)
    phase = jnp.where(taken | given_up, 3, line.phase + done)
    return line._replace(
        left=jnp.where(missed & (place < 0.0), place, left),
        right=jnp.where(missed & (place >= 0.0), place, right),
        down=line.down - wider_down,
        up=line.up - wider_up,
        phase=phase,
        asked=line.asked + 1,
        place=jnp.where(taken, place, line.place),
        lp=jnp.where(taken, value, line.lp),
    )
