"""The engines: from a surveyed problem to draws.

`map` stops at the weightiest mode, `laplace` draws from the Gaussian that touches it,
`nuts` samples.  `auto` is for those who do not mind which; it is `nuts` today.  A new
engine is one function here (or in a file of its own) and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import jax
import numpy as np

from specfit.contracts import FloatArray
from specfit.inference import evaluate, gates, identify
from specfit.inference.gates import Gate
from specfit.inference.ground import Clock, Ground, Sampled, failed, physical
from specfit.inference.mixing import Mixing, mixing
from specfit.inference.nuts import Chains, Plan, sample
from specfit.inference.obedience import obedient

Engine = Callable[[Ground], Sampled]
ESCALATED_TARGET = 0.95
REPORTED = (
    "diverging", "energy", "lp", "acceptance_rate", "n_steps", "step_size", "non_finite"
)  # fmt: skip


def run_map(ground: Ground) -> Sampled:
    """The mode alone, as a fit of one draw (highest density in unconstrained space)."""
    positions = ground.best.peak.position[None, None]
    note = "one point: the highest density in unconstrained coordinates, no uncertainty"
    no_spread = gates.at_most("no_uncertainty", 1.0, 0.0)
    conditions = (*ground.mode_gates, no_spread)
    return _points(ground, positions, Mixing({}, {}, {}, ()), conditions, (note,))


def run_laplace(ground: Ground) -> Sampled:
    """Independent draws of the Gaussian at the mode, refused where it does not fit."""
    settings, shape = ground.settings, ground.best.shape
    size = (settings.chains, settings.draws, len(shape.mean))
    normal = evaluate.generator(ground.keys[2]).standard_normal(size)
    positions = shape.mean + normal @ shape.factor.T
    fits = gates.at_most("pareto_k", ground.evidence.pareto_k, gates.PARETO)
    conditions = (*ground.mode_gates, fits, *_open_gates(ground, positions))
    mixed = mixing(physical(ground.problem, positions))
    notes = (
        "draws of the Gaussian approximation at the mode",
        *_left_open(ground, positions),
    )
    return _points(ground, positions, mixed, conditions, notes)


def _points(
    ground: Ground,
    positions: FloatArray,
    mixed: Mixing,
    conditions: tuple[Gate, ...],
    notes: tuple[str, ...],
) -> Sampled:
    """Positions that no chain made; the sampler's figures are absent (NaN)."""
    rows = positions.reshape(-1, positions.shape[-1])
    lp = evaluate.log_densities(ground.problem, rows).reshape(positions.shape[:2])
    statistics = {name: np.full(lp.shape, np.nan) for name in REPORTED}
    statistics |= {"lp": lp, "energy": -lp, "diverging": np.zeros(lp.shape)}
    statistics["non_finite"] = (~np.isfinite(lp)).astype(float)
    finite = gates.at_most("non_finite", np.sum(statistics["non_finite"]), 0.0)
    draws = physical(ground.problem, positions)
    return Sampled(
        positions, draws, statistics, mixed, (*conditions, finite), notes,
        (), {},
    )  # fmt: skip


def run_nuts(ground: Ground) -> Sampled:
    """Whitened NUTS; where its gates fail, once more with a longer, dense warm-up."""
    first = _attempt(ground, 0)
    trouble = failed(first.gates)
    hopeless = failed(ground.mode_gates) or first.details["interrupted"]
    if not trouble or hopeless:
        return first
    try:
        second = _attempt(ground, 1)
    except KeyboardInterrupt:
        return _stopped(first)
    note = f"sampled again with a longer warm-up, because of: {', '.join(trouble)}"
    return replace(
        second,
        notes=(note, *second.notes),
        stages=(*first.stages, *second.stages),
    )


def _stopped(first: Sampled) -> Sampled:
    """The first attempt, when its repetition was interrupted."""
    kept = tuple(gate for gate in first.gates if gate[0] != "interrupted")
    return replace(
        first,
        gates=(*kept, gates.at_most("interrupted", 1.0, 0.0)),
        notes=(*first.notes, "interrupted while sampling again"),
        details={**first.details, "interrupted": True},
    )


def _attempt(ground: Ground, number: int) -> Sampled:
    clock, settings = Clock(), ground.settings
    key = jax.random.fold_in(ground.keys[2], number)
    plan = _plan(ground, number)
    every = sample(ground.problem, ground.best.shape, key, settings.chains, plan)
    chains = obedient(ground.problem, every)
    drawn = clock.stage("sampling", f"{settings.chains} chains of {plan.total} steps")
    draws = physical(ground.problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    stopped = gates.at_most("interrupted", float(chains.interrupted), 0.0)
    conditions = (
        *gates.sampling_gates(_coordinates(chains), mixed, every.statistics),
        *ground.mode_gates,
        *_open_gates(ground, chains.positions),
        stopped,
    )
    return Sampled(
        chains.positions, draws, chains.statistics, mixed, conditions,
        chains.notes + _left_open(ground, chains.positions),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": chains.interrupted, "attempts": number + 1},
    )  # fmt: skip


def _plan(ground: Ground, number: int) -> Plan:
    """The usual run, or the one that is tried when that did not do."""
    settings = ground.settings
    stage = "sampling" if number == 0 else "sampling again"
    return Plan(
        windows=(settings.warmup,) * (1 if number == 0 else 5),
        dense=number > 0,
        draws=settings.draws * (1 + number),
        target_accept=max(settings.target_accept, ESCALATED_TARGET * number),
        chunk=settings.chunk,
        report=lambda done: ground.say(stage, done, ""),
    )


def _coordinates(chains: Chains) -> dict[str, FloatArray]:
    return {f"z[{i}]": z for i, z in enumerate(np.moveaxis(chains.positions, 2, 0))}


def _open_gates(ground: Ground, positions: FloatArray) -> tuple[Gate, ...]:
    """The gates on what the data leave open."""
    rows = positions.reshape(-1, positions.shape[-1])
    groups = identify.open_directions(rows, ground.prior_positions)
    return (gates.at_most("open_directions", float(len(groups)), 0.0),)


def _at_bounds(ground: Ground, positions: FloatArray, part: float) -> dict[str, float]:
    ranges = identify.bounds(ground.problem, ground.best.peak.position)
    return identify.at_bounds(physical(ground.problem, positions), ranges, part)


def _left_open(ground: Ground, positions: FloatArray) -> tuple[str, ...]:
    """Notes on directions, bounds and unknowns that only the prior fixes."""
    rows, names = positions.reshape(-1, positions.shape[-1]), ground.problem.names

    def called(i: int) -> str:
        return names[i] if len(names) == ground.problem.dimension else f"z[{i}]"

    groups = identify.open_directions(rows, ground.prior_positions)
    kept = identify.uninformed(rows, ground.prior_positions)
    near = _at_bounds(ground, positions, identify.NEAR)
    return (
        *(
            f"only a combination of {', '.join(map(called, group))} was learned"
            for group in groups
        ),
        *(f"{called(i)} keeps its prior: the data say nothing of it" for i in kept),
        *(
            f"{name} lies near a bound: {share:.0%} of the draws in 1 % of its range"
            for name, share in near.items()
            if share > identify.HUGGING
        ),
    )


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"auto": run_nuts, "nuts": run_nuts, "laplace": run_laplace, "map": run_map}
)
