"""Tempered sequential Monte Carlo from the neighbourhood of the modes to the posterior.

Particles start as draws of the Student-t densities at the modes, in equal shares, and
follow q^(1-β) p^β from β = 0 to 1.  Every step of β reweighs and resamples them, so that
each mode ends with the share of particles that its mass deserves, and moves them by
NUTS in the coordinates of one mode.  Which mode is drawn for each particle by their
densities at its place, and belongs to the state while it moves: to choose the metric by
the place alone would not leave the posterior as it is.  The populations never meet:
what they disagree in is what R-hat sees.

Sources: Del Moral, Doucet and Jasra 2006, doi:10.1111/j.1467-9868.2006.00553.x; steps of
β by the conditional effective size: Zhou, Johansen and Aston 2016,
doi:10.1080/10618600.2015.1060885.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from specfit.contracts import Array, FloatArray
from specfit.inference import evaluate, gates
from specfit.inference.backend import layout
from specfit.inference.blend import nearest, territories
from specfit.inference.bridge import Bridge, bridge_data, log_ends
from specfit.inference.evaluate import Flags
from specfit.inference.gates import Gate
from specfit.inference.ground import Clock, Ground, Part, Sampled, physical
from specfit.inference.kernel import Frame, Span, advance, begin
from specfit.inference.laplace import Gaussian, dispersed, log_student
from specfit.inference.mixing import mixing
from specfit.inference.nuts import Chains
from specfit.inference.obedience import obedient
from specfit.inference.opening import left_open, open_gates
from specfit.inference.resampling import longest_step, resampled

PARTICLES = 256
"""In each population."""
SWEEPS = 4
"""NUTS transitions of every particle after each step of β."""
STEPS = 60
"""Steps of β after which there is no hope."""
RATE = 0.9
"""Acceptance that the step size is steered to."""
FEWEST = 20
"""Draws that an answer must have to be looked at by itself."""
ANCESTORS = 100.0
"""Effective number of starting particles that those at the end must come from."""


@dataclass(frozen=True)
class Cloud:
    """Particles (n_populations, n_particles, dimension) and where they come from.

    log_target, log_near: log p and log q of each; origin: the starting particle each
    descends from; log_evidence: of each population so far.
    """

    positions: FloatArray
    log_target: FloatArray
    log_near: FloatArray
    origin: np.ndarray
    log_evidence: FloatArray
    beta: float = 0.0
    step_size: float = 0.5


def run_smc(ground: Ground) -> tuple[Ground, Sampled]:
    """The posterior as the last particles of tempered populations."""
    clock, settings = Clock(), ground.settings
    # the bridge between them and the posterior is made of straight ones
    shapes = [replace(summit.shape, bend=None) for summit in ground.kept]
    key = jax.random.fold_in(ground.keys[2], 77)
    journal = ground.journal.part("tempering")
    cloud = _start(ground, shapes, key)
    steps = 0
    while cloud.beta < 1.0 and steps < STEPS:
        own = jax.random.fold_in(key, steps)
        arrays = journal.step(str(steps), partial(_kept, ground, shapes, cloud, own))
        cloud = _cloud(arrays)
        steps += 1
        ground.say("tempering", cloud.beta, f"step {steps}")
    last = jax.random.fold_in(key, STEPS)
    records = journal.step("last", lambda: _last(ground, shapes, cloud, last))
    chains = obedient(ground.problem, _gathered(ground, records))
    size = f"{settings.chains} × {PARTICLES} particles, {steps} steps"
    drawn = clock.stage("tempering", size)
    draws = physical(ground.problem, chains.positions)
    mixed = mixing({**draws, "log density": chains.statistics["lp"]})
    parts = _answers(shapes, chains)
    looked_at = [part[2] for part in parts] or [chains.positions]
    # energies of different particles follow one another: E-BFMI would always pass
    usual = gates.sampling_gates({}, mixed, chains.statistics)
    sampled = Sampled(
        chains.positions, draws, chains.statistics, mixed,
        (
            *(gate for gate in usual if gate[0] != "e_bfmi"),
            *_cloud_gates(cloud),
            *ground.mode_gates(range(len(ground.kept))),
            *open_gates(ground, looked_at),
        ),
        left_open(ground, looked_at),
        (drawn, clock.stage("diagnostics")),
        {"interrupted": False, "attempts": 1, "sampler": "smc"},
        parts,
    )  # fmt: skip
    return _reweighed(ground, cloud, chains.positions), sampled


def _answers(shapes: Sequence[Gaussian], chains: Chains) -> tuple[Part, ...]:
    """The draws near each mode, weightiest first, where more than one has enough."""
    found = nearest(shapes, np.ones(len(shapes)), chains.positions)
    counts = np.bincount(found.ravel(), minlength=len(shapes))
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= FEWEST]
    return tuple(
        (
            (place,),
            float(counts[mode] / found.size),
            chains.positions[found == mode][None],
        )
        for place, mode in enumerate(order)
        if len(order) > 1
    )


def _cloud_gates(cloud: Cloud) -> tuple[Gate, ...]:
    families = np.unique(cloud.origin.ravel(), return_counts=True)[1]
    return (
        gates.at_least("tempered", cloud.beta, 1.0),
        gates.at_least(
            "ancestors", cloud.origin.size**2 / np.sum(families**2), ANCESTORS
        ),
    )


def _start(ground: Ground, shapes: Sequence[Gaussian], key: Array) -> Cloud:
    n_populations = ground.settings.chains
    count = n_populations * PARTICLES
    each = -(-count // len(shapes))
    keys = jax.random.split(key, len(shapes))
    drawn = [dispersed(s, k, each, 1.0) for s, k in zip(shapes, keys, strict=True)]
    dealt = np.stack(drawn, axis=1).reshape(-1, ground.problem.dimension)[:count]
    # dealt in turn, so that every population has its share of each mode
    positions = dealt.reshape(n_populations, PARTICLES, -1)
    target, near = log_ends(ground.problem, shapes, positions)
    target = np.where(_inside(ground, positions), target, -np.inf)
    return Cloud(
        positions, target, near,
        np.arange(count).reshape(n_populations, PARTICLES), np.zeros(n_populations),
    )  # fmt: skip


def _inside(ground: Ground, positions: FloatArray) -> Flags:
    """Which particles have the labelling that is kept; the others do not count.

    Between q and p only p is the same for all labellings, so that relabelling on the
    way would favour modes that lie between two of them.
    """
    rows = positions.reshape(-1, positions.shape[-1])
    return ground.exchange.inside(rows).reshape(positions.shape[:-1])


def _kept(
    ground: Ground, shapes: Sequence[Gaussian], cloud: Cloud, key: Array
) -> dict[str, Any]:
    """A step as the arrays that a journal keeps."""
    return asdict(_step(ground, shapes, cloud, key))


def _step(
    ground: Ground,
    shapes: Sequence[Gaussian],
    cloud: Cloud,
    key: Array,
) -> Cloud:
    """One step of β: reweigh, resample, move."""
    generator = evaluate.generator(jax.random.fold_in(key, 2))
    ratio = cloud.log_target - cloud.log_near
    step = longest_step(ratio, 1.0 - cloud.beta)
    beta = 1.0 if step >= 1.0 - cloud.beta else cloud.beta + step
    logs = np.where(np.isfinite(ratio), step * ratio, -np.inf)
    grown = logsumexp(logs, axis=1) - np.log(PARTICLES)
    chosen = np.stack([resampled(row, generator) for row in logs])
    cloud = replace(
        cloud,
        positions=np.take_along_axis(cloud.positions, chosen[..., None], axis=1),
        origin=np.take_along_axis(cloud.origin, chosen, axis=1),
        log_evidence=cloud.log_evidence + grown,
        beta=beta,
    )
    records = _moved(ground, shapes, cloud, SWEEPS, key)
    moved = records["z"][:, -1].reshape(cloud.positions.shape)
    # a way that ends in another labelling is not taken
    positions = np.where(_inside(ground, moved)[..., None], moved, cloud.positions)
    rate = float(np.mean(np.nan_to_num(records["acceptance_rate"])))
    size = float(np.clip(cloud.step_size * np.exp(rate - RATE), 1e-3, 2.0))
    logs_now = log_ends(ground.problem, shapes, positions)
    return replace(
        cloud,
        positions=positions,
        log_target=logs_now[0],
        log_near=logs_now[1],
        step_size=size,
    )


def _moved(
    ground: Ground, shapes: Sequence[Gaussian], cloud: Cloud, sweeps: int, key: Array
) -> dict[str, FloatArray]:
    """`sweeps` NUTS transitions of every particle; "z" is (n, sweeps, dimension)."""
    generator = evaluate.generator(jax.random.fold_in(key, 1))
    rows = cloud.positions.reshape(-1, cloud.positions.shape[-1])
    logs = np.stack([log_student(s, rows) for s in shapes])
    noise = generator.gumbel(size=logs.shape)
    modes = np.argmax(logs + noise, axis=0)  # a draw in proportion to exp(logs)
    factors = np.stack([s.factor for s in shapes])[modes]
    problem = ground.problem._replace(
        logdensity=Bridge(ground.problem.logdensity),
        data=bridge_data(ground.problem, shapes, cloud.beta),
    )
    labels = {"mode": jnp.asarray(modes)}
    frame = Frame(jnp.asarray(rows), jnp.asarray(factors), labels)
    chains = begin(problem, rows, jax.random.split(key, len(rows)), frame)
    tuning = chains.tuning._replace(
        log_x_avg=jnp.full(len(rows), np.log(cloud.step_size))
    )
    span = Span(*(jnp.asarray(x) for x in (0, sweeps, 0, 0.8)))
    how = layout(len(rows))
    _, record = advance(
        problem.logdensity, sweeps, how, chains._replace(tuning=tuning), span,
        problem.data,
    )  # fmt: skip
    records = {name: evaluate.numpy(value) for name, value in record.items()}
    offset = np.einsum("nij,nsj->nsi", factors, records.pop("u"))
    return {**records, "z": rows[:, None] + offset}


def _last(
    ground: Ground, shapes: Sequence[Gaussian], cloud: Cloud, key: Array
) -> dict[str, FloatArray]:
    """As many last sweeps of all particles as make the draws that were asked for."""
    sweeps = -(-ground.settings.draws // PARTICLES)
    return _moved(ground, shapes, cloud, sweeps, key)


def _gathered(ground: Ground, records: dict[str, FloatArray]) -> Chains:
    """The last sweeps, one particle after another in each chain."""
    rows = records["z"]
    n_populations = len(rows) // PARTICLES
    flat = ground.exchange.folded(rows.reshape(-1, rows.shape[-1]))
    # what was sampled is the joint density of position and mode
    records = {**records, "lp": evaluate.log_densities(ground.problem, flat)}
    statistics = {
        name: values.reshape(n_populations, -1)
        for name, values in records.items()
        if name != "z"
    }
    return Chains(flat.reshape(n_populations, -1, rows.shape[-1]), statistics)


def _cloud(arrays: Mapping[str, Any]) -> Cloud:
    """A cloud from its arrays."""
    numbers = {name: float(arrays[name]) for name in ("beta", "step_size")}
    return Cloud(**{**arrays, **numbers})


def _reweighed(ground: Ground, cloud: Cloud, positions: FloatArray) -> Ground:
    """The ground with the weights of its modes, and the evidence, as tempering found.

    Both stay as they were where the way to the posterior was not finished; with one
    population nothing tells how sure the evidence is.
    """
    logs = cloud.log_evidence
    if cloud.beta < 1.0 or not np.isfinite(logs).all() or len(logs) < 2:
        return ground
    shapes = [summit.shape for summit in ground.kept]
    shares = territories(shapes, np.ones(len(shapes)), positions)
    rest = ground.summits[len(shapes) :]
    share_of_all = 1.0 - sum(summit.weight for summit in rest)
    summits = [
        replace(summit, weight=float(share_of_all * share))
        for summit, share in zip(ground.kept, shares, strict=True)
    ]
    summits.sort(key=lambda summit: -summit.weight)
    value = float(logsumexp(logs) - np.log(len(logs)))
    sd = float(np.std(np.exp(logs - value), ddof=1) / np.sqrt(len(logs)))
    value += ground.exchange.log_labellings
    found = replace(ground.evidence, value=value, sd=sd, pareto_k=0.0)
    return replace(ground, summits=(*summits, *rest), evidence=found)
