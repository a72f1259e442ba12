"""The change of variables: a position on the real line ↔ all values of the model.

All values stand in one vector: what is drawn, members of joint priors, definitions and
ties.  Unknowns with constant bounds are mapped together, whatever their number; those
whose bounds depend on others are mapped one by one, in the plan's order.  An unknown
without any bound is measured from its prior's location in units of its scale, so that a
unit step means the same for counts and for millimetres per second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit import bijectors
from specfit.contracts import Array, Data, FloatArray
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Const, Dist, Expression, Joint, Model, Prior, Ref
from specfit.model.support import Plan, Unknown

_ROUNDING = 1e-15


class Scope(Mapping[str, Any]):
    """The environment of expressions during one evaluation: scalars by name."""

    def __init__(self, known: Mapping[str, Any], aliases: Mapping[str, str]) -> None:
        self._scalars: dict[str, Any] = dict(known)
        self._aliases = aliases
        self._places: dict[str, tuple[Array, int]] = {}

    def place(self, names: Sequence[str], vector: Array) -> None:
        """Let `names` be the entries of `vector`."""
        for position, name in enumerate(names):
            self._places[name] = (vector, position)

    def put(self, name: str, value: Any) -> None:
        """Let `name` be a scalar."""
        self._scalars[name] = value

    def __getitem__(self, name: str) -> Any:
        name = self._aliases.get(name, name)
        if name not in self._scalars:
            vector, position = self._places[name]
            self._scalars[name] = vector[position]
        return self._scalars[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._scalars, **self._aliases})

    def __len__(self) -> int:
        return len({**self._places, **self._scalars, **self._aliases})


@dataclass(frozen=True)
class _Group:
    """Unknowns with the same kind of constant bounds, mapped in one go."""

    names: tuple[str, ...]
    rows: FloatArray  # indices into z
    low: FloatArray | None
    high: FloatArray | None
    centre: FloatArray
    scale: FloatArray

    def forward(self, z: Array) -> tuple[Array, Array]:
        """Values and the sum of log |dx/dz|."""
        x, log_jacobian = bijectors.forward(z[self.rows], self.low, self.high)
        if self.low is not None or self.high is not None:
            return x, jnp.sum(log_jacobian)
        return self.centre + self.scale * x, np.sum(np.log(self.scale))

    def inverse(self, x: Array, margin: float) -> Array:
        """The coordinates of values, which are first moved inside the bounds."""
        inside = _inside(x, self.low, self.high, margin)
        if self.low is None and self.high is None:
            inside = (inside - self.centre) / self.scale
        return bijectors.inverse(inside, self.low, self.high)


@dataclass(frozen=True)
class Coordinates:
    """The map between positions and values of one model."""

    names: tuple[str, ...]  # of the entries of z
    index: Mapping[str, int]  # name → its place in the vector of values
    forward: Callable[[Array, Data], tuple[Array, Array, Scope]]
    backward: Callable[..., Array]  # (values, data, margin = 0)

    def rows(self, names: Sequence[str]) -> FloatArray:
        """Where `names` stand in the vector of values."""
        return np.array([self.index[name] for name in names], dtype=int)


def coordinates(model: Model[Prior], plan: Plan) -> Coordinates:
    """The coordinates that a plan lays out."""
    names = plan.names
    row = {name: i for i, name in enumerate(names)}
    priors = {p.name: p.prior.dist for p in model.parameters}
    groups = _groups(plan, row, priors)
    moving = {u.name: u for u in plan.unknowns}
    dynamic = [moving[name] for name in plan.dynamic]
    constant, aliases, derived = _sorted_definitions(plan)
    layout: list[str] = [name for group in groups for name in group.names]
    layout += [name for joint in plan.simplices for name in joint.names]
    layout += [*plan.dynamic, *(name for name, _ in derived), *constant]
    index = {name: i for i, name in enumerate(layout)}
    for name, target in aliases.items():
        index[name] = index[target]

    def forward(z: Array, data: Data) -> tuple[Array, Array, Scope]:
        scope = Scope({**data["constants"], **constant}, aliases)
        parts, total = [], jnp.zeros(())
        for group in groups:
            x, log_jacobian = group.forward(z)
            scope.place(group.names, x)
            parts.append(x)
            total = total + log_jacobian
        for joint in plan.simplices:
            x, log_jacobian = bijectors.simplex_forward(
                z[_rows(joint, row)], joint.total
            )
            scope.place(joint.names, x)
            parts.append(x)
            total = total + log_jacobian
        for unknown in dynamic:
            low, high = _bounds(unknown, scope)
            x, log_jacobian = bijectors.forward(z[row[unknown.name]], low, high)
            scope.put(unknown.name, x)
            total = total + log_jacobian
        for name, value in derived:
            scope.put(name, jnp.asarray(evaluate(value, scope, jnp), dtype=z.dtype))
        scalars = [scope[name] for name in (*plan.dynamic, *(n for n, _ in derived))]
        if scalars:
            parts.append(jnp.stack(scalars))
        parts.append(np.array(list(constant.values()), dtype=float))
        return jnp.concatenate(parts), total, scope

    def backward(values: Mapping[str, Any], data: Data, margin: float = 0.0) -> Array:
        scope = Scope({**data["constants"], **constant, **values}, aliases)
        entries: dict[int, Array] = {}
        for group in groups:
            x = jnp.stack([jnp.asarray(scope[name], float) for name in group.names])
            entries.update(
                zip(group.rows.tolist(), group.inverse(x, margin), strict=True)
            )
        for joint in plan.simplices:
            x = jnp.stack([jnp.asarray(scope[name], float) for name in joint.names])
            x = jnp.maximum(x, max(np.finfo(float).tiny, margin) * joint.total)
            free = bijectors.simplex_inverse(x, joint.total)
            entries.update(zip(_rows(joint, row).tolist(), free, strict=True))
        for unknown in dynamic:
            low, high = _bounds(unknown, scope)
            x = jnp.asarray(scope[unknown.name], float)
            x = _inside(x, low, high, margin)
            scope.put(unknown.name, x)
            entries[row[unknown.name]] = bijectors.inverse(x, low, high)
        return jnp.stack([entries[i] for i in range(len(names))])

    return Coordinates(names, index, forward, backward)


def _groups(
    plan: Plan, row: Mapping[str, int], priors: Mapping[str, Dist]
) -> list[_Group]:
    """The unknowns with constant bounds, by which bounds they have."""
    kinds: dict[tuple[bool, bool], list[Unknown]] = {}
    for unknown in plan.unknowns:
        if not unknown.dynamic:
            key = (unknown.low is None, unknown.high is None)
            kinds.setdefault(key, []).append(unknown)
    made = []
    for (open_below, open_above), members in kinds.items():
        names = tuple(unknown.name for unknown in members)
        places = [_location_scale(priors.get(name)) for name in names]
        low = None if open_below else np.array([u.low for u in members], float)
        high = None if open_above else np.array([u.high for u in members], float)
        made.append(
            _Group(
                names=names,
                rows=np.array([row[name] for name in names], dtype=int),
                low=low,
                high=high,
                centre=np.array([centre for centre, _ in places]),
                scale=np.array([scale for _, scale in places]),
            )
        )
    return made


def _location_scale(dist: Dist | None) -> tuple[float, float]:
    """The last two arguments of a family with location and scale; else 0 and 1."""
    while dist is not None and dist.components:
        dist = dist.components[0][1]
    if dist is not None and dist.family in ("normal", "student_t"):
        centre, scale = dist.arguments[-2:]
        if isinstance(centre, Const) and isinstance(scale, Const):
            return centre.value, scale.value
    return 0.0, 1.0


def _sorted_definitions(
    plan: Plan,
) -> tuple[dict[str, float], dict[str, str], list[tuple[str, Expression]]]:
    """Constants by value, other names of the same value, and what must be computed."""
    constant: dict[str, float] = {}
    aliases: dict[str, str] = {}
    derived: list[tuple[str, Expression]] = []
    known = {u.name for u in plan.unknowns}
    known |= {name for joint in plan.simplices for name in joint.names}
    for name, value in plan.computed:
        if references(value) <= constant.keys():
            constant[name] = float(evaluate(value, constant, np))
        elif isinstance(value, Ref) and value.name in known:
            aliases[name] = aliases.get(value.name, value.name)
        else:
            derived.append((name, value))
        known.add(name)
    return constant, aliases, derived


def _rows(joint: Joint, row: Mapping[str, int]) -> FloatArray:
    return np.array([row[name] for name in joint.names[:-1]], dtype=int)


def _bounds(unknown: Unknown, scope: Scope) -> tuple[Any, Any]:
    """The bounds in force; rounding may not let them cross."""
    lows = [] if unknown.low is None else [unknown.low]
    highs = [] if unknown.high is None else [unknown.high]
    lows += [evaluate(bound, scope, jnp) for bound in unknown.lowers]
    highs += [evaluate(bound, scope, jnp) for bound in unknown.uppers]
    low = _fold(jnp.maximum, lows)
    high = _fold(jnp.minimum, highs)
    if low is None or high is None:
        return low, high
    least = low + _ROUNDING * (1.0 + abs(low))
    return low, jnp.where(high > least, high, least)


def _fold(function: Callable[[Any, Any], Any], items: list[Any]) -> Any:
    if not items:
        return None
    result = items[0]
    for item in items[1:]:
        result = function(result, item)
    return result


def _inside(x: Array, low: Any, high: Any, margin: float) -> Array:
    """`x`, moved inside the bounds: to the next number, or by `margin` of the interval."""
    width = high - low if low is not None and high is not None else 1.0
    if low is not None:
        next_ = jnp.nextafter(jnp.asarray(low, x.dtype), jnp.inf)
        x = jnp.maximum(x, jnp.maximum(next_, low + margin * width))
    if high is not None:
        next_ = jnp.nextafter(jnp.asarray(high, x.dtype), -jnp.inf)
        x = jnp.minimum(x, jnp.minimum(next_, high - margin * width))
    return x
