"""Random-walk Metropolis from the mode: how these spectra have been sampled so far.

The recipe is a maximum of the posterior, then a million steps of which the first
900 000 are thrown away.  It stands here to be compared with, so nothing is added that it
does not have: a step proposes for each unknown in turn, in its own unconstrained
coordinate (whitened by the curvature it would be another and better sampler), all chains
begin at the mode, and every hundred steps of the warm-up each scale follows its
acceptance.  Only the mode is better: that of the search, not of a starting value.

Source: Metropolis et al. 1953, doi:10.1063/1.1699114; the scales follow the table of
PyMC's `Metropolis` (Abril-Pla et al. 2023, doi:10.7717/peerj-cs.1516).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray
from specfit.inference import evaluate, gates
from specfit.inference.backend import layout, map_chains
from specfit.inference.evaluate import Density
from specfit.inference.ground import Clock, Ground, Sampled, physical
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.pace import Pace

INTERVAL = 100
"""Steps of the warm-up after which each scale is set anew."""
CAPACITY = 10_000
"""Steps of a segment at most."""
RATES = np.array([0.001, 0.05, 0.2, 0.5, 0.75, 0.95])
FACTORS = np.array([0.1, 0.5, 0.9, 1.0, 1.1, 2.0, 10.0])
"""By how much a scale grows where the share of accepted steps lies between `RATES`."""


class Walker(NamedTuple):
    """One chain between segments; leading axis is the chain when stacked.

    taken: how often each coordinate has moved since its scale was set.
    """

    z: Array  # (dimension,)
    lp: Array
    scale: Array  # (dimension,)
    taken: Array  # (dimension,)


@partial(jax.jit, static_argnames=("logdensity", "capacity", "how"))
def advance(
    logdensity: Density,
    capacity: int,
    how: Any,
    walkers: tuple[Walker, Array],
    span: tuple[Array, Array, Array],
    data: Data,
) -> tuple[Walker, dict[str, Array]]:
    """Steps `first` to `first + length` of every chain, scales set before `settled`.

    walkers: the chains and their keys; span: first, length, settled.  Rows of the
    record beyond `length` stay zero.
    """

    def chain(own: tuple[Walker, Array], shared: Any) -> Any:
        (walker, key), ((first, length, settled), data) = own, shared

        def step(i: Array, carry: Any) -> Any:
            walker, record = carry
            t = first + i
            moved, row = _step(logdensity, walker, jax.random.fold_in(key, t), data)
            due = (t < settled) & ((t + 1) % INTERVAL == 0)
            walker = jax.tree.map(partial(jnp.where, due), _tuned(moved), moved)
            return walker, {name: record[name].at[i].set(row[name]) for name in record}

        room = {"z": (capacity, len(walker.z))} | dict.fromkeys(ROWS, (capacity,))
        empty = {n: jnp.zeros(shape, walker.z.dtype) for n, shape in room.items()}
        return jax.lax.fori_loop(0, length, step, (walker, empty))

    result: tuple[Walker, dict[str, Array]] = map_chains(
        chain, walkers, (span, data), how
    )
    return result


ROWS = ("lp", "acceptance_rate", "non_finite")


def _step(
    logdensity: Density, walker: Walker, key: Array, data: Data
) -> tuple[Walker, dict[str, Array]]:
    """Each coordinate in turn; a proposal of no density (NaN) is never taken."""
    count = len(walker.z)
    keys = jax.random.split(key)
    jump = walker.scale * jax.random.normal(keys[0], (count,), walker.z.dtype)
    height = jnp.log(jax.random.uniform(keys[1], (count,), walker.z.dtype))

    def one(i: Array, carry: Any) -> Any:
        z, lp, moves, strange = carry
        there = z.at[i].add(jump[i])
        value = logdensity({"z": there}, data)
        take = height[i] < value - lp
        z, lp = jnp.where(take, there, z), jnp.where(take, value, lp)
        return z, lp, moves.at[i].set(take), strange | jnp.isnan(value)

    start = (walker.z, walker.lp, jnp.zeros(count, bool), jnp.asarray(False))
    z, lp, moves, strange = jax.lax.fori_loop(0, count, one, start)
    rate = jnp.mean(moves, dtype=z.dtype)
    row = {"z": z, "lp": lp, "acceptance_rate": rate}
    row["non_finite"] = jnp.asarray(strange, z.dtype)
    return Walker(z, lp, walker.scale, walker.taken + moves), row


def _tuned(walker: Walker) -> Walker:
    """The scales by the share of steps that were taken."""
    place = jnp.searchsorted(jnp.asarray(RATES), walker.taken / INTERVAL)
    factor = jnp.asarray(FACTORS, walker.scale.dtype)[place]
    return walker._replace(
        scale=walker.scale * factor, taken=jnp.zeros_like(walker.taken)
    )


def run_metropolis(ground: Ground) -> tuple[Ground, Sampled]:
    """Metropolis from the weightiest mode, warm-up thrown away."""
    clock, settings = Clock(), ground.settings
    chains = obedient(ground.problem, _walked(ground))
    detail = f"{settings.chains} chains of {settings.warmup + settings.draws} steps"
    drawn = clock.stage("sampling", detail)
    draws = physical(ground.problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    columns = enumerate(np.moveaxis(chains.positions, 2, 0))
    # there is no energy: E-BFMI would say nothing
    usual = gates.sampling_gates(
        {f"z[{i}]": z for i, z in columns}, mixed, chains.statistics
    )
    sampled = Sampled(
        chains.positions, draws, chains.statistics, mixed,
        (
            *(gate for gate in usual if gate[0] != "e_bfmi"),
            *ground.mode_gates({0}),
            *open_gates(ground, [chains.positions]),
            gates.at_most("interrupted", float(chains.interrupted), 0.0),
        ),
        (*chains.notes, *left_open(ground, [chains.positions])),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": chains.interrupted, "attempts": 1, "sampler": "metropolis"},
    )  # fmt: skip
    return ground, sampled


def _walked(ground: Ground) -> Chains:
    """The kept draws; fewer where interrupted.

    Raises KeyboardInterrupt when interrupted before the first of them.
    """
    run = _Run(ground)
    parts: list[dict[str, FloatArray]] = []
    notes: tuple[str, ...] = ("Metropolis, one unknown at a time, from the mode",)
    stopped = False
    try:
        while run.done < run.total:
            rows = run.segment()
            parts += [rows] if rows else []
    except KeyboardInterrupt:
        if not parts:
            raise
        stopped = True
    rows = {n: np.concatenate([p[n] for p in parts], axis=1) for n in parts[0]}
    if stopped:
        notes += (f"interrupted after {rows['lp'].shape[1]} draws a chain",)
    positions, lp = ground.exchange.relabelled(rows.pop("z"), rows["lp"])
    absent = {name: np.full(lp.shape, np.nan) for name in ("step_size", "n_steps")}
    statistics = {**rows, **absent, "lp": lp, "energy": -lp}
    statistics["diverging"] = np.zeros(lp.shape)
    return Chains(positions, statistics, stopped, notes)


class _Run:
    """The chains as they stand and how far they are."""

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self.ground, self.settled = ground, settings.warmup
        self.total = settings.warmup + settings.draws
        self.pace = Pace(min(CAPACITY, self.total))
        self.how = layout(settings.chains)
        self.keys = jax.random.split(ground.keys[2], settings.chains)
        self.journal = ground.journal.part("metropolis")
        z = np.tile(ground.best.peak.position, (settings.chains, 1))
        lp = evaluate.log_densities(ground.problem, z)
        fresh = (z, lp, np.ones_like(z), np.zeros_like(z))
        self.walkers = Walker(*(jnp.asarray(part) for part in fresh))
        self.done = 0

    def segment(self) -> dict[str, FloatArray]:
        """The next steps, found or made; those of the warm-up leave nothing."""
        warming = self.done < self.settled
        end = self.settled if warming else self.total
        count = min(self.pace.steps, end - self.done)
        arrays = self.journal.step(f"{self.done}", lambda: self._made(count, warming))
        self.walkers = Walker(*(jnp.asarray(arrays[n]) for n in Walker._fields))
        self.done += int(arrays["count"])
        self.ground.say("sampling", self.done / self.total, "")
        rows = {n.removeprefix("row."): arrays[n] for n in arrays if n[:4] == "row."}
        return {name: evaluate.numpy(values) for name, values in rows.items()}

    def _made(self, count: int, warming: bool) -> dict[str, Any]:
        problem = self.ground.problem
        first, length, settled = map(jnp.asarray, (self.done, count, self.settled))
        with self.pace.timed(count):
            walkers, record = advance(
                problem.logdensity, self.pace.most, self.how,
                (self.walkers, self.keys), (first, length, settled), problem.data,
            )  # fmt: skip
            state = {n: np.asarray(x) for n, x in walkers._asdict().items()}
        kept = {} if warming else record
        rows = {f"row.{n}": np.asarray(x)[:, :count] for n, x in kept.items()}
        return {**state, **rows, "count": np.array(count)}
