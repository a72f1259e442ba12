"""The log prior: densities of the unknowns, of expectations, and barriers.

Densities of one family are evaluated together, and where their arguments are constants
the part that renormalises them to their bounds is worked out once, with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from specfit.contracts import Array, Data
from specfit.density.coordinates import Coordinates
from specfit.density.repeated import alike, form_of
from specfit.density.scope import Scope
from specfit.distributions import FAMILIES, dirichlet
from specfit.distributions.mathematics import JAX
from specfit.distributions.truncation import log_mass
from specfit.model.drawing import log_mass_of, simple
from specfit.model.expressions import evaluate
from specfit.model.ir import Const, Dist, Expression, Joint, Model, Prior
from specfit.model.linear import support_of
from specfit.model.support import Plan

Term = Callable[[Array, Scope, Data], Array]


@dataclass(frozen=True)
class PriorTerms:
    """The terms of a log prior: names, and a function that gives them in one vector."""

    names: tuple[str, ...]
    parts: tuple[Term, ...]

    def __call__(self, values: Array, scope: Scope, data: Data) -> Array:
        """All terms (n_terms,), in the order of `names`."""
        return jnp.concatenate([part(values, scope, data) for part in self.parts])


def prior_terms(model: Model[Prior], plan: Plan, where: Coordinates) -> PriorTerms:
    """Every factor of the prior but the change of variables."""
    names: list[str] = []
    parts: list[Term] = []
    for group in _grouped(model):
        names += [f"prior of {name}" for name, _ in group]
        parts.append(_densities(group, where, plan.tied))
    for joint in model.joints:
        names.append("prior of " + ", ".join(joint.names))
        parts.append(_dirichlet(joint, where))
    for rule in model.rules:
        if rule.kind == "expect" and rule.dist is not None:
            names.append(f"expect line {rule.place.line}")
            parts.append(_expectation(rule.expression, rule.dist))
    for positions in _barriers_alike(plan):
        names += [_barrier_name(model, plan.barriers[p].rule) for p in positions]
        parts.append(_barrier([plan.barriers[p].slack for p in positions], positions))
    return PriorTerms(tuple(names), tuple(parts))


def _barrier_name(model: Model[Prior], rule: int) -> str:
    if rule < 0:
        return "barrier of physical range"
    return f"barrier of {model.rules[rule].kind} line {model.rules[rule].place.line}"


def _barriers_alike(plan: Plan) -> list[list[int]]:
    """The barriers whose slacks are of one form, together."""
    groups: dict[str, list[int]] = {}
    for position, barrier in enumerate(plan.barriers):
        groups.setdefault(form_of(barrier.slack), []).append(position)
    return list(groups.values())


def _is_constant(dist: Dist) -> bool:
    return all(
        isinstance(argument, Const)
        for _, _, arguments in simple(dist)
        for argument in arguments
    )


def _grouped(model: Model[Prior]) -> list[list[tuple[str, Dist]]]:
    """Parameters whose densities have one form, together."""
    groups: dict[Any, list[tuple[str, Dist]]] = {}
    for parameter in model.parameters:
        dist = parameter.prior.dist
        families = tuple(family for _, family, _ in simple(dist))
        key = (families,) if _is_constant(dist) else (families, *_moving_form(dist))
        groups.setdefault(key, []).append((parameter.name, dist))
    return list(groups.values())


def _moving_form(dist: Dist) -> tuple[Any, ...]:
    """What densities must have in common to be worked out together."""
    weights = [weight for weight, *_ in simple(dist)]
    forms = [form_of(a) for *_, arguments in simple(dist) for a in arguments]
    return (tuple(weights), tuple(forms), dist.low, dist.high)


def _densities(
    group: Sequence[tuple[str, Dist]], where: Coordinates, tied: frozenset[str]
) -> Term:
    rows = where.rows([name for name, _ in group])
    ends = np.array([support_of(dist) for _, dist in group])
    clip = any(name in tied for name, _ in group)
    dists = [dist for _, dist in group]
    if all(_is_constant(dist) for dist in dists):
        density = _constant_density(dists)
    else:
        density = _moving_density(dists)

    def term(values: Array, scope: Scope, data: Data) -> Array:
        x = values[rows]
        return density(jnp.clip(x, ends[:, 0], ends[:, 1]) if clip else x, scope)

    return term


def _constant_density(dists: Sequence[Dist]) -> Callable[[Array, Scope], Array]:
    """Log densities with constant arguments, element by element."""
    forms = [simple(dist) for dist in dists]
    mass = np.array([log_mass_of(dist, {}) for dist in dists])
    parts = []
    for position in range(len(forms[0])):
        weights = np.log([form[position][0] for form in forms])
        arguments = zip(*(_numbers(form[position][2]) for form in forms), strict=True)
        family = FAMILIES[forms[0][position][1]]
        parts.append((weights, family, [np.array(column) for column in arguments]))

    def density(x: Array, scope: Scope) -> Array:
        logs = [family.log_density(x, *given) + w for w, family, given in parts]
        return _mixed(logs) - mass

    return density


def _mixed(logs: Sequence[Array]) -> Array:
    """The logarithm of a sum of exponentials, element by element."""
    if len(logs) == 1:
        return logs[0]
    total: Array = logsumexp(jnp.stack(logs), axis=0)
    return total


def _numbers(arguments: Sequence[Expression]) -> list[float]:
    return [argument.value for argument in arguments if isinstance(argument, Const)]


def _moving_density(dists: Sequence[Dist]) -> Callable[[Array, Scope], Array]:
    """Log densities of one form, whose arguments are other unknowns or data."""
    forms, low, high = [simple(d) for d in dists], dists[0].low, dists[0].high
    parts = []
    for position, (weight, family, _) in enumerate(forms[0]):
        columns = zip(*(form[position][2] for form in forms), strict=True)
        parts.append((np.log(weight), family, [alike(column) for column in columns]))

    def density(x: Array, scope: Scope) -> Array:
        logs, masses = [], []
        for log_weight, family, arguments in parts:
            given = [argument(scope, x.dtype) for argument in arguments]
            logs.append(log_weight + FAMILIES[family].log_density(x, *given))
            mass = log_mass(JAX, family, given, low, high)
            masses.append(log_weight + jnp.asarray(mass, x.dtype))
        return _mixed(logs) - _mixed(masses)

    return density


def _dirichlet(joint: Joint, where: Coordinates) -> Term:
    rows = where.rows(joint.names)

    def term(values: Array, scope: Scope, data: Data) -> Array:
        x = jnp.maximum(values[rows], np.finfo(float).tiny)
        return dirichlet.log_density(x, joint.concentrations, joint.total)[None]

    return term


def _expectation(expression: Expression, dist: Dist) -> Term:
    low, high = support_of(dist)
    density = (
        _constant_density([dist]) if _is_constant(dist) else _moving_density([dist])
    )

    def term(values: Array, scope: Scope, data: Data) -> Array:
        x = jnp.asarray(evaluate(expression, scope, jnp), values.dtype)
        return density(jnp.clip(x, low, high)[None], scope)

    return term


def _barrier(slacks: Sequence[Expression], positions: Sequence[int]) -> Term:
    slack, rows = alike(slacks), np.array(positions, dtype=int)

    def term(values: Array, scope: Scope, data: Data) -> Array:
        short = jnp.minimum(slack(scope, values.dtype), 0.0)
        height: Array = -0.5 * (short / jnp.asarray(data["barrier_scale"])[rows]) ** 2
        return height

    return term
