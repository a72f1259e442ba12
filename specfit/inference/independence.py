"""The independence sampler: a posterior that is nearly the normal at its mode.

Where importance weights of a Student-t at the mode have a finite variance (Pareto k̂ up
to 0.5, Vehtari et al. 2024, JMLR 25:72), proposals from it that Metropolis's rule takes
or refuses are draws of the exact posterior, nearly independent, for a few values of the
density each and no gradient (Tierney 1994, doi:10.1214/aos/1176325750).  The chains pass
the same gates as any other; where they do not, or where weights say beforehand that they
would not, NUTS has its turn.

All chains propose from one density, so R-hat cannot tell of a mode that none of them meets.
Whoever believes them looks around first, from the proposals of largest weight (`Proposed`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Problem
from specfit.inference import evaluate, gates, keys
from specfit.inference.backend import Layout, layout, map_chains
from specfit.inference.compiled import THOROUGH, Program
from specfit.inference.evaluate import Density
from specfit.inference.ground import Clock, Ground, Sampled, physical
from specfit.inference.journal import Arrays
from specfit.inference.laplace import dispersed, log_student
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.pareto import pareto_k
from specfit.inference.settings import Settings

GOOD = 0.5
"""Pareto k̂ up to which weights have a finite variance."""
THIN = 4
"""Proposals for each draw that is kept; of a normal in 13 dimensions six of ten are taken."""
SEGMENT = 250
"""Draws of a chain in one call and one step of the journal."""
HEAVIEST = 4
"""Proposals of largest weight from which it is looked around."""
OWN_KEY = 7001
"""Tells the random numbers of these proposals from those of the other samplers."""
IndexArray = np.ndarray[Any, np.dtype[np.intp]]


def _heights(logdensity: Density, how: Layout, z: Array, data: Data) -> Any:
    """Log-density at each row of `z` (n_chains, n, dimension), one after another."""

    def chain(own: Array, shared: Data) -> Any:
        height = partial(_height, logdensity, shared)
        return (
            jax.vmap(height)(own) if how == "vectorised" else jax.lax.map(height, own)
        )

    return map_chains(chain, z, data, how)


def _height(logdensity: Density, data: Data, z: Array) -> Array:
    return logdensity({"z": z}, data)


_ON_ONE, _ON_CORES = (
    Program(_heights, n_static=2, n_split=n, options=THOROUGH) for n in (0, 1)
)


def job(problem: Problem, settings: Settings) -> tuple[Any, ...]:
    """What `compiled.ahead` needs to have the program of a segment ready."""
    how = layout(settings.chains)
    size = THIN * _segment_length(settings.draws)
    z = np.zeros((settings.chains, size, problem.dimension))
    program = _ON_CORES if how == "cores" else _ON_ONE
    return program, problem.logdensity, how, z, problem.data


class Proposed(NamedTuple):
    """Chains, Pareto k̂ of all their proposals, and those of largest weight (n, dim)."""

    chains: Chains
    pareto_k: float
    heaviest: FloatArray


def promising(ground: Ground) -> bool:
    """Whether one mode has all the weight and its neighbourhood is nearly normal.

    And enough is asked for: of one chain, or of few draws, no gate could be passed.
    """
    settings = ground.settings
    near = ground.evidence.pareto_k <= GOOD and not ground.best.shape.floored
    enough = settings.chains > 1 and settings.chains * settings.draws >= 2 * gates.ESS
    return near and enough and len(ground.kept) == 1


def run_independence(ground: Ground, number: int = 0) -> tuple[Sampled, FloatArray]:
    """Chains of proposals from the Student-t at the mode, with their gates.

    And the proposals of largest weight.  number: how often it was tried before, from
    another density.  Raises KeyboardInterrupt when interrupted before
    the first draw was kept.
    """
    clock, settings, problem = Clock(), ground.settings, ground.problem
    every, pareto, heaviest = independent(ground, number)
    chains = obedient(problem, every)
    count = settings.chains * (settings.warmup + THIN * settings.draws)
    drawn = clock.stage("sampling", f"{settings.chains} chains, {count} proposals")
    draws = physical(problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    columns = enumerate(np.moveaxis(chains.positions, 2, 0))
    # there is no energy and nothing diverges: those gates would say nothing
    usual = gates.sampling_gates(
        {f"z[{i}]": z for i, z in columns}, mixed, every.statistics
    )
    sampled = Sampled(
        chains.positions, draws, chains.statistics, mixed,
        (
            *(gate for gate in usual if gate[0] not in ("e_bfmi", "divergences")),
            *ground.mode_gates({0}),
            gates.at_most("pareto_k", pareto, GOOD),
            *open_gates(ground, [chains.positions]),
            gates.at_most("interrupted", float(chains.interrupted), 0.0),
        ),
        (*chains.notes, *left_open(ground, [chains.positions])),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": chains.interrupted, "attempts": 1, "sampler": "independence"},
    )  # fmt: skip
    return sampled, heaviest


def independent(ground: Ground, number: int = 0) -> Proposed:
    """The kept draws, fewer where interrupted, and what all proposals tell."""
    parts: list[Arrays] = []
    bent = ground.best.shape.bend is not None
    where = "along the curved valley of the mode" if bent else "at the mode"
    shaped = "nearly normal there" if bent else "nearly normal"
    notes: tuple[str, ...] = (
        f"independent proposals from the Student-t {where}, taken or refused by "
        f"Metropolis's rule: the posterior is {shaped}",
    )
    stopped = False
    try:
        parts.extend(_segments(ground, number))
    except KeyboardInterrupt:
        if len(parts) < 2:
            raise
        stopped = True
    pareto = pareto_k(np.concatenate([part["ratios"].ravel() for part in parts]))
    rows = {
        name: np.concatenate([part[name] for part in parts[1:]], axis=1)
        for name in ("z", "lp", "acceptance_rate", "non_finite")
    }
    positions, lp = rows.pop("z"), rows["lp"]
    if stopped:
        notes += (f"interrupted after {lp.shape[1]} draws a chain",)
    statistics = {
        **rows,
        "energy": -lp,
        "diverging": np.zeros(lp.shape),
        "n_steps": np.full(lp.shape, float(THIN)),
        "step_size": np.full(lp.shape, np.nan),
    }
    weight = np.concatenate([part["weight"] for part in parts])
    most = np.argsort(-weight, kind="stable")[:HEAVIEST]
    heaviest = np.concatenate([part["heavy"] for part in parts])[most]
    chains = Chains(positions, statistics, stopped, notes)
    return Proposed(chains, pareto, heaviest)


def _segments(ground: Ground, tried: int) -> Iterator[Arrays]:
    """The warm-up and the segments that are kept, found or made."""
    name = f"independence{tried or ''}"
    settings, journal = ground.settings, ground.journal.part(name)
    most = _segment_length(settings.draws)
    lengths = [-(-settings.warmup // THIN)] + [
        min(most, settings.draws - done) for done in range(0, settings.draws, most)
    ]
    before = _nowhere(settings.chains, ground.problem.dimension)
    for number, length in enumerate(lengths):
        work = partial(_segment, ground, (tried, number), length, before)
        before = journal.step(f"{number}", work)
        yield before
        ground.say("sampling", sum(lengths[: number + 1]) / sum(lengths), "")


def _segment_length(draws: int) -> int:
    return min(SEGMENT, draws)


def _nowhere(n_chains: int, dimension: int) -> Arrays:
    """Chains that have not begun: any proposal with a density is taken."""
    none = np.full((n_chains, 1), -np.inf)
    return {"z": np.zeros((n_chains, 1, dimension)), "lp": none, "held": none}


def _segment(
    ground: Ground, which: tuple[int, int], length: int, before: Arrays
) -> dict[str, FloatArray]:
    """The next `length` draws of every chain, after the last one of those `before`."""
    n_chains = ground.settings.chains
    key = ground.keys[2]
    for number in (OWN_KEY + which[0], which[1]):
        key = keys.fold_in(key, number)
    proposed = dispersed(
        ground.best.shape, keys.fold_in(key, 0), n_chains * length * THIN, 1.0
    )
    ratios, lp = _ratios(ground, proposed)
    dice = evaluate.generator(keys.fold_in(key, 1)).random(ratios.shape)
    place, taken = _walk(ratios, np.log(dice), before["held"][:, -1])
    kept = np.arange(n_chains)[:, None], place[:, THIN - 1 :: THIN]

    most = np.argsort(-ratios.ravel(), kind="stable")[:HEAVIEST]

    def at(name: str, values: FloatArray) -> FloatArray:
        """By place: what was held before the segment, then its proposals."""
        found: FloatArray = np.concatenate([before[name][:, -1:], values], axis=1)[kept]
        return found

    def each(flags: FloatArray) -> FloatArray:
        shares: FloatArray = flags.reshape(n_chains, length, THIN).mean(axis=2)
        return shares

    return {
        "z": at("z", proposed.reshape(*ratios.shape, -1)), "lp": at("lp", lp),
        "held": at("held", ratios), "ratios": ratios, "acceptance_rate": each(taken),
        "non_finite": np.ceil(each(_strange(lp))),
        "heavy": proposed[most], "weight": ratios.ravel()[most],
    }  # fmt: skip


def _strange(heights: FloatArray) -> FloatArray:
    """1 where a log-density is no number that a density can have, else 0."""
    flags: FloatArray = (np.isnan(heights) | np.isposinf(heights)).astype(np.float64)
    return flags


def _walk(
    ratios: FloatArray, dice: FloatArray, held: FloatArray
) -> tuple[IndexArray, FloatArray]:
    """Where each chain stands after each proposal: the number taken, 0 the beginning.

    ratios, dice: (n_chains, n), logarithms of the weights and of uniform numbers.
    held: of the weights at the beginning.
    """
    path, taken = np.zeros(ratios.shape, np.intp), np.zeros(ratios.shape)
    for chain, now in enumerate(held.tolist()):
        place = 0
        rows = zip(ratios[chain].tolist(), dice[chain].tolist(), strict=True)
        for i, (ratio, die) in enumerate(rows):
            if die < ratio - now:  # from nowhere to nowhere is NaN: not taken
                now, place, taken[chain, i] = ratio, i + 1, 1.0
            path[chain, i] = place
    return path, taken


def _ratios(ground: Ground, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logarithms of the importance weights (n_chains, n), and log-densities.

    −∞ outside the labelling that is kept, and where the density is no number.
    """
    settings, change = ground.settings, ground.exchange
    rows = z.reshape(settings.chains, -1, z.shape[1])
    program, *static, filled, data = job(ground.problem, settings)
    size, parts = filled.shape[1], []
    for begin in range(0, rows.shape[1], size):
        part = rows[:, begin : begin + size]
        filled[:, : part.shape[1]] = part  # what follows is old, and left out
        found = program(*static, filled, data)
        parts.append(evaluate.numpy(found)[:, : part.shape[1]])
    lp = np.concatenate(parts, axis=1)
    ratios = lp - log_student(ground.best.shape, z).reshape(lp.shape)
    if change.groups:
        ratios = np.where(change.inside(z).reshape(lp.shape), ratios, -np.inf)
    return np.where(np.isfinite(ratios), ratios, -np.inf), lp
