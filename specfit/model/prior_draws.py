"""Draws of the prior that obey every rule, with NumPy alone.

Every unknown is drawn from its own prior cut to the interval that the plan leaves it,
in the plan's order, and carries the probability of that interval as a weight
(the simulator of J. Geweke, V. Hajivassiliou, M. Keane): a chain of ten ordered fields
needs no ten-factorial rejections.  Ties and expectations multiply the weight by their
density.  What no interval can express is then checked exactly, and weights are turned
into plain draws by rejection.  The mean weight is the share of the prior that is left.

Source: V. Hajivassiliou, D. McFadden, P. Ruud, J. Econometrics 72, 85 (1996),
doi:10.1016/0304-4076(94)01716-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, RequireStrategy
from specfit.distributions import dirichlet
from specfit.model.drawing import draw
from specfit.model.expressions import evaluate, missing
from specfit.model.ir import Model, Place, Prior
from specfit.model.known import arguments_of
from specfit.model.proposals import Environment, propose, tasks_of
from specfit.model.support import BARRIER_WIDTH, Plan, PlanError, Unknown

IndexArray = np.ndarray[Any, np.dtype[np.int64]]

_BATCH = 20_000
_MOST = 1_000_000  # proposals; then draws are repeated by weight
_EFFECTIVE = 400.0


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
    PlanError
        None of a million proposals obeys the rules.

    """
    generator = np.random.default_rng(seed)
    size = max(_BATCH, n)
    batches, parts, scale = _batches(model, plan, n, size, generator, data_constants)
    logs, proposals = np.concatenate(parts), len(parts) * size
    if not logs.size:
        rules = [rule for rule in model.rules if rule.kind == "require"]
        raise PlanError("require-impossible", {}, rules[0].place if rules else Place())
    chosen, repeated = _resampled(logs, n, generator)
    log_mass, spread = _mass(logs, proposals)
    return PriorDraws(
        values={
            name: np.concatenate([part[name] for part in batches])[chosen]
            for name in batches[0]
        },
        log_mass=log_mass,
        log_mass_sd=spread,
        barrier_scale=scale,
        proposals=proposals,
        repeated=repeated,
    )


def _batches(
    model: Model[Prior],
    plan: Plan,
    n: int,
    size: int,
    generator: np.random.Generator,
    data: Mapping[str, float],
) -> tuple[list[Environment], list[FloatArray], FloatArray]:
    """Proposals that obey the rules, their log weights, the widths of barriers."""
    batches: list[Environment] = []
    parts: list[FloatArray] = []
    scale = np.ones(len(plan.barriers))
    while not _enough(parts, n) and len(parts) * size < _MOST:
        known, logs = propose(model, plan, size, generator, data)
        if not parts:
            scale = _barrier_scale(plan, known)
        kept = np.isfinite(logs)
        names = _all_names(model)
        batches.append({k: np.broadcast_to(known[k], size)[kept] for k in names})
        parts.append(logs[kept])
    return batches, parts, scale


def _enough(parts: list[FloatArray], n: int) -> bool:
    """Whether rejection by weight will leave `n` of the proposals."""
    logs = np.concatenate([np.empty(0), *parts])
    if not logs.size:
        return False
    return bool(np.exp(logs - logs.max()).sum() >= max(1.1 * n, _EFFECTIVE))


def _mass(logs: FloatArray, proposals: int) -> tuple[float, float]:
    """The log of the mean weight of all proposals, and its standard error."""
    weights = np.exp(logs - logs.max())
    mean = weights.sum() / proposals
    variance = (weights**2).sum() / proposals - mean**2
    error = np.sqrt(max(variance, 0.0) / proposals) / mean
    return float(logs.max() + np.log(mean)), float(error)


def _resampled(
    logs: FloatArray, n: int, generator: np.random.Generator
) -> tuple[IndexArray, bool]:
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

    Draws are of the priors alone, ties included; the other rules are conditions.  A
    rule that needs data not yet read has NaN.
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
        share = alone = np.nan
        if index in holds:
            alone = float(holds[index].mean())
        if index in holds and others.any():
            share = float((others & holds[index]).sum() / others.sum())
        found.append(RequireStrategy(index, strategy, share, alone))
    return found


def _unconditioned(
    model: Model[Prior],
    plan: Plan,
    n: int,
    generator: np.random.Generator,
    data: Mapping[str, float],
) -> Environment:
    """Draws of the priors without the inequalities, nor what needs absent data."""
    known: Environment = dict(data)
    priors = {p.name: p.prior.dist for p in model.parameters}
    for joint in model.joints:
        drawn = dirichlet.sample(generator, n, joint.concentrations, joint.total)
        known |= dict(zip(joint.names, drawn.T, strict=True))
    for task in tasks_of(model, plan):
        if isinstance(task, Unknown) and (dist := priors.get(task.name)) is not None:
            if not any(missing(argument, known) for argument in arguments_of(dist)):
                known[task.name] = draw(dist, generator, n, known)
        elif isinstance(task, tuple):
            name, value = task
            if not missing(value, known):
                known[name] = evaluate(value, known, np)
    return known
