"""Definitions that say the same at every level of the data, evaluated in one go.

`Bint = B_0 * brillouin(2.5, spectrum.T, T_N)` stands for one definition a temperature:
the same expression with other leaves.  Written out one by one they double the time that
the density takes to compile; stacked they cost what one of them costs.  Only expressions
that name a law or a reflection are stacked: a sum compiles at once either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from specfit.contracts import Array
from specfit.density.scope import Scope
from specfit.model.expressions import evaluate, is_statistic, nodes, references, to_text
from specfit.model.functions import STACKED
from specfit.model.ir import Apply, Const, Expression, Ref

Named = tuple[str, Expression]


@dataclass(frozen=True)
class Step:
    """Definitions worked out together.

    form: their expression; a leaf in which they differ is a reference to a slot.
    slots: by name, the leaf of each of them.
    """

    names: tuple[str, ...]
    form: Expression
    slots: dict[str, tuple[Expression, ...]]

    def into(self, scope: Scope, dtype: Any) -> None:
        """Put the values into the scope, a scalar for each name."""
        if not self.slots:
            value = jnp.asarray(evaluate(self.form, scope, jnp), dtype=dtype)
            for name in self.names:
                scope.put(name, value)
            return
        scope.place(self.names, self.values(scope, dtype))

    def values(self, scope: Mapping[str, Any], dtype: Any) -> Array:
        """The values (k,) of expressions that are not all the same."""
        shared = references(self.form) - self.slots.keys()
        known = {name: scope[name] for name in shared}
        known |= {name: _stack(leaves, scope) for name, leaves in self.slots.items()}
        return jnp.asarray(evaluate(self.form, known, jnp), dtype)


@dataclass(frozen=True)
class Alike:
    """Expressions of one form, worked out together to one vector."""

    step: Step

    def __call__(self, scope: Mapping[str, Any], dtype: Any) -> Array:
        """Their values (k,)."""
        if not self.step.slots:
            value = jnp.asarray(evaluate(self.step.form, scope, jnp), dtype)
            return jnp.broadcast_to(value, len(self.step.names))
        return self.step.values(scope, dtype)


def alike(expressions: Sequence[Expression]) -> Alike:
    """Expressions that `form` says are of one form, to be evaluated in one go."""
    return Alike(_step([(str(i), one) for i, one in enumerate(expressions)]))


def _stack(leaves: Sequence[Expression], scope: Mapping[str, Any]) -> Array:
    if all(isinstance(leaf, Const) for leaf in leaves):
        return jnp.asarray([leaf.value for leaf in leaves if isinstance(leaf, Const)])
    named = [leaf.name for leaf in leaves if isinstance(leaf, Ref)]
    if len(named) == len(leaves) and isinstance(scope, Scope):
        return scope.gather(named)
    return jnp.stack([jnp.asarray(evaluate(x, scope, jnp), float) for x in leaves])


def steps(derived: Iterable[Named]) -> tuple[Step, ...]:
    """The definitions in an order in which each comes after those it needs."""
    depth: dict[str, int] = {}
    groups: dict[tuple[int, str], list[Named]] = {}
    for name, value in derived:
        depth[name] = 1 + max((depth.get(n, 0) for n in references(value)), default=0)
        key = form_of(value) if _heavy(value) else name
        groups.setdefault((depth[name], key), []).append((name, value))
    ordered = sorted(groups.items(), key=lambda item: item[0][0])
    return tuple(_step(members) for _, members in ordered)


def _heavy(value: Expression) -> bool:
    return any(isinstance(n, Apply) and n.function in STACKED for n in nodes(value))


def form_of(value: Expression) -> str:
    """The functions of an expression in their order; the leaves without their names.

    A spin is part of the form: `brillouin` needs a plain number.  A column's statistic
    is a leaf, which has a name of its own.
    """
    if not isinstance(value, Apply) or is_statistic(value):
        return "leaf" if isinstance(value, Apply) else value.op
    inside = " ".join(map(form_of, value.arguments))
    return f"{value.function}{_spin(value)}({inside})"


def _spin(node: Apply) -> str:
    return to_text(node.arguments[0]) if node.function == "brillouin" else ""


def _step(members: Sequence[Named]) -> Step:
    slots: dict[str, tuple[Expression, ...]] = {}
    form = _merged([value for _, value in members], slots)
    return Step(tuple(name for name, _ in members), form, slots)


def _merged(
    same: Sequence[Expression], slots: dict[str, tuple[Expression, ...]]
) -> Expression:
    first = same[0]
    if all(other == first for other in same):
        return first
    if isinstance(first, Apply) and not is_statistic(first):
        columns = zip(*(e.arguments for e in same if isinstance(e, Apply)), strict=True)
        arguments = tuple(_merged(column, slots) for column in columns)
        return Apply(function=first.function, arguments=arguments)
    name = f"#{len(slots)}"
    slots[name] = tuple(same)
    return Ref(name=name)
