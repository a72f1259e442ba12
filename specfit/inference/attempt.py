"""One attempt at all modes with NUTS: chains of each, their gates, mixed by weight."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference import blend, gates, keys
from specfit.inference.gates import Gate
from specfit.inference.ground import Clock, Ground, Sampled, physical
from specfit.inference.ground import Part as AnswerPart
from specfit.inference.laplace import UNRELIABLE
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains, Plan
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.settings import NonFiniteStart
from specfit.inference.straight import sampled

ESCALATED_TARGET = 0.95
WHOLE_TARGETS = 0.97, 0.99
"""Acceptance asked for, first and again, where scales are drawn whose coefficients are
integrated out: how sharply the density bends varies tenfold from draw to draw."""


@dataclass(frozen=True)
class _Part:
    """The chains of one mode, the modes they visit (its own first), and their gates."""

    modes: tuple[int, ...]
    chains: Chains
    gates: tuple[Gate, ...]


def attempt(ground: Ground, number: int) -> Sampled:
    """All modes sampled once; `number` 1 is the longer, denser way."""
    clock, settings = Clock(), ground.settings
    parts, stopped = _parts(ground, number)
    chains = _mixture(ground, parts, number)
    count = len(parts)
    where = "one mode" if count == 1 else f"each of {count} modes"
    steps = _plan(ground, number, 0).total
    drawn = clock.stage(
        "sampling", f"{settings.chains} chains of {steps} steps, {where}"
    )
    draws = physical(ground.problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    own = gates.sampling_gates(_coordinates(chains), mixed, chains.statistics)
    reached = {mode for part in parts for mode in part.modes}
    weighed = gates.at_most("pareto_k", ground.evidence.pareto_k, UNRELIABLE)
    return Sampled(
        chains.positions, draws, chains.statistics, mixed,
        (
            *blend.worst([*(part.gates for part in parts), own]),
            *gates.of_chains(ground.mode_gates(reached), ground.problem.whole),
            *((weighed,) if count > 1 else ()),
            *open_gates(ground, [part.chains.positions for part in parts]),
            gates.at_most("interrupted", float(stopped), 0.0),
        ),
        chains.notes + left_open(ground, [part.chains.positions for part in parts]),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": stopped, "attempts": 1, "sampler": "nuts"},
        _answers(ground, parts),
    )  # fmt: skip


def _answers(ground: Ground, parts: list[_Part]) -> tuple[AnswerPart, ...]:
    """The parts as answers, where there are several."""
    shares = [sum(ground.kept[m].weight for m in part.modes) for part in parts]
    return tuple(
        (part.modes, share / sum(shares), part.chains.positions)
        for part, share in zip(parts, shares, strict=True)
        if len(parts) > 1
    )


def _parts(ground: Ground, number: int) -> tuple[list[_Part], bool]:
    """Each mode that the chains of those before it did not cover, and if it was stopped.

    A mode of less weight in which no chain finds a start is left out; the gate
    `other_modes` tells whether that matters.  Raises KeyboardInterrupt when interrupted
    before the first draw was kept.
    """
    shapes = [summit.shape for summit in ground.kept]
    weights = np.array([summit.weight for summit in ground.kept])
    parts: list[_Part] = []
    left = list(range(len(shapes)))
    while left:
        home = left.pop(0)
        try:
            every = _chains(ground, home, number)
        except (KeyboardInterrupt, NonFiniteStart) as error:
            if home == 0:
                raise
            if isinstance(error, KeyboardInterrupt):
                return parts, True
            continue
        chains = obedient(ground.problem, every)
        visited = blend.covered(shapes, weights, home, chains.positions)
        joined = tuple(mode for mode in left if mode in visited)
        left = [mode for mode in left if mode not in joined]
        own = _conditions(ground, chains, every)
        parts.append(_Part((home, *joined), chains, own))
        if every.interrupted:
            return parts, True
    return parts, False


def _chains(ground: Ground, home: int, number: int) -> Chains:
    """The chains of one mode, in the labelling that is kept."""
    key = keys.fold_in(ground.keys[2], number)
    key = keys.fold_in(key, home) if home else key
    shape = ground.kept[home].shape
    plan = _plan(ground, number, home)
    chains = sampled(ground.problem, shape, key, ground.settings.chains, plan)
    found = chains.statistics
    positions, lp = ground.exchange.relabelled(chains.positions, found["lp"])
    return replace(chains, positions=positions, statistics={**found, "lp": lp})


def _mixture(ground: Ground, parts: list[_Part], number: int) -> Chains:
    weights = np.array([sum(ground.kept[m].weight for m in p.modes) for p in parts])
    generator = np.random.default_rng([ground.settings.seed, number])
    length = min(part.chains.positions.shape[1] for part in parts)
    turns = blend.order(weights, length, generator)
    return blend.blended([part.chains for part in parts], turns)


def _conditions(ground: Ground, chains: Chains, every: Chains) -> tuple[Gate, ...]:
    """The sampling gates of one mode by itself."""
    draws = physical(ground.problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    return gates.sampling_gates(_coordinates(chains), mixed, every.statistics)


def _coordinates(chains: Chains) -> dict[str, FloatArray]:
    return {f"z[{i}]": z for i, z in enumerate(np.moveaxis(chains.positions, 2, 0))}


def _plan(ground: Ground, number: int, home: int) -> Plan:
    """The usual run, or the one that is tried when that did not do."""
    settings, whole = ground.settings, ground.problem.whole
    stage = "sampling" if number == 0 else "sampling again"
    detail = f"mode {home + 1}" if len(ground.kept) > 1 else ""
    windows = (settings.warmup,) * (1 if number == 0 else 5)
    if whole:  # no mode has the shape of the whole, of which sds are soon known
        windows = ((1 + number) * settings.warmup // 2,) * 2
    least = WHOLE_TARGETS[number] if whole else ESCALATED_TARGET * number
    return Plan(
        windows=windows,
        dense=len(windows) > 1,
        apart=whole,
        draws=settings.draws * (1 + number),
        target_accept=max(settings.target_accept, least),
        chunk=settings.chunk,
        report=lambda done: ground.say(stage, done, detail),
        journal=ground.journal.part(f"nuts{number}.mode{home}"),
    )
