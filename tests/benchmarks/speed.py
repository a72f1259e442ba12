"""What a density and its gradient cost, beside those of a thin Lorentzian sextet.

CPU seconds of this process: `compile_s` from nothing, `gradient_s` of one log-density with
its gradient within a compiled loop, `forward_s` of one expected spectrum likewise.
"""

from __future__ import annotations

import time
from functools import cache
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np

from specfit import pipeline
from specfit.inference.compiled import OPTIONS
from specfit.sites import SITES
from specfit.sites.distribution import with_bins
from tests.benchmarks.models import Model, Site

REPEATS, LONG = 15, 0.03  # loops of each, and how long one takes at least, s
THIN = "sextet, thin, Lorentzian"

IRON = {"IS": 0.0, "QS": 0.02, "Bint": 33.0, "width": 0.26}
TENSOR = {
    "IS": 0.1, "eQVzz": 4.0, "eta": 0.4, "Bint": 20.0, "theta": 50.0, "phi": 30.0,
    "width": 0.27,
}  # fmt: skip
WAVES = {"roughness": 8.0} | {f"c{m}": (-0.8) ** m for m in range(1, 17)}
SPREAD = {"IS": 0.2, "QS": 0.0, "low": 5.0, "high": 45.0, "width": 0.28} | WAVES
OUTSIDE = {
    "IS": 0.4, "eQVzz": 2.0, "eta": 0.4, "B_applied": 5.0, "beam_angle": 0.0,
    "width": 0.27,
}  # fmt: skip
TURNING = {"IS": 0.35, "QS": -0.1, "Bint": 45.0, "log_rate": 8.6, "width": 0.26}

FIELDS = Model((Site("sextet_distribution", SPREAD),))

MODELS = {
    THIN: Model((Site("sextet", IRON),)),
    "Hamiltonian, powder": Model((Site("hamiltonian", TENSOR),)),
    "Hamiltonian, powder in a field": Model((Site("hamiltonian_applied", OUTSIDE),)),
    "sextet, thick": Model((Site("sextet", IRON),), thickness=8.4),
    "distribution of fields, 120 bins": FIELDS,
    "distribution of fields, 40 bins": FIELDS,
    "two-state relaxation": Model((Site("relaxing", TURNING),)),
    "Hamiltonian, powder, thick": Model((Site("hamiltonian", TENSOR),), thickness=5.0),
}
"""All is free but what `models.FIXED` names; so are the amount and N0."""
BINS = {"distribution of fields, 40 bins": 40}
"""Of what has another number of bins than the language gives it."""


def measure(quick, kept):
    """Rows by name."""
    return {
        name: kept.once(name, lambda n=name, m=model: row(m, BINS.get(n)))
        for name, model in MODELS.items()
    }


def row(model: Model, bins: int | None = None) -> dict[str, float]:
    """Unknowns and seconds of one model; the thin sextet is timed in turn with it."""
    gradient, forward, unknowns = _loops(model, bins)
    thin, _, _ = _loops(MODELS[THIN])
    spent = [(thin.once(), gradient.once(), forward.once()) for _ in range(REPEATS)]
    beside, own, plain = (min(each) for each in zip(*spent, strict=True))
    return {
        "unknowns": unknowns,
        "compile_s": gradient.compile_s,
        "gradient_s": own,
        "thin_s": beside,
        "forward_s": plain,
    }


@cache
def _loops(model: Model, bins: int | None = None) -> tuple[Loop, Loop, int]:
    """A density with its gradient, an expected spectrum; and the number of unknowns."""
    other = {"sextet_distribution": with_bins(bins)} if bins else {}
    with pipeline.float64(), patch.dict(SITES, other):
        problem = model.build(free=True)
        z = model.position(problem)
        level = np.asarray(jax.jit(problem.predict)({"z": z}, problem.data))
        data = {**problem.data, "counts": np.round(level)}
        return (
            Loop(_gradient(problem, data), z),
            Loop(_forward(problem, data), z),
            len(z),
        )


def _gradient(problem, data):
    both = jax.value_and_grad(lambda z: problem.logdensity({"z": z}, data))

    def step(carry):
        z, total = carry
        value, slope = both(z)
        return z + 1e-14 * slope / (1 + jnp.abs(slope)), total + value

    return step


def _forward(problem, data):
    def step(carry):
        z, total = carry
        mean = jnp.mean(problem.predict({"z": z}, data))
        return z + 1e-20 * mean, total + mean

    return step


class Loop:
    """A step, compiled within a loop of many; `once` runs the loop."""

    def __init__(self, step, z):
        def loop(z, count):
            return jax.lax.fori_loop(0, count, lambda _, c: step(c), (z, 0.0))

        start = time.process_time()
        self._z, self._times = jnp.asarray(z), jnp.asarray(20)
        lowered = jax.jit(loop).lower(self._z, self._times)
        self._run = lowered.compile(compiler_options=OPTIONS)
        self.compile_s = time.process_time() - start
        self._times = jnp.asarray(20 + int(LONG / min(self.once() for _ in range(3))))

    def once(self) -> float:
        """CPU seconds of one step."""
        start = time.process_time()
        jax.block_until_ready(self._run(self._z, self._times))
        return (time.process_time() - start) / int(self._times)
