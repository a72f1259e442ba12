"""Draws of the prior that obey every rule, with NumPy alone.

Every unknown is drawn from its own prior cut to the interval that the plan leaves it,
in the plan's order, and carries the probability of that interval as a weight
(J. Geweke, V. Hajivassiliou, M. Keane's simulator): a chain of ten ordered fields needs
no ten-factorial rejections.  Ties and expectations multiply the weight by their density.
What no interval can express is then checked exactly, and weights are turned into plain
draws by rejection.  The mean weight is the share of the prior that the rules leave.

Source: V. Hajivassiliou, D. McFadden, P. Ruud, J. Econometrics 72, 85 (1996),
doi:10.1016/0304-4076(94)01716-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, RequireStrategy
from specfit.distributions import dirichlet
from specfit.model.drawing import draw, log_density, log_mass_of
from specfit.model.expressions import evaluate, missing, references
from specfit.model.ir import Expression, Joint, Model, Prior
from specfit.model.known import arguments_of
from specfit.model.ranges import physical_ranges
from specfit.model.support import BARRIER_WIDTH, Plan, Unknown

_BATCH = 20_000
_MOST = 1_000_000  # proposals; then draws are repeated by weight
_EFFECTIVE = 400.0

Environment = dict[str, Any]


@dataclass(frozen=True)
class PriorDraws:
    """Draws of the prior, rules included.

    values: every parameter and definition by name, (n,).
    log_mass: logarithm of what rules, ties and expectations leave of the prior, and
    log_mass_sd its standard error.
    barrier_scale: (n_barriers,), the width of each barrier in units of its slack.
    proposals: how many were drawn; repeated: whether draws had to be repeated by
    weight, because too few of the proposals obey the rules.
    """

    values: dict[str, FloatArray]
    log_mass: float
    log_mass_sd: float
    barrier_scale: FloatArray
    proposals: int
    repeated: bool


def prior_draws(
    model: Model[Prior],
    plan: Plan,
    n: int,
    seed: int,
    data_constants: Mapping[str, float],
) -> PriorDraws:
    """`n` draws of the prior under all rules.

    Raises
    ------
    KeyError
        A statistic of the data is needed and not among `data_constants`.
    ValueError
        None of a million proposals obeys the rules.

    """
    generator = np.random.default_rng(seed)
    batches: list[tuple[Environment, FloatArray]] = []
    proposals, scale = 0, np.ones(len(plan.barriers))
    size = max(_BATCH, n)
    while True:
        known, logs = _propose(model, plan, size, generator, data_constants)
        if not batches:
            scale = _barrier_scale(plan, known)
        proposals += size
        kept = np.isfinite(logs)
        batches.append(
            ({k: np.broadcast_to(v, size)[kept] for k, v in known.items()}, logs[kept])
        )
        logs = np.concatenate([part for _, part in batches])
        enough = logs.size and np.exp(logs - logs.max()).sum() >= max(
            1.1 * n, _EFFECTIVE
        )
        if enough or proposals >= _MOST:
            break
    if not logs.size:
        raise ValueError(f"none of {proposals} prior draws obeys the rules")
    known = {k: np.concatenate([part[k] for part, _ in batches]) for k in batches[0][0]}
    chosen, repeated = _resampled(logs, n, generator)
    weights = np.exp(logs - logs.max())
    mean = weights.sum() / proposals
    variance = (weights**2).sum() / proposals - mean**2
    return PriorDraws(
        values={name: known[name][chosen] for name in _all_names(model)},
        log_mass=float(logs.max() + np.log(mean)),
        log_mass_sd=float(np.sqrt(max(variance, 0.0) / proposals) / mean),
        barrier_scale=scale,
        proposals=proposals,
        repeated=repeated,
    )


def _resampled(
    logs: FloatArray, n: int, generator: np.random.Generator
) -> tuple[FloatArray, bool]:
    """Which proposals to keep so that they are plain draws."""
    accepted = np.flatnonzero(
        np.log(generator.uniform(size=logs.size)) < logs - logs.max()
    )
    if accepted.size >= n:
        return accepted[:n], False
    weights = np.exp(logs - logs.max())
    return generator.choice(logs.size, size=n, p=weights / weights.sum()), True


def _all_names(model: Model[Prior]) -> list[str]:
    names = [parameter.name for parameter in model.parameters]
    names += [name for joint in model.joints for name in joint.names]
    return names + [definition.name for definition in model.definitions]


# -------------------------------------------------------------------- proposals


def _propose(
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
    for task in _tasks(model, plan):
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


def _tasks(
    model: Model[Prior], plan: Plan
) -> list[Unknown | Joint | tuple[str, Expression]]:
    """What to draw and compute, each after what it needs."""
    priors = {p.name: p.prior.dist for p in model.parameters}
    tasks: dict[str, Unknown | Joint | tuple[str, Expression]] = {}
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
    for name, low, high in physical_ranges(model):
        inside = (known[name] >= low) & (known[name] <= high)
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


def _barrier_scale(plan: Plan, known: Environment) -> FloatArray:
    scales = []
    for barrier in plan.barriers:
        slack = np.asarray(evaluate(barrier.slack, known, np), dtype=float)
        lower, upper = np.quantile(slack[np.isfinite(slack)], [0.25, 0.75])
        spread = (upper - lower) / 1.349
        scales.append(BARRIER_WIDTH * (spread if spread > 0.0 else 1.0))
    return np.array(scales, dtype=float)


# ----------------------------------------------------------------- mass of rules


def weighed(
    model: Model[Prior],
    plan: Plan,
    data_constants: Mapping[str, float],
    n: int = _BATCH,
    seed: int = 0,
) -> list[RequireStrategy]:
    """Each `require` with the share of the prior without it that satisfies it.

    Draws are of the priors alone, ties included; the other rules are conditions.  A rule
    that needs data not yet read has NaN.
    """
    known = _unconditioned(model, plan, n, np.random.default_rng(seed), data_constants)
    holds: dict[int, Any] = {}
    for index, rule in enumerate(model.rules):
        if rule.kind == "require" and not missing(rule.expression, known):
            holds[index] = np.broadcast_to(evaluate(rule.expression, known, np), n)
    found = []
    for index, strategy in sorted(plan.strategies.items()):
        others = np.ones(n, dtype=bool)
        for other, mask in holds.items():
            others = others & (mask if other != index else True)
        share = np.nan
        if index in holds and others.any():
            share = float((others & holds[index]).sum() / others.sum())
        found.append(RequireStrategy(index, strategy, share))
    return found


def _unconditioned(
    model: Model[Prior],
    plan: Plan,
    n: int,
    generator: np.random.Generator,
    data: Mapping[str, float],
) -> Environment:
    """Draws of the priors without the inequalities; what needs absent data is left out."""
    known: Environment = dict(data)
    priors = {p.name: p.prior.dist for p in model.parameters}
    for joint in model.joints:
        drawn = dirichlet.sample(generator, n, joint.concentrations, joint.total)
        known |= dict(zip(joint.names, drawn.T, strict=True))
    for task in _tasks(model, plan):
        if isinstance(task, Unknown) and (dist := priors.get(task.name)) is not None:
            if not any(missing(argument, known) for argument in arguments_of(dist)):
                known[task.name] = draw(dist, generator, n, known)
        elif isinstance(task, tuple):
            name, value = task
            if not missing(value, known):
                known[name] = evaluate(value, known, np)
    return known
