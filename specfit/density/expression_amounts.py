"""What is linear in an expression, so that a search solves for it: Σ b_k g_k(others).

A parameter of one sign is the amplitude of a component, one of either sign scales a part
of the background.  An expression that has a part without any of them is not taken apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Position, Separable, Values
from specfit.density.parts import Parts, target
from specfit.density.separable import Drawn
from specfit.model.expressions import references
from specfit.model.ir import Const, Expression, Ref

if TYPE_CHECKING:
    from specfit.density.expression_curve import ExpressionCurve

_NONLINEAR = 99


def degree(expression: Expression, names: frozenset[str]) -> int:
    """Of the expression as a polynomial in `names`; large where it is none."""
    if isinstance(expression, Const):
        return 0
    if isinstance(expression, Ref):
        return int(expression.name in names)
    parts = [degree(part, names) for part in expression.arguments]
    match expression.function:
        case "+" | "-" | "neg":
            return max(parts)
        case "*":
            return sum(parts)
        case "/" if parts[1] == 0:
            return parts[0]
    return _NONLINEAR if any(parts) else 0


def linear_names(expressions: Sequence[Expression], known: Sequence[str]) -> list[str]:
    """Of the names, those in which all expressions are linear together, first come."""
    found: list[str] = []
    for name in known:
        trial = frozenset((*found, name))
        if all(degree(e, trial) <= 1 for e in expressions):
            found.append(name)
    return found


def expression_separable(
    parts: Parts, curve: ExpressionCurve, draws: Mapping[str, FloatArray]
) -> Separable | None:
    """The separable form; None where nothing of one sign is linear, or not all is."""
    drawn = Drawn(parts.plan)
    means = curve.means
    names = [n for n in drawn.names if any(n in references(e) for e in means)]
    linear = linear_names(means, names)
    signs = [_sign(draws[name]) for name in linear]
    form = _Form(
        parts,
        curve,
        [n for n, sign in zip(linear, signs, strict=True) if sign],
        [sign for sign in signs if sign],
        [n for n, sign in zip(linear, signs, strict=True) if not sign],
    )
    if not form.components or not form.whole():
        return None
    others = [n for n in names if n not in linear]
    used = [_beside(means, name, others) for name in form.components]
    if len(used) > 1 and len(set(used)) == 1:
        return None  # terms that all move together are not placed one by one
    return Separable(
        component_names=tuple(form.components),
        component_parameters=tuple(used),
        atom=form.atom,
        columns=form.columns,
        assemble=form.assemble,
        target=target,
    )


def _sign(values: FloatArray) -> int:
    """Of a parameter that never changes it, else 0."""
    return int(np.all(values >= 0.0)) - int(np.all(values <= 0.0))


def _beside(
    means: Sequence[Expression], name: str, others: list[str]
) -> tuple[str, ...]:
    """The nonlinear parameters that the term of `name` depends on."""
    found: set[str] = set()
    for mean in means:
        for term in terms(mean):
            mentioned = references(term)
            if name in mentioned:
                found |= mentioned
    return tuple(n for n in others if n in found)


def terms(expression: Expression) -> list[Expression]:
    """What is added up in an expression, its signs left out."""
    if isinstance(expression, Const | Ref) or expression.function not in (
        "+",
        "-",
        "neg",
    ):
        return [expression]
    return [term for part in expression.arguments for term in terms(part)]


@dataclass(frozen=True)
class _Form:
    """The functions of a separable form."""

    parts: Parts
    curve: ExpressionCurve
    components: list[str]
    signs: list[int]
    background: list[str]

    @property
    def identity(self) -> str:
        """Of the problem, and of what is linear in it."""
        return f"{self.parts.identity}{self.components}{self.background}"

    def whole(self) -> bool:
        """Whether nothing is left where all amplitudes are 0."""
        linear = {*self.components, *self.background}
        return all(
            linear & references(term)
            for mean in self.curve.means
            for term in terms(mean)
        )

    def atom(self, values: Values, data: Data) -> Array:
        """What one unit of each amplitude takes off, (n, S · C)."""
        return self._atoms(self.parts.vector(values, data), data)

    def columns(self, position: Position, data: Data) -> tuple[Array, Array]:
        """The curves of the background, and the atoms."""
        flat = self.parts.flat(position, data)
        size = jnp.asarray(data["counts"]).size
        known = self._curves(flat, self.background, data)
        rows = known if self.background else jnp.zeros((1, size))
        return rows, self._atoms(flat, data)

    def _atoms(self, flat: Array, data: Data) -> Array:
        signs = jnp.asarray(np.array(self.signs, dtype=float))
        return -signs[:, None] * self._curves(flat, self.components, data)

    def _curves(self, flat: Array, names: list[str], data: Data) -> Array:
        """The curve of each name for the value 1, the other amplitudes being 0."""
        index = self.parts.where.index
        every = np.array([index[n] for n in (*self.components, *self.background)])
        rows = np.array([index[n] for n in names], dtype=int)
        empty = flat.at[every].set(0.0)
        alone = jax.vmap(lambda row: empty.at[row].set(1.0))(rows)
        if not names:
            return jnp.zeros((0, 0))
        curves: Array = jax.vmap(lambda v: self.curve.expected(v, data).ravel())(alone)
        return curves

    def assemble(
        self, values: Values, amplitudes: Array, backgrounds: Array, data: Data
    ) -> Values:
        """Values with the amplitudes as fitted."""
        changed: dict[str, Any] = dict(values)
        for i, name in enumerate(self.components):
            changed[name] = self.signs[i] * jnp.maximum(amplitudes[i], 0.0)
        for i, name in enumerate(self.background):
            changed[name] = backgrounds[i]
        return self.parts.settled(changed, data)
