"""One batch of prior draws inside the intervals that the plan leaves, with weights."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.distributions import dirichlet
from specfit.model.drawing import draw, log_density, log_mass_of
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Expression, Joint, Model, Prior
from specfit.model.known import arguments_of
from specfit.model.ranges import all_ranges
from specfit.model.support import Plan, Unknown

Environment = dict[str, Any]
Task = Unknown | Joint | tuple[str, Expression]


def propose(
    model: Model[Prior],
    plan: Plan,
    n: int,
    generator: np.random.Generator,
    data: Mapping[str, float],
) -> tuple[Environment, FloatArray]:
    """Values by name and log weights (n,), −inf where a rule is broken."""
    known: Environment = dict(data)
    priors = {p.name: p.prior.dist for p in model.parameters}
    members = {name for joint in model.joints for name in joint.names}
    weight = np.zeros(n)
    for task in tasks_of(model, plan):
        if isinstance(task, Joint):
            drawn = dirichlet.sample(generator, n, task.concentrations, task.total)
            known |= dict(zip(task.names, drawn.T, strict=True))
        elif isinstance(task, Unknown):
            low, high = _ends(task, known)
            dist = priors.get(task.name)
            if task.name in members or dist is None:
                width = np.maximum(high - low, 0.0)
                known[task.name] = low + width * generator.uniform(size=n)
                weight = weight + np.log(np.maximum(width, 1e-300))
            else:
                with np.errstate(invalid="ignore"):
                    share = log_mass_of(dist, known, low, high) - log_mass_of(
                        dist, known
                    )
                weight = weight + share
                known[task.name] = draw(dist, generator, n, known, low, high)
        else:
            name, value = task
            known[name] = evaluate(value, known, np)
    return known, weight + _factors(model, plan, known)


def tasks_of(model: Model[Prior], plan: Plan) -> list[Task]:
    """What to draw and compute, each after what it needs."""
    priors = {p.name: p.prior.dist for p in model.parameters}
    tasks: dict[str, Task] = {}
    graph: dict[str, set[str]] = {}
    for unknown in plan.unknowns:
        tasks[unknown.name] = unknown
        dist = priors.get(unknown.name)
        needed = [*unknown.lowers, *unknown.uppers]
        needed += arguments_of(dist) if dist else []
        graph[unknown.name] = set().union(*map(references, needed))
    for joint in plan.simplices:
        for name in joint.names:
            graph[name] = {joint.names[0]} - {name}
        tasks[joint.names[0]] = joint
    for name, value in plan.computed:
        tasks[name] = (name, value)
        graph[name] = references(value)
    order = TopologicalSorter(graph).static_order()
    return [tasks[name] for name in order if name in tasks]


def _ends(unknown: Unknown, known: Environment) -> tuple[Any, Any]:
    low: Any = unknown.low
    for bound in unknown.lowers:
        value = evaluate(bound, known, np)
        low = value if low is None else np.maximum(low, value)
    high: Any = unknown.high
    for bound in unknown.uppers:
        value = evaluate(bound, known, np)
        high = value if high is None else np.minimum(high, value)
    return low, high


def _factors(model: Model[Prior], plan: Plan, known: Environment) -> FloatArray:
    """Log densities of ties and expectations, opened joints; −inf for broken rules."""
    total: Any = 0.0
    for parameter in model.parameters:
        if parameter.name in plan.tied:
            dist = parameter.prior.dist
            total = total + log_density(dist, known[parameter.name], known)
    for joint in model.joints:
        if joint not in plan.simplices:
            total = total + _dirichlet(joint, known)
    for rule in model.rules:
        if rule.kind == "require":
            holds = evaluate(rule.expression, known, np)
            total = total + np.where(holds, 0.0, -np.inf)
        elif rule.kind == "expect" and rule.dist is not None:
            value = evaluate(rule.expression, known, np)
            total = total + log_density(rule.dist, value, known)
    for computed, low, high in all_ranges(model):
        value = evaluate(computed, known, np)
        inside = (value >= low) & (value <= high)
        total = total + np.where(inside, 0.0, -np.inf)
    return np.asarray(total)


def _dirichlet(joint: Joint, known: Environment) -> FloatArray:
    """The log density of a Dirichlet prior over its first members; −inf outside."""
    from scipy.special import gammaln

    powers = np.array(joint.concentrations)
    total = gammaln(powers.sum()) - gammaln(powers).sum()
    total = total - (powers.size - 1) * np.log(joint.total)
    with np.errstate(divide="ignore", invalid="ignore"):
        for power, name in zip(powers, joint.names, strict=True):
            x = np.asarray(known[name], dtype=float) / joint.total
            factor = (power - 1.0) * np.log(x) if power != 1.0 else 0.0
            total = total + np.where(x >= 0.0, factor, -np.inf)
    return np.asarray(total)
