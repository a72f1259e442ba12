"""Slice sampling along lines, where a simplex makes the walls: for posteriors with corners.

Weights that the data hardly tell apart fill a polytope: thin where a combination of them
is known well, and cut off where one of them is nothing.  No smooth coordinates make that
round; a gradient does not see a wall before it has hit it.  But in the weights themselves
the body is convex and its density nearly normal, so a point drawn evenly from the part of
a line that lies above a level under the density (Neal 2003, doi:10.1214/aos/1056562461;
hit-and-run, Smith 1984, doi:10.1287/opre.32.6.1296) needs no slope, and nothing tuned but
the lines: along which the draws of the warm-up vary, and along each member (`learned`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from specfit.contracts import Array, FloatArray, Problem
from specfit.density.coordinates import PLAIN
from specfit.inference import evaluate, gates, keys
from specfit.inference.backend import layout
from specfit.inference.gates import Gate
from specfit.inference.ground import Clock, Ground, Sampled, failed, physical
from specfit.inference.laplace import dispersed
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains, starts
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.pace import Pace
from specfit.inference.proposing import cut_short, told
from specfit.inference.slices import ON_CORES, ON_ONE

WINDOWS = np.array([0.1, 0.2, 0.3, 0.4])
"""Shares of the warm-up after which the directions are learned anew."""
THINNED = 5
"""Sweeps for each draw that is kept, the second time."""
ENOUGH = frozenset({"rhat", "ess_bulk", "ess_tail"})
"""Gates that longer chains may open."""
AGAIN = 2
"""Times that a sweep goes along each member of a simplex."""
FIRST = 400
"""Draws of the normal at the mode from which the first directions are learned."""
LEAST = 1e-6
"""Of the standard deviations, to the widest: below it a direction is rounding."""
FEWEST = 5
"""Draws for each dimension from which lines are learned anew."""
OWN_KEY = 7300
"""Tells the random numbers of this sampler from those of the others."""


class Walker(NamedTuple):
    """One chain between segments; leading axis is the chain when stacked."""

    y: Any  # (dimension,), members of simplices as they are
    lp: Any


def plain(problem: Problem) -> Problem:
    """The same, with members of simplices in a position instead of coordinates."""
    return problem._replace(data={**problem.data, PLAIN: np.zeros(0)})


def run_slice(ground: Ground) -> tuple[Ground, Sampled]:
    """Slices along lines, from around the modes; once more, thinned, if that is too few."""
    first = attempt(ground, 1)
    trouble = failed(first.gates)
    if not trouble or not ENOUGH.issuperset(trouble):
        return ground, first
    try:
        second = attempt(ground, THINNED)
    except KeyboardInterrupt:
        return ground, cut_short(first)
    why = f"every {THINNED}th sweep of longer chains, because of: {', '.join(trouble)}"
    return ground, told(first, second, why)


def attempt(ground: Ground, thin: int) -> Sampled:
    """Chains of which every `thin`th sweep is kept; the modes are not told apart."""
    clock, settings, problem = Clock(), ground.settings, ground.problem
    every = sliced(ground, thin)
    chains = obedient(problem, every)
    steps = settings.warmup + thin * settings.draws
    detail = f"{settings.chains} chains of {steps} sweeps"
    drawn = clock.stage("sampling", detail)
    draws = physical(problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    return Sampled(
        chains.positions, draws, chains.statistics, mixed,
        _gates(ground, chains, every, mixed),
        (*chains.notes, *left_open(ground, [chains.positions])),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": chains.interrupted, "attempts": 1, "sampler": "slice"},
    )  # fmt: skip


def _gates(
    ground: Ground, chains: Chains, every: Chains, mixed: Any
) -> tuple[Gate, ...]:
    """The usual ones, less what asks for an energy: there is none, nothing diverges."""
    columns = enumerate(np.moveaxis(chains.positions, 2, 0))
    usual = gates.sampling_gates(
        {f"z[{i}]": z for i, z in columns}, mixed, every.statistics
    )
    return (
        *(gate for gate in usual if gate[0] not in ("e_bfmi", "divergences")),
        *ground.mode_gates(_begun(ground)),
        *open_gates(ground, [chains.positions]),
        gates.at_most("interrupted", float(chains.interrupted), 0.0),
    )


def _begun(ground: Ground) -> range:
    """The modes about which a chain began; the others are not known to be visited."""
    return range(min(len(ground.kept), ground.settings.chains))


def sliced(ground: Ground, thin: int = 1) -> Chains:
    """The kept draws, fewer where interrupted, in the problem's own coordinates.

    Raises KeyboardInterrupt when interrupted before the first of them.
    """
    run = _Run(ground, thin)
    for share in np.cumsum(WINDOWS):
        rows = run.sweeps(round(share * ground.settings.warmup) - run.done)
        run.learn(rows["y"])
    parts: list[dict[str, FloatArray]] = []
    notes: tuple[str, ...] = (
        "slices along lines in the weights themselves, which have corners that no "
        "smooth coordinates round off",
    )
    stopped = False
    try:
        while run.done < run.total:
            parts.append(run.segment(run.total - run.done))
    except KeyboardInterrupt:
        if not parts:
            raise
        stopped = True
    rows = {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}
    strange, asked = (_blocks(rows.pop(n), thin) for n in ("non_finite", "n_steps"))
    rows = {name: values[:, thin - 1 :: thin] for name, values in rows.items()}
    rows |= {"non_finite": strange.max(axis=2), "n_steps": asked.sum(axis=2)}
    positions = run.back(rows.pop("y"))
    if stopped:
        notes += (f"interrupted after {positions.shape[1]} draws a chain",)
    return _chains(ground, positions, rows, notes, stopped)


def _blocks(values: FloatArray, thin: int) -> FloatArray:
    """What was told of the sweeps (n_chains, n) since each draw that is kept."""
    whole = values.shape[1] // thin
    return values[:, : whole * thin].reshape(len(values), whole, thin)


def _chains(
    ground: Ground,
    positions: FloatArray,
    rows: dict[str, FloatArray],
    notes: tuple[str, ...],
    stopped: bool,
) -> Chains:
    flat = positions.reshape(-1, positions.shape[-1])
    lp = evaluate.log_densities(ground.problem, flat).reshape(positions.shape[:2])
    positions, lp = ground.exchange.relabelled(positions, lp)
    statistics = {
        **rows, "lp": lp, "energy": -lp, "diverging": np.zeros(lp.shape),
        "acceptance_rate": np.ones(lp.shape), "step_size": np.full(lp.shape, np.nan),
    }  # fmt: skip
    return Chains(positions, statistics, stopped, notes)


class _Run:
    """The chains as they stand, how far they are, and the directions they go."""

    def __init__(self, ground: Ground, thin: int) -> None:
        settings = ground.settings
        self.ground, self.problem = ground, plain(ground.problem)
        self.total, self.done = settings.warmup + thin * settings.draws, 0
        self.pace = Pace(min(settings.chunk, self.total))
        self.how = layout(settings.chains)
        key = keys.fold_in(ground.keys[2], OWN_KEY)
        self.words = np.asarray(jax.random.key_data(keys.stacked(key, settings.chains)))
        self.journal = ground.journal.part("slice" if thin == 1 else f"slice{thin}")
        near = [
            dispersed(s.shape, keys.fold_in(key, i), FIRST, 1.0)
            for i, s in enumerate(ground.kept)
        ]
        self.learn(self.there(np.concatenate(near))[None], fresh=True)
        y = self.there(_beginnings(ground, key))
        self.walker = Walker(y, evaluate.log_densities(self.problem, y))

    def there(self, z: FloatArray) -> FloatArray:
        """Positions (n, dimension) with the members of simplices as they are."""
        values = evaluate.constrain(self.ground.problem, z)
        return evaluate.unconstrain(self.problem, values)

    def back(self, y: FloatArray) -> FloatArray:
        """Positions (n_chains, n, dimension) in the problem's own coordinates."""
        values = evaluate.constrain(self.problem, y.reshape(-1, y.shape[-1]))
        return evaluate.unconstrain(self.ground.problem, values).reshape(y.shape)

    def learn(self, y: FloatArray, fresh: bool = False) -> None:
        """The directions in which draws (n_chains, n, dimension) vary, as long as they do."""
        tail = y[:, 0 if fresh else y.shape[1] // 3 :].reshape(-1, y.shape[-1])
        tail = tail[np.isfinite(tail).all(axis=1)]
        if not fresh and len(tail) < FEWEST * y.shape[-1]:
            return
        self.lines = learned(tail, self.problem.data.get("frames", ()))

    def sweeps(self, count: int) -> dict[str, FloatArray]:
        """So many sweeps."""
        parts, end = [], self.done + count
        while self.done < end:
            parts.append(self.segment(end - self.done))
        return {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}

    def segment(self, most: int) -> dict[str, FloatArray]:
        """The next sweeps, found or made."""
        count = min(most, self.pace.steps)
        arrays = self.journal.step(f"{self.done}", lambda: self._made(count))
        self.walker = Walker(arrays["end.y"], arrays["end.lp"])
        rows = {n.removeprefix("row."): arrays[n] for n in arrays if n[:4] == "row."}
        self.done += rows["lp"].shape[1]
        self.ground.say("sampling", self.done / self.total, "")
        return {name: evaluate.numpy(values) for name, values in rows.items()}

    def _made(self, count: int) -> dict[str, Any]:
        program = ON_CORES if self.how == "cores" else ON_ONE
        span = np.asarray(self.done), np.asarray(count)
        with self.pace.timed(count):
            y, lp, record = program(
                self.problem.logdensity, self.pace.most, self.how,
                (*self.walker, self.words), span, self.lines, self.problem.data,
            )  # fmt: skip
            end = {"end.y": np.asarray(y), "end.lp": np.asarray(lp)}
        rows = {f"row.{n}": np.asarray(x)[:, :count] for n, x in record.items()}
        return {**end, **rows}


def learned(y: FloatArray, frames: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Lines (n, dimension) along which draws (n_draws, dimension) vary, as long as they do.

    Their principal axes; and, as walls that are near stop every other line, for each
    member of a simplex but its largest the line on which the rest of the members stay
    and all else follows: d = Σ Aᵀ (A Σ Aᵀ)⁻¹ with the members' rows A.
    """
    scale = np.std(y, axis=0) + 1e-300
    with np.errstate(invalid="ignore", divide="ignore"):
        tied = np.atleast_2d(np.corrcoef(y.T))
    tied[~np.isfinite(tied)] = 0.0  # of what does not vary
    np.fill_diagonal(tied, 1.0)
    squares, axes = np.linalg.eigh(tied)
    sizes = np.sqrt(np.maximum(squares, LEAST**2 * squares.max()))
    factor = scale[:, None] * axes * sizes
    lines = [factor.T]
    members = [
        _members(y, np.asarray(frame["rows"]), float(frame["total"]))
        for frame in frames
    ]
    if members:
        a = np.concatenate(members) @ factor
        inverse = np.linalg.pinv(a @ a.T, hermitian=True)
        along = factor @ a.T @ inverse / np.sqrt(np.diag(inverse))
        lines += [along.T] * AGAIN
    return np.concatenate(lines)


def _members(y: FloatArray, rows: Any, total: float) -> FloatArray:
    """What each member of a simplex but its largest takes of a position (n − 1, dim)."""
    every = np.zeros((rows.size + 1, y.shape[1]))
    every[np.arange(rows.size), rows] = 1.0
    every[-1, rows] = -1.0
    means = np.append(y[:, rows].mean(axis=0), 0.0)
    means[-1] = total - means.sum()
    return np.delete(every, int(np.argmax(means)), axis=0)


def _beginnings(ground: Ground, key: Array) -> FloatArray:
    """Where chains begin: about the modes in turn, wider than they are."""
    kept, count = ground.kept, ground.settings.chains
    each = -(-count // len(kept))
    found = [
        starts(ground.problem, s.shape, keys.fold_in(key, FIRST + i), each)
        for i, s in enumerate(kept)
    ]
    return np.stack(found, axis=1).reshape(-1, found[0].shape[-1])[:count]
