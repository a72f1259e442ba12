"""The global mode from nothing: how often, and at what cost, beside the usual ways.

Success needs no labels: the log-density found is at least that of the ascent started at
the truth, less `TOLERANCE`.  Peers start at draws of the prior, as their users must.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from specfit import pipeline
from tests.benchmarks import cases, peers
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import now
from tests.benchmarks.metropolis import metropolis

TOLERANCE = 0.01
"""Nats by which the mode found may lie below that above the truth."""
MISFIT = 1.0
"""χ² by which a least-squares fit may lie above the one started at the truth."""
SPECTRA = {True: 3, False: 100}
MIXTURES = {True: 3, False: 50}
STARTS = {True: 20, False: 400}  # of lmfit
WALKS, STEPS = {True: 1, False: 10}, 100_000  # of Metropolis
CASES = (cases.REPORT, cases.SIX, cases.MIXED)
LEVELS = {"clean": cases.CLEAN, "noisy": cases.NOISY}


@dataclass
class Tally:
    """Runs, successes, CPU seconds of each (the first of a model compiles)."""

    runs: int = 0
    successes: int = 0
    cpu: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)  # nats, of the failures

    def row(self) -> dict:
        return {
            "runs": self.runs, "successes": self.successes,
            "cpu": float(np.median(self.cpu)) if self.cpu else None,
            "lost": self.lost,
        }  # fmt: skip


def searched(problem, seed: int) -> tuple[float, float]:
    """Nats above the ascent from the truth (negative: below), and CPU seconds."""
    import jax

    from specfit.inference import Settings
    from specfit.inference.search import polish, search

    problem, z = problem
    begin = now()
    found = search(problem, jax.random.key(seed), Settings()).peaks[0]
    spent = (now() - begin).cpu
    true = polish(problem, [z])
    return found.log_density - max(p.log_density for p in true), spent


def add(tally: Tally, found: tuple[float, float], warm: bool) -> None:
    gain, spent = found
    tally.runs += 1
    tally.successes += gain >= -TOLERANCE
    tally.cpu += [spent] if warm else []
    tally.lost += [] if gain >= -TOLERANCE else [round(gain, 2)]


def spectra(case: cases.Case, label: str, count: int, kept: Kept) -> dict:
    """One model, many noises; compiled once."""
    tally, level = Tally(), LEVELS[label]
    with pipeline.float64():
        problem = cases.build(case, level)
        for seed in range(count):
            row = kept.once(
                f"{case.name}, {label}, {seed}",
                lambda s=seed: one(case, problem, level, s),
            )
            add(tally, row, warm=seed > 0)
    return tally.row()


def mixtures(label: str, count: int, kept: Kept) -> dict:
    """Many models, each with one noise; CPU seconds count their compilation."""
    tally, level = Tally(), LEVELS[label]

    def new(seed: int) -> tuple[float, float]:
        case = cases.random_mixture(seed)
        return one(case, cases.build(case, level), level, seed)

    with pipeline.float64():
        for seed in range(count):
            name = f"random mixtures, {label}, {seed}"
            add(tally, kept.once(name, lambda s=seed: new(s)), warm=True)
    return tally.row()


def one(case: cases.Case, problem, level: float, seed: int) -> tuple[float, float]:
    """`searched` of one noise."""
    truth = case.truth(level)
    simulated = cases.simulated(problem, truth, seed)
    return searched((simulated, cases.position(problem, truth)), seed)


# ------------------------------------------------------------------------ peers


def report_spectrum(level: float, seed: int) -> peers.Spectrum:
    """The report's case as the peers see it."""
    with pipeline.float64():
        problem = cases.build(cases.REPORT, level)
        problem = cases.simulated(problem, cases.REPORT.truth(level), seed)
        velocity, counts = (
            np.asarray(problem.data[k])[0] for k in ("velocity", "counts")
        )
    windows = np.array([site.field for site in cases.REPORT.sites])
    return peers.Spectrum(velocity, counts, level, windows)


