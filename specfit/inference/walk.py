"""NUTS in every mode that carries weight, and what is tried when that does not do.

The modes are sampled one after another, weightiest first.  A mode that the chains of
another visit freely is part of that one; the others are mixed by weight.  Where gates
fail, chains that disagree are first asked where they ended: modes that the search had
missed join the rest, and everything that is left uncertain between modes is settled by
tempered sequential Monte Carlo, which weighs and samples them together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate, gates, independence, kernel, keys, slicing
from specfit.inference.attempt import attempt
from specfit.inference.backend import layout
from specfit.inference.compiled import ahead
from specfit.inference.ground import Ground, Sampled, failed, with_peaks
from specfit.inference.laplace import UNRELIABLE, cornered
from specfit.inference.nuts import starts
from specfit.inference.predictions import prediction_program
from specfit.inference.projection import Kernels
from specfit.inference.proposing import cut_short, proposed, told
from specfit.inference.settings import Settings
from specfit.inference.tempering import run_smc

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
