"""Unknowns of which each is a step away from the one before: a random walk over levels.

Coordinates are as those of `standard`, but of one step each: x_k = x_(k−1) + s_k y(z_k).
Without bounds the values are a running sum; with bounds, which bend every step, a loop
that is compiled once.  Written out one by one, as each rests on the one before, sixteen
levels would take minutes to compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from specfit.contracts import Array, FloatArray
from specfit.density.bend import bent, unbent
from specfit.density.bounds import inside
from specfit.density.repeated import Alike, alike, form_of
from specfit.density.scope import Scope
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Expression, Ref
from specfit.model.support import Unknown

Entry = tuple[Unknown, bool, Expression, Expression]
"""An unknown, whether the logarithm is meant, its location and its scale."""


@dataclass(frozen=True)
class Chain:
    """Unknowns in the order of their steps, with the scale of each step."""

    members: tuple[Unknown, ...]
    start: Expression
    scales: tuple[Expression, ...]

    @property
    def rests_on(self) -> frozenset[str]:
        """The names that its law is made of, its own members apart."""
        return frozenset(references(self.start)).union(*map(references, self.scales))


def chains(waiting: Mapping[str, Entry]) -> Iterator[Chain]:
    """The longest runs of which each member's location is the member before."""
    after = {
        entry[2].name: name
        for name, entry in waiting.items()
        if isinstance(entry[2], Ref) and entry[2].name in waiting
        if _alike(waiting[entry[2].name], entry)
    }
    for first in waiting:
        if first in after.values() or first not in after:
            continue
        run = [first]
        while run[-1] in after:
            run.append(after[run[-1]])
        entries = [waiting[name] for name in run]
        scales = tuple(scale for *_, scale in entries)
        yield Chain(tuple(u for u, *_ in entries), entries[0][2], scales)


def _alike(before: Entry, entry: Entry) -> bool:
    """Whether two steps may be taken in one loop."""
    (one, logarithm, _, scale), (other, also, _, size) = before, entry
    same = (one.low, one.high) == (other.low, other.high)
    return same and not (logarithm or also) and form_of(scale) == form_of(size)


@dataclass(frozen=True)
class Walk:
    """A chain of unknowns, mapped in one go; as `Standard` to those that use it."""

    names: tuple[str, ...]
    rows: FloatArray  # indices into z
    start: Expression
    scale: Alike
    rests_on: frozenset[str]
    low: float | None
    high: float | None
    own: FloatArray | None = None

    def forward(self, z: Array, scope: Scope) -> tuple[Array, Array]:
        """Values and the sum of log |dx/dz|, whose matrix is triangular."""
        at = z[self.rows]
        start, scale = self._law(scope, at.dtype)
        if self.low is None and self.high is None:
            return start + jnp.cumsum(scale * at), jnp.sum(jnp.log(scale))

        def step(before: Array, one: tuple[Array, Array]) -> tuple[Array, Any]:
            y, log_slope = bent(one[0], *self._ends(before, one[1]))
            value = inside(before + one[1] * y, self.low, self.high, 0.0)
            return value, (value, log_slope + jnp.log(one[1]))

        _, (values, logs) = lax.scan(step, start, (at, scale))
        return values, jnp.sum(logs)

    def inverse(self, x: Array, scope: Scope, margin: float) -> Array:
        """The coordinates of values, which are first moved inside the bounds."""
        value = inside(x, self.low, self.high, margin)
        start, scale = self._law(scope, value.dtype)
        before = jnp.concatenate([start[None], value[:-1]])
        above = None if self.low is None else (value - self.low) / scale
        below = None if self.high is None else (self.high - value) / scale
        ends = self._ends(before, scale)
        return unbent((value - before) / scale, ends, (above, below))

    def size(self, scope: Scope, dtype: Any) -> Array:
        """The unit of each z (k,)."""
        return self._law(scope, dtype)[1]

    def _law(self, scope: Scope, dtype: Any) -> tuple[Array, Array]:
        start = jnp.asarray(evaluate(self.start, scope, jnp), dtype)
        scale = self.scale(scope, dtype)
        if self.own is not None:
            scale = scale / jnp.sqrt(1.0 + (scale / jnp.asarray(self.own)) ** 2)
        return start, scale

    def _ends(self, location: Array, scale: Array) -> tuple[Array | None, Array | None]:
        low, high = (
            None if end is None else (end - location) / scale
            for end in (self.low, self.high)
        )
        return low, high


def walk_of(chain: Chain, rows: Sequence[int], own: Mapping[str, float] | None) -> Walk:
    """The coordinates of a chain whose members have these places in z."""
    first = chain.members[0]
    names = tuple(unknown.name for unknown in chain.members)
    return Walk(
        names=names,
        rows=np.array(rows, dtype=int),
        start=chain.start,
        scale=alike(chain.scales),
        rests_on=chain.rests_on,
        low=first.low,
        high=first.high,
        own=np.array([own[name] for name in names]) if own else None,
    )