def true_vector(level: float) -> np.ndarray:
    sites = cases.REPORT.sites
    values = {"N0": level, "width": cases.WIDTH, "area": cases.AREA}
    for name in ("IS", "QS", "Bint"):
        values[name] = np.array([site.values[name] for site in sites])
    values["I"] = np.array([site.share for site in sites])
    return peers.packed(values)


def by_lmfit(level: float, count: int) -> dict:
    """Bounded least squares from draws of the prior, a new start each time."""
    import lmfit

    seen, truth = report_spectrum(level, 0), true_vector(level)
    generator = np.random.default_rng(0)

    def fitted(start: np.ndarray) -> float:
        parameters = lmfit.Parameters()
        for i, (value, low, high) in enumerate(
            zip(start, *peers.limits(seen), strict=True)
        ):
            parameters.add(f"x{i}", value=value, min=low, max=high)

        def residual(p):
            theta = np.fromiter(p.valuesdict().values(), float)
            return peers.residuals(seen, theta)

        with np.errstate(all="ignore"):
            return lmfit.minimize(residual, parameters, calc_covar=False).chisqr

    best, tally = fitted(truth), Tally()
    for _ in range(count):
        begin = now()
        found = fitted(peers.prior_draw(seen, generator.uniform(size=truth.size)))
        tally.cpu.append((now() - begin).cpu)
        tally.runs += 1
        tally.successes += bool(found <= best + MISFIT)
    return tally.row()


def by_metropolis(level: float, count: int) -> dict:
    """The report's way: the mode above a random start (MAP), then Metropolis."""
    import jax
    import jax.numpy as jnp
    from scipy.optimize import minimize

    seen, truth = report_spectrum(level, 0), true_vector(level)
    low, high = peers.limits(seen)
    generator, tally = np.random.default_rng(0), Tally()
    with jax.enable_x64(True):
        density = jax.jit(lambda x: peers.log_density(seen, x, jnp))
        cost = jax.jit(
            jax.value_and_grad(
                lambda u: -peers.log_density(seen, low + (high - low) * u, jnp)
            )
        )

        def finite_cost(u):
            parts = (np.nan_to_num(np.asarray(part), posinf=1e12) for part in cost(u))
            return tuple(parts)

        def climbed(start):
            inside = np.clip((start - low) / (high - low), 1e-6, 1.0 - 1e-6)
            found = minimize(
                finite_cost, inside, jac=True, method="L-BFGS-B",
                bounds=[(1e-9, 1.0 - 1e-9)] * len(low), options={"maxiter": 1000},
            )  # fmt: skip
            return low + (high - low) * found.x

        best = float(density(climbed(truth)))
        walk = metropolis(density, truth.size, STEPS // 2, STEPS // 2)
        jax.block_until_ready(walk(jax.random.key(0), jnp.asarray(truth)))
        for seed in range(count):
            begin = now()
            start = climbed(peers.prior_draw(seen, generator.uniform(size=truth.size)))
            drawn = walk(jax.random.key(seed), jnp.asarray(start))
            heights = jax.lax.map(density, drawn)
            tally.cpu.append((now() - begin).cpu)
            tally.runs += 1
            # draws scatter about a mode by some dimension / 2 nats: all of that is allowed
            tally.successes += bool(np.max(heights) > best - truth.size)
    return tally.row()


def measure(quick: bool, kept: Kept) -> dict:
    """Every case at both count levels, and the peers on the report's case."""
    results: dict = {}
    for label, level in LEVELS.items():
        for case in CASES:
            results[f"{case.name}, {label}"] = spectra(
                case, label, SPECTRA[quick], kept
            )
        results[f"random mixtures, {label}"] = mixtures(label, MIXTURES[quick], kept)
        for name, way, count in (
            ("lmfit", by_lmfit, STARTS[quick]),
            ("MAP and Metropolis", by_metropolis, WALKS[quick]),
        ):
            name = f"{name}, {label}"
            results[name] = kept.once(name, lambda w=way, v=level, n=count: w(v, n))
    return results
