"""The engines: from a surveyed problem to draws.

`map` stops at the weightiest mode, `likelihood` at the least squares, `laplace` draws
from the Gaussian that touches the mode, `nuts` samples every mode and mixes them by
weight, `smc` tempers from their neighbourhood to the posterior.  `auto`, for those who
do not mind which, proposes independently where the posterior is nearly normal, is `nuts`
where it is not, and `smc` where that does not pass its gates; `metropolis` is the old
way, to compare with.  An engine takes the ground and gives it back, with what was
learned of the modes, beside its draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference import evaluate, gates
from specfit.inference.gates import Gate
from specfit.inference.ground import Ground, Sampled, physical
from specfit.inference.likeliest import likeliest
from specfit.inference.metropolis import run_metropolis
from specfit.inference.mixing import Mixing, mixing
from specfit.inference.newton import CLOSE
from specfit.inference.obedience import held_start
from specfit.inference.opening import left_open, open_gates
from specfit.inference.slicing import run_slice
from specfit.inference.tempering import run_smc
from specfit.inference.walk import run_auto, run_nuts

Result = tuple[Ground, Sampled]
Engine = Callable[[Ground], Result]
REPORTED = (
    "diverging", "energy", "lp", "acceptance_rate", "n_steps", "step_size", "non_finite"
)  # fmt: skip


def run_map(ground: Ground) -> Result:
    """The mode alone, as a fit of one draw (highest density in unconstrained space)."""
    positions = ground.best.peak.position[None, None]
    note = "one point: the highest density in unconstrained coordinates, no uncertainty"
    no_spread = gates.at_most("no_uncertainty", 1.0, 0.0)
    conditions = (*ground.mode_gates({0}), no_spread)
    return ground, _points(
        ground, positions, Mixing({}, {}, {}, ()), conditions, (note,)
    )


def run_likelihood(ground: Ground) -> Result:
    """Least squares: where the data are likeliest, priors only bounding the search."""
    mode, others = ground.best.peak.position, ground.prior_positions
    found = likeliest(ground.problem, held_start(ground.problem, mode, others))
    notes = [
        "one point: where the data are likeliest, priors left aside; no uncertainty"
    ]
    if found.unseen:
        notes.append(
            f"{found.unseen} directions change no expected value there: of what moves "
            "along them the data say nothing, and the values are those of the start"
        )
    conditions = (
        gates.at_most("likelihood_reached", found.gain, CLOSE),
        gates.at_most("no_uncertainty", 1.0, 0.0),
    )
    place = found.position[None, None]
    mixed = Mixing({}, {}, {}, ())
    return ground, _points(ground, place, mixed, conditions, tuple(notes))


def run_laplace(ground: Ground) -> Result:
    """Independent draws of the Gaussian at the mode, refused where it does not fit."""
    settings, shape = ground.settings, ground.best.shape
    size = (settings.chains, settings.draws, len(shape.mean))
    normal = evaluate.generator(ground.keys[2]).standard_normal(size)
    if shape.bend is None:
        positions = shape.mean + normal @ shape.factor.T
    else:  # what the weights have judged
        rows = normal.reshape(-1, size[-1])
        positions = shape.mean + shape.bend.away(rows)[0].reshape(size)
    fits = gates.at_most("pareto_k", ground.evidence.pareto_k, gates.PARETO)
    conditions = (*ground.mode_gates({0}), fits, *open_gates(ground, [positions]))
    mixed = mixing(physical(ground.problem, positions))
    notes = (
        "draws of the Gaussian approximation at the mode",
        *left_open(ground, [positions]),
    )
    return ground, _points(ground, positions, mixed, conditions, notes)


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


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "auto": run_auto,
        "nuts": run_nuts,
        "smc": run_smc,
        "slice": run_slice,
        "metropolis": run_metropolis,
        "laplace": run_laplace,
        "map": run_map,
        "likelihood": run_likelihood,
    }
)
