"""NUTS in every mode that carries weight, and what is tried when that does not do.

The modes are sampled one after another, weightiest first.  A mode that the chains of
another visit freely is part of that one; the others are mixed by weight.  Where gates
fail, chains that disagree are first asked where they ended: modes that the search had
missed join the rest, and everything that is left uncertain between modes is settled by
tempered sequential Monte Carlo, which weighs and samples them together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import (
    blend,
    evaluate,
    gates,
    independence,
    kernel,
    keys,
    slicing,
)
from specfit.inference.backend import layout
from specfit.inference.compiled import ahead
from specfit.inference.gates import Gate
from specfit.inference.ground import (
    Clock,
    Ground,
    Sampled,
    failed,
    physical,
    with_peaks,
)
from specfit.inference.ground import Part as AnswerPart
from specfit.inference.laplace import UNRELIABLE, cornered
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains, Plan, starts
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.predictions import prediction_program
from specfit.inference.projection import Kernels
from specfit.inference.proposing import cut_short, proposed, told
from specfit.inference.settings import NonFiniteStart, Settings
from specfit.inference.straight import sampled
from specfit.inference.tempering import run_smc

ESCALATED_TARGET = 0.95
WHOLE_TARGETS = 0.97, 0.99
"""Acceptance asked for, first and again, where scales are drawn whose coefficients are
integrated out: how sharply the density bends varies tenfold from draw to draw."""
AROUND, AROUND_KEY = 16, 7200
"""Places from which it is looked for missed modes, and the key of their numbers."""


def prepare(problem: Problem, settings: Settings) -> None:
    """Have what comes after the search compiled while that goes on, longest first."""
    z, kernels = np.zeros(problem.dimension), Kernels(problem)
    n_chains, total = settings.chains, settings.warmup + settings.draws
    each = max(1, min(settings.draws, settings.thinned // n_chains))
    few = np.zeros((n_chains * each, problem.dimension))
    sampler = {
        "auto": independence.job(problem, settings),
        "nuts": kernel.job(
            problem, n_chains, min(settings.chunk, total), layout(n_chains)
        ),
    }.get(settings.engine)
    mode = (evaluate.curvature_program, problem.logdensity, z, problem.data)
    curves = (prediction_program, kernels, few, problem.data)
    ahead([mode] if sampler is None else [sampler, mode, curves])


def run_auto(ground: Ground) -> tuple[Ground, Sampled]:
    """Independent proposals where those do; else slices or NUTS, then tempering."""
    if not independence.promising(ground):
        return _cornered(ground) or _run(ground, tempered=True)
    ground, first, heaviest = proposed(ground)
    if _stopped(first) or failed(ground.mode_gates({0})):
        return ground, first
    ground, missed = _looked_around(ground, heaviest)
    trouble = [*failed(first.gates), *(["missed modes"] if missed else [])]
    if not trouble:
        return ground, first
    try:
        ground, second = _cornered(ground) or _run(ground, tempered=True)
    except KeyboardInterrupt:
        return ground, cut_short(first)
    why = f"sampled again with {second.details['sampler']}, because of: "
    return ground, told(first, second, why + ", ".join(trouble))


def _cornered(ground: Ground) -> tuple[Ground, Sampled] | None:
    """Slices where weights have corners; None where there are none, or they do not do."""
    if not cornered(ground.problem) or ground.settings.chains < 2:
        return None
    ground, found = slicing.run_slice(ground)
    return (ground, found) if _stopped(found) or not failed(found.gates) else None


def _looked_around(ground: Ground, heaviest: FloatArray) -> tuple[Ground, bool]:
    """The ground with what ascents meet that the search had missed; whether it matters.

    From the proposals of largest weight, which another mode would have, and from where
    chains would begin: one far away in one direction is met by either, or by neither.
    """
    key = keys.fold_in(ground.keys[2], AROUND_KEY)
    places = starts(ground.problem, ground.best.shape, key, AROUND)
    grown = with_peaks(ground, np.concatenate([heaviest, places]))
    return (ground, False) if grown is None else (grown, len(grown.kept) > 1)


def run_nuts(ground: Ground) -> tuple[Ground, Sampled]:
    """Whitened NUTS in all modes; once more, longer, where its gates fail."""
    return _run(ground, tempered=False)


def _run(ground: Ground, tempered: bool) -> tuple[Ground, Sampled]:
    first = attempt(ground, 0)
    if not failed(first.gates) or _final(ground, first):
        return ground, first
    try:
        return _again(ground, first, tempered)
    except KeyboardInterrupt:
        return ground, cut_short(first)


def _final(ground: Ground, found: Sampled) -> bool:
    """Whether nothing is gained by sampling again, whatever gates fail."""
    every = ground.mode_gates(range(len(ground.kept)))
    hopeless = failed(gates.of_chains(every, ground.problem.whole))
    single = ground.settings.chains < 2  # R-hat of one chain can never be had
    return bool(hopeless) or single or _stopped(found)


def _again(ground: Ground, first: Sampled, tempered: bool) -> tuple[Ground, Sampled]:
    """A longer run where there is one mode, tempering where that did not do."""
    trouble, found = failed(first.gates), ""
    before = ground
    lost = "rhat" in trouble and not ground.problem.whole
    grown = with_peaks(ground, first.positions[:, -1]) if lost else None
    if grown is not None:
        ground, found = grown, " (chains found modes that the search had missed)"
    if not tempered and "pareto_k" in trouble and _unweighed(ground):
        why = (
            "not sampled again: the weights of the modes are not known well enough to "
            "mix them, and no longer chain would tell; `run auto` tempers between them"
        )
        return before, replace(first, notes=(why + found, *first.notes))
    if len(ground.kept) == 1 or not tempered:
        second = attempt(ground, 1)
        why = f"sampled again with a longer warm-up, because of: {', '.join(trouble)}"
        first = told(first, second, why + found)
        trouble = failed(first.gates)
        alone = not tempered or ground.problem.whole  # chains that go everywhere
        if not trouble or alone or _stopped(first):
            return ground, first
    why = f"sampled by tempering between modes, because of: {', '.join(trouble)}"
    ground, third = run_smc(ground)
    return ground, told(first, third, why + found)


def _unweighed(ground: Ground) -> bool:
    return ground.evidence.pareto_k > UNRELIABLE


def _stopped(found: Sampled) -> bool:
    return bool(found.details["interrupted"])


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
    if whole and number == 0:  # no mode has the shape of the whole
        windows = (settings.warmup // 2,) * 2
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
