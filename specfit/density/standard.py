"""Unknowns whose prior rests on other unknowns, measured in units of that prior.

A value of `normal(m, t)` with m and t unknown is m + t z: drawn as z it is no narrower
where t is small, and the funnel of a hierarchy does not arise (O. Papaspiliopoulos,
G. O. Roberts, M. Sköld, Stat. Sci. 22, 59 (2007), doi:10.1214/088342307000000014).  The
density stays that of the value, since the change of variables brings its Jacobian.
What the data know by themselves, to s, is no wider than that however large t is: the unit
of z is the sd of both, t s / √(t² + s²), which is t where the data say little and s, a
plain scale, where they say all.  Bounds bend the line smoothly: with the softplus
p(u) = log(1 + exp u), a and b the bounds in those units from m, y = a + p(z − a) − p(z − b)
takes the place of z, which is z far from both.  Of positive families the logarithm is
taken so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, FloatArray
from specfit.density.bend import bent, unbent
from specfit.density.bounds import inside
from specfit.density.scope import Scope
from specfit.density.walk import Entry, Walk, chains, walk_of
from specfit.model.expressions import evaluate, nodes, references, substitute
from specfit.model.ir import Apply, Const, Dist, Expression, Model, Prior
from specfit.model.support import Plan, Unknown

_LOCATED = ("normal", "student_t", "lognormal")
_SCALED = ("halfnormal", "exponential", "halfcauchy", "gamma", "inverse_gamma")
"""Families of a location and a scale, and of a scale alone, in their last arguments."""
_LARGEST = 200  # nodes of an argument once definitions are put in


@dataclass(frozen=True)
class Standard:
    """Unknowns of one law and one kind of bounds, mapped in one go.

    location, scale: of the value, or of its logarithm where `logarithm`; low, high: in
    the same terms.  own: sd (k,) to which the data know each by themselves.
    """

    names: tuple[str, ...]
    rows: FloatArray  # indices into z
    logarithm: bool
    location: Expression
    scale: Expression
    low: FloatArray | None
    high: FloatArray | None
    own: FloatArray | None = None

    def forward(self, z: Array, scope: Scope) -> tuple[Array, Array]:
        """Values and the sum of log |dx/dz|."""
        at = z[self.rows]
        location, scale = self._law(scope, at.dtype)
        y, log_slope = bent(at, *self._ends(location, scale))
        value = location + scale * y
        log_jacobian = log_slope + jnp.log(scale) + jnp.zeros_like(at)
        value = inside(value, self.low, self.high, 0.0)
        if self.logarithm:
            return jnp.exp(value), jnp.sum(log_jacobian + value)
        return value, jnp.sum(log_jacobian)

    def inverse(self, x: Array, scope: Scope, margin: float) -> Array:
        """The coordinates of values, which are first moved inside the bounds."""
        value = jnp.log(jnp.maximum(x, 1e-300)) if self.logarithm else x
        value = inside(value, self.low, self.high, margin)
        location, scale = self._law(scope, value.dtype)
        a, b = self._ends(location, scale)
        above = None if self.low is None else (value - jnp.asarray(self.low)) / scale
        below = None if self.high is None else (jnp.asarray(self.high) - value) / scale
        return unbent((value - location) / scale, (a, b), (above, below))

    @property
    def rests_on(self) -> frozenset[str]:
        """The unknowns that its law is made of."""
        return frozenset(references(self.location) | references(self.scale))

    def size(self, scope: Scope, dtype: Any) -> Array:
        """The unit of z, of the value or of its logarithm."""
        return self._law(scope, dtype)[1]

    def _law(self, scope: Scope, dtype: Any) -> tuple[Array, Array]:
        location, scale = (
            jnp.asarray(evaluate(e, scope, jnp), dtype)
            for e in (self.location, self.scale)
        )
        if self.own is not None:
            own = jnp.asarray(self.own)
            scale = scale / jnp.sqrt(1.0 + (scale / own) ** 2)
        return location, scale

    def _ends(self, location: Array, scale: Array) -> tuple[Array | None, Array | None]:
        low, high = (
            None if end is None else (jnp.asarray(end) - location) / scale
            for end in (self.low, self.high)
        )
        return low, high


# ---------------------------------------------------------------------- which ones


def standardised(
    model: Model[Prior],
    plan: Plan,
    place: Callable[[str], int],
    own: Mapping[str, float] | None,
) -> tuple[Standard | Walk, ...]:
    """The groups of unknowns that are measured so, each after those it rests on.

    Not among them: unknowns with moving bounds, and what rests on such.
    """
    drawn = {u.name for u in plan.unknowns} | {
        n for j in plan.simplices for n in j.names
    }
    meanings = dict(plan.computed)
    waiting: dict[str, Entry] = {}
    priors = {p.name: p.prior.dist for p in model.parameters}
    for unknown in plan.unknowns:
        law = _law_of(priors.get(unknown.name))
        fixed = own is not None and unknown.name not in own
        if law is None or unknown.dynamic or fixed:
            continue
        logarithm, *parts = law
        parts = [_drawn_only(part, meanings, drawn) for part in parts]
        if any(references(part) & drawn for part in parts):
            waiting[unknown.name] = (unknown, logarithm, parts[0], parts[1])
    unready = {u.name for u in plan.unknowns if u.dynamic} | waiting.keys()
    return tuple(_in_order(waiting, unready, place, own))


def _in_order(
    waiting: dict[str, Entry],
    unready: set[str],
    place: Callable[[str], int],
    own: Mapping[str, float] | None,
) -> Iterator[Standard | Walk]:
    """Groups and chains, each after what it rests on; unready: what is not yet mapped."""
    steps = list(chains(waiting))
    chained = {unknown.name for chain in steps for unknown in chain.members}
    waiting = {n: entry for n, entry in waiting.items() if n not in chained}
    while waiting or steps:
        ready = {
            name: entry
            for name, entry in waiting.items()
            if not (references(entry[2]) | references(entry[3])) & unready
        }
        begun = [chain for chain in steps if not chain.rests_on & unready]
        if not ready and not begun:
            return
        yield from _grouped(list(ready.values()), place, own)
        for chain in begun:
            yield walk_of(chain, [place(u.name) for u in chain.members], own)
            unready = unready - {unknown.name for unknown in chain.members}
        unready = unready - ready.keys()
        waiting = {n: entry for n, entry in waiting.items() if n not in ready}
        steps = [chain for chain in steps if chain not in begun]


def _law_of(dist: Dist | None) -> tuple[bool, Expression, Expression] | None:
    """Whether the logarithm is meant, location and scale; None of other families."""
    if dist is None or dist.components:
        return None
    if dist.family in _LOCATED:
        location, scale = dist.arguments[-2:]
        return dist.family == "lognormal", location, scale
    if dist.family in _SCALED:
        scale = dist.arguments[-1]
        return True, Apply(function="log", arguments=(scale,)), Const(value=1.0)
    return None


def _drawn_only(
    expression: Expression, meanings: Mapping[str, Expression], drawn: Collection[str]
) -> Expression:
    """The expression with definitions replaced, as far as it stays short."""
    names = [n for n in references(expression) if n in meanings and n not in drawn]
    if not names or sum(1 for _ in nodes(expression)) > _LARGEST:
        return expression
    inner = {name: _drawn_only(meanings[name], meanings, drawn) for name in names}
    return substitute(expression, inner)


def _grouped(
    entries: Sequence[tuple[Unknown, bool, Expression, Expression]],
    place: Callable[[str], int],
    own: Mapping[str, float] | None,
) -> list[Standard]:
    kinds: dict[Any, list[tuple[Unknown, bool, Expression, Expression]]] = {}
    for entry in entries:
        unknown, logarithm, location, scale = entry
        low, high = _ends_of(unknown, logarithm)
        key = (logarithm, location, scale, low is None, high is None)
        kinds.setdefault(key, []).append(entry)
    made = []
    for members in kinds.values():
        _, logarithm, location, scale = members[0]
        names = tuple(unknown.name for unknown, *_ in members)
        ends = [_ends_of(unknown, logarithm) for unknown, *_ in members]
        lows, highs = (
            None if side[0] is None else np.array(side, dtype=float)
            for side in zip(*ends, strict=True)
        )
        rows = np.array([place(name) for name in names], dtype=int)
        known = np.array([own[name] for name in names]) if own else None
        laws = (logarithm, location, scale)
        made.append(Standard(names, rows, *laws, lows, highs, known))
    return made


def _ends_of(unknown: Unknown, logarithm: bool) -> tuple[float | None, float | None]:
    low, high = unknown.low, unknown.high
    if not logarithm:
        return low, high
    return (
        None if low is None or low <= 0.0 else float(np.log(low)),
        None if high is None else float(np.log(high)),
    )
