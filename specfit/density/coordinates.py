"""The change of variables: a position on the real line ↔ all values of the model.

All values stand in one vector: what is drawn, members of joint priors, definitions and
ties.  Unknowns with constant bounds are mapped together, whatever their number; those
whose bounds depend on others are mapped one by one, in the plan's order.  An unknown
without any bound is measured from its prior's location in units of its scale, so that a
unit step means the same for counts and for millimetres per second; one whose prior rests
on other unknowns, in units of that (`standard.py`); a thickness by its dip (`dip.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit import bijectors
from specfit.contracts import Array, Data, FloatArray
from specfit.density import framed
from specfit.density.bounds import folded, inside
from specfit.density.definitions import sorted_definitions
from specfit.density.dip import Dip, dips
from specfit.density.given import Given
from specfit.density.repeated import Step, steps
from specfit.density.scope import Scope
from specfit.density.standard import Standard, standardised
from specfit.density.walk import Walk
from specfit.model.expressions import evaluate
from specfit.model.ir import Const, Dist, Expression, Joint, Model, Prior
from specfit.model.support import Plan, Unknown

_ROUNDING = 1e-15
PLAIN = "plain members"
"""Of data: z holds all members of a simplex but the last as they are."""


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
        centre, scale = jnp.asarray(self.centre), jnp.asarray(self.scale)
        return centre + scale * x, jnp.sum(jnp.log(scale))

    def inverse(self, x: Array, margin: float) -> Array:
        """The coordinates of values, which are first moved inside the bounds."""
        well = inside(x, self.low, self.high, margin)
        if self.low is None and self.high is None:
            well = (well - self.centre) / self.scale
        return bijectors.inverse(well, self.low, self.high)


@dataclass(frozen=True)
class Coordinates:
    """The map between positions and values of one model.

    names: of the entries of z; index: name → its place in the vector of values.
    given: coefficients whose coordinates are those they have given all others.
    """

    names: tuple[str, ...]
    index: Mapping[str, int]
    groups: tuple[_Group, ...]
    simplices: tuple[Joint, ...]
    standards: tuple[Standard | Walk, ...]
    dips: tuple[Dip, ...]
    dynamic: tuple[Unknown, ...]
    constant: Mapping[str, float]
    aliases: Mapping[str, str]
    derived: tuple[tuple[str, Expression], ...]
    steps: tuple[Step, ...]
    given: Given | None = None

    def rows(self, names: Sequence[str]) -> FloatArray:
        """Where `names` stand in the vector of values."""
        return np.array([self.index[name] for name in names], dtype=int)

    def linear(self, name: str) -> tuple[float, float]:
        """Centre and unit of an unknown without bounds: value = centre + unit × z."""
        for group in self.groups:
            if name in group.names and group.low is None and group.high is None:
                at = group.names.index(name)
                return float(group.centre[at]), float(group.scale[at])
        return 0.0, 1.0

    def forward(self, z: Array, data: Data) -> tuple[Array, Array, Scope]:
        """All values in one vector, the log Jacobian of what is drawn, the scope."""
        if self.given is None:
            return self._forward(z, data)
        z, log_det = self.given.moved(z, self._forward(z, data)[2], data)
        values, log_jacobian, scope = self._forward(z, data)
        return values, log_jacobian + log_det, scope

    def _forward(self, z: Array, data: Data) -> tuple[Array, Array, Scope]:
        scope = Scope({**data["constants"], **self.constant}, self.aliases)
        parts, jacobians = [], []
        for group in self.groups:
            x, log_jacobian = group.forward(z)
            scope.place(group.names, x)
            parts.append(x)
            jacobians.append(log_jacobian)
        for number, joint in enumerate(self.simplices):
            x, log_jacobian = self._parts(number, z, data)
            scope.place(joint.names, x)
            parts.append(x)
            jacobians.append(log_jacobian)
        for standard in self.standards:
            x, log_jacobian = standard.forward(z, scope)
            scope.place(standard.names, x)
            parts.append(x)
            jacobians.append(log_jacobian)
        for dip in self.dips:
            x, log_jacobian = dip.forward(z, scope)
            scope.put(dip.name, x)
            jacobians.append(log_jacobian)
        for unknown in self.dynamic:
            at = z[self.names.index(unknown.name)]
            x, log_jacobian = bijectors.forward(at, *_bounds(unknown, scope))
            scope.put(unknown.name, x)
            jacobians.append(log_jacobian)
        for step in self.steps:
            step.into(scope, z.dtype)
        one_by_one = [one.name for one in self.dips]
        one_by_one += [*(u.name for u in self.dynamic), *(n for n, _ in self.derived)]
        if one_by_one:
            parts.append(scope.gather(one_by_one))
        parts.append(jnp.array(list(self.constant.values()), dtype=z.dtype))
        return jnp.concatenate(parts), sum(jacobians, jnp.zeros(())), scope

    def _parts(self, number: int, z: Array, data: Data) -> tuple[Array, Array]:
        """The members of a simplex, in the frame of the data where they have one."""
        joint = self.simplices[number]
        free = z[self._free(joint)]
        if PLAIN in data:
            return bijectors.members_forward(free, joint.total)
        if "frames" not in data:
            return bijectors.simplex_forward(free, joint.total)
        frame, others = data["frames"][number], z[self._outside]
        return framed.forward(free, others, frame, joint.total)

    def backward(
        self, values: Mapping[str, Any], data: Data, margin: float = 0.0
    ) -> Array:
        """The z of values by name, which are first moved inside their bounds.

        By `margin` of the interval, or to the next number where that is 0.
        """
        scope = Scope({**data["constants"], **self.constant, **values}, self.aliases)
        found: dict[str, Array] = {}
        for group in self.groups:
            z = group.inverse(_stacked(scope, group.names), margin)
            found |= dict(zip(group.names, z, strict=True))
        for number, joint in enumerate(self.simplices):
            least = max(np.finfo(float).tiny, margin) * joint.total
            x = jnp.maximum(_stacked(scope, joint.names), least)
            if PLAIN in data:
                z = x[:-1]
            elif "frames" in data:
                others = jnp.stack([found[self.names[i]] for i in self._outside])
                z = framed.inverse(x, others, data["frames"][number])
            else:
                z = bijectors.simplex_inverse(x, joint.total)
            found |= dict(zip(joint.names[:-1], z, strict=True))
        for standard in self.standards:
            x = _stacked(scope, standard.names)
            z = standard.inverse(x, scope, margin)
            found |= dict(zip(standard.names, z, strict=True))
        for dip in self.dips:
            x = jnp.asarray(scope[dip.name], float)
            found[dip.name] = dip.inverse(x, scope, margin)
        for unknown in self.dynamic:
            low, high = _bounds(unknown, scope)
            x = inside(jnp.asarray(scope[unknown.name], float), low, high, margin)
            scope.put(unknown.name, x)
            found[unknown.name] = bijectors.inverse(x, low, high)
        z = jnp.stack([found[name] for name in self.names])
        return z if self.given is None else self.given.unmoved(z, scope, data)

    @property
    def _outside(self) -> FloatArray:
        """The places in z of unknowns with constant bounds."""
        rows = [group.rows for group in self.groups]
        return np.concatenate(rows) if rows else np.zeros(0, int)

    def _free(self, joint: Joint) -> FloatArray:
        return np.array([self.names.index(name) for name in joint.names[:-1]], int)


def coordinates(
    model: Model[Prior], plan: Plan, own: Mapping[str, float] | None = None
) -> Coordinates:
    """The coordinates that a plan lays out.

    own: how well the data know those whose prior rests on others, as `informed` has it.
    """
    priors = {p.name: p.prior.dist for p in model.parameters}
    standards = standardised(model, plan, plan.names.index, own)
    apart = {name for one in standards for name in one.names}
    moving = {u.name: u for u in plan.unknowns}
    constant, aliases, derived = sorted_definitions(plan)
    known = {u.name for u in plan.unknowns if not u.dynamic} | constant.keys()
    known |= {name for joint in plan.simplices for name in joint.names}
    known |= {name for name, target in aliases.items() if target in known}
    needed = {name for one in standards for name in one.rests_on}
    by_dip = dips(model, plan, apart | needed, known)
    apart |= {one.name for one in by_dip}
    groups = _groups(plan, priors, apart)
    layout = [name for group in groups for name in group.names]
    layout += [name for joint in plan.simplices for name in joint.names]
    layout += [name for one in standards for name in one.names]
    layout += [one.name for one in by_dip]
    layout += [*plan.dynamic, *(name for name, _ in derived), *constant]
    index = {name: i for i, name in enumerate(layout)}
    index |= {name: index[target] for name, target in aliases.items()}
    return Coordinates(
        names=plan.names,
        index=index,
        groups=tuple(groups),
        simplices=plan.simplices,
        standards=standards,
        dips=by_dip,
        dynamic=tuple(moving[name] for name in plan.dynamic),
        constant=constant,
        aliases=aliases,
        derived=tuple(derived),
        steps=steps(derived),
    )


def _groups(
    plan: Plan, priors: Mapping[str, Dist], apart: Collection[str]
) -> list[_Group]:
    """The unknowns with constant bounds, by which bounds they have."""
    kinds: dict[tuple[bool, bool], list[Unknown]] = {}
    for unknown in plan.unknowns:
        if not unknown.dynamic and unknown.name not in apart:
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
                rows=np.array([plan.names.index(name) for name in names], dtype=int),
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


def _stacked(scope: Scope, names: Sequence[str]) -> Array:
    return jnp.stack([jnp.asarray(scope[name], float) for name in names])


def _bounds(unknown: Unknown, scope: Scope) -> tuple[Any, Any]:
    """The bounds in force; rounding may not let them cross."""
    lows = [] if unknown.low is None else [unknown.low]
    highs = [] if unknown.high is None else [unknown.high]
    lows += [evaluate(bound, scope, jnp) for bound in unknown.lowers]
    highs += [evaluate(bound, scope, jnp) for bound in unknown.uppers]
    low = folded(jnp.maximum, lows)
    high = folded(jnp.minimum, highs)
    if low is None or high is None:
        return low, high
    least = low + _ROUNDING * (1.0 + abs(low))
    return low, jnp.where(high > least, high, least)
