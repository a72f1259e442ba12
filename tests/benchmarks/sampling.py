"""Effective draws per second: specfit's samplers beside their peers, on one posterior.

Each sampler runs in a process of its own, starts at the mode, and is charged for warm-up
and draws; compilation is shown apart.  ESS is ArviZ's bulk ESS, the least over all
parameters; the draws of all must agree.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks import cases, peers
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import Spent, now
from tests.benchmarks.metropolis import metropolis

WINDOWS = {"B": (38.5, 46.5), "A": (46.5, 60.0), "Fe": (12.0, 38.5)}
"""Tesla.  Disjoint, so that no sampler can exchange labels and all see one mode."""
SIZES = {
    # sampler: (chains, warm-up, draws), quick and full
    "specfit": ((4, 200, 1000), (4, 200, 1000)),
    "specfit_nuts": ((4, 200, 1000), (4, 200, 1000)),
    "nutpie": ((4, 400, 1000), (4, 400, 1000)),
    "numpyro": (None, (4, 1000, 1000)),
    "pymc": (None, (2, 1000, 1000)),
    "emcee": ((40, 500, 1000), (40, 2000, 5000)),
    "metropolis": ((4, 5000, 10000), (4, 20000, 100000)),
}
LEVELS = {"clean": cases.CLEAN, "noisy": cases.NOISY}
NAMES = ("N0", "width", "area", "IS", "QS", "Bint", "I")


# ------------------------------------------------------------------ the posterior


def posterior(level: float, seed: int = 1) -> dict:
    """The spectrum and the mode, found by specfit without a starting value."""
    import jax

    from specfit import pipeline
    from specfit.inference import Settings
    from specfit.inference.search import search

    case = cases.apart(WINDOWS)
    with pipeline.float64():
        problem = cases.build(case, level)
        problem = cases.simulated(problem, case.truth(level), seed)
        peak = search(problem, jax.random.key(seed), Settings()).peaks[0]
        spectrum = peers_spectrum(problem, level)
        _check_same_density(problem, spectrum, seed)
        mode = mode_of(problem, peak.position)
    return {
        "spectrum": spectrum,
        "mode": mode,
        "position": peak.position,
    }


def peers_spectrum(problem, level: float) -> peers.Spectrum:
    velocity, counts = (np.asarray(problem.data[k])[0] for k in ("velocity", "counts"))
    windows = np.array([WINDOWS[site] for site in WINDOWS])
    return peers.Spectrum(velocity, counts, level, windows)


def mode_of(problem, z) -> dict:
    """The values at a position, by the names of the peers."""
    from specfit.inference import evaluate

    values = evaluate.constrain(problem, np.asarray(z)[None])
    return {name: value[0] for name, value in _arrays(values).items()}


def _arrays(values: dict) -> dict:
    """Values by the names of the peers: a last axis over sites where there is one."""
    plain = {"N0": values["N0"], "width": values["Γ"], "area": values["area"]}
    for name in ("IS", "QS", "Bint", "I"):
        plain[name] = np.stack([values[f"{site}.{name}"] for site in WINDOWS], axis=-1)
    return plain


def _check_same_density(problem, spectrum, seed: int) -> None:
    """The two densities, written apart, agree at draws of the prior."""
    import jax
    import jax.numpy as jnp

    def vector(z):
        values = problem.constrain({"z": z}, problem.data)
        scalars = [values["N0"], values["Γ"], values["area"]]
        rest = [values[f"{s}.{p}"] for p in ("IS", "QS", "Bint", "I") for s in WINDOWS]
        return jnp.stack([*scalars, *rest[:-1]])

    for z in np.random.default_rng(seed).normal(size=(5, problem.dimension)):
        ours = float(problem.logdensity({"z": z}, problem.data))
        stretch = np.linalg.slogdet(np.asarray(jax.jacfwd(vector)(z)))[1]
        theirs = float(peers.log_density(spectrum, np.asarray(vector(z))))
        assert abs(ours - stretch - theirs) < 1e-8 * (1.0 + abs(ours)), (ours, theirs)


# ------------------------------------------------------------------- the samplers
# Each: (spectrum, found, chains, warm-up, draws) → draws by name, and three marks: the
# start, compiled (or a first run done), drawn.


def run_specfit(spectrum, found, chains, warmup, draws):
    """Independent proposals, what `run auto` comes to here; k̂ and ESS are looked at."""

    def sampler(problem):
        from specfit.inference import Journal, Settings
        from specfit.inference.ground import survey
        from specfit.inference.independence import independent, promising

        settings = Settings(chains=chains, warmup=warmup, draws=draws)
        ground = survey(problem, settings, lambda *said: None, Journal())
        assert promising(ground), ground.evidence
        return lambda seed: independent(ground)[0]

    return _ours(spectrum, sampler)


def run_specfit_nuts(spectrum, found, chains, warmup, draws):
    import jax

    from specfit.inference.laplace import gaussian
    from specfit.inference.nuts import Plan, sample
    from specfit.inference.search import polish

    def sampler(problem):
        plan = Plan((warmup,), False, False, draws, 0.8, 250, lambda share: None)

        def once(seed):
            shape = gaussian(polish(problem, [found["position"]])[0])
            return sample(problem, shape, jax.random.key(seed), chains, plan)

        return once

    return _ours(spectrum, sampler)


def _ours(spectrum, sampler):
    """Draws and marks of `sampler(problem)`, which makes the chains of a seed."""
    from specfit import pipeline
    from specfit.inference import evaluate, use_cores

    use_cores()
    with pipeline.float64():
        problem = cases.build(cases.apart(WINDOWS), spectrum.level)
        counts = spectrum.counts[None].astype(float)
        problem = problem._replace(data={**problem.data, "counts": counts})
        once = sampler(problem)
        marks = [now()]
        once(0)
        marks.append(now())
        positions = once(1).positions
        marks.append(now())
        flat = evaluate.constrain(problem, positions.reshape(-1, problem.dimension))
    shaped = {n: v.reshape(positions.shape[:2]) for n, v in flat.items()}
    return _arrays(shaped), marks


def run_numpyro(spectrum, found, chains, warmup, draws):
    import jax
    import numpyro
    from numpyro.infer import MCMC, NUTS, init_to_value

    numpyro.enable_x64()
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **_: (
            compiled.append(seconds) if "compile" in name else None
        )
    )
    kernel = NUTS(
        peers.numpyro_model(spectrum), dense_mass=True,
        init_strategy=init_to_value(values=found["mode"]),
    )  # fmt: skip
    mcmc = MCMC(
        kernel, num_warmup=warmup, num_samples=draws, num_chains=chains,
        chain_method="vectorized", progress_bar=False,
    )  # fmt: skip
    begin = now()
    mcmc.run(jax.random.key(1))
    drawn = mcmc.get_samples(group_by_chain=True)
    drawn = {name: np.asarray(drawn[name]) for name in NAMES}
    end = now()
    # only the wall time of compilation is known; the processor is taken to be as busy
    share = min(1.0, sum(compiled) / (end - begin).wall)
    after = Spent(
        begin.cpu + share * (end - begin).cpu, begin.wall + share * (end - begin).wall
    )
    return drawn, [begin, after, end]


def run_nutpie(spectrum, found, chains, warmup, draws):
    import nutpie

    marks = [now()]
    compiled = nutpie.compile_pymc_model(
        peers.pymc_model(spectrum), initial_points=found["mode"], jitter_rvs=set()
    )
    nutpie.sample(compiled, draws=10, tune=10, chains=1, progress_bar=False)
    marks.append(now())
    trace = nutpie.sample(
        compiled, draws=draws, tune=warmup, chains=chains, seed=1, cores=2,
        progress_bar=False,
    )  # fmt: skip
    marks.append(now())
    return {name: trace.posterior[name].values for name in NAMES}, marks


def run_pymc(spectrum, found, chains, warmup, draws):
    import pymc as pm

    marks = [now()]

    def first_step(trace, draw):
        if len(marks) == 1:
            marks.append(now())

    with peers.pymc_model(spectrum):
        trace = pm.sample(
            draws, tune=warmup, chains=chains, cores=1, random_seed=1,
            initvals=[found["mode"]] * chains, init="adapt_diag", progressbar=False,
            compute_convergence_checks=False, callback=first_step,
        )  # fmt: skip
    marks.append(now())
    return {name: trace.posterior[name].values for name in NAMES}, marks


def run_emcee(spectrum, found, walkers, warmup, draws):
    import emcee

    mode = peers.packed(found["mode"])
    sampler = emcee.EnsembleSampler(
        walkers, len(mode), lambda theta: peers.log_density(spectrum, theta),
        vectorize=True,
    )  # fmt: skip
    start = mode * (
        1.0 + 1e-4 * np.random.default_rng(1).normal(size=(walkers, len(mode)))
    )
    sampler.random_state = np.random.RandomState(1).get_state()
    marks = [now(), now()]
    sampler.run_mcmc(start, warmup + draws)
    marks.append(now())
    chain = np.moveaxis(sampler.get_chain(discard=warmup), 0, 1)
    return peers.unpacked(spectrum, chain), marks


def run_metropolis(spectrum, found, chains, warmup, draws):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    mode = jnp.asarray(peers.packed(found["mode"]))
    chain = metropolis(
        lambda theta: peers.log_density(spectrum, theta, jnp), len(mode), warmup, draws
    )
    marks = [now()]
    jax.block_until_ready(chain(jax.random.key(0), mode))
    marks.append(now())
    drawn = [np.asarray(chain(jax.random.key(1 + i), mode)) for i in range(chains)]
    marks.append(now())
    return peers.unpacked(spectrum, np.stack(drawn)), marks


SAMPLERS = {
    "specfit": run_specfit,
    "specfit_nuts": run_specfit_nuts,
    "nutpie": run_nutpie,
    "numpyro": run_numpyro,
    "pymc": run_pymc,
    "emcee": run_emcee,
    "metropolis": run_metropolis,
}


def worker(name: str, size: int, given: Path, out: Path) -> None:
    """One sampler, in this process."""
    found = pickle.loads(given.read_bytes())
    drawn, marks = SAMPLERS[name](found["spectrum"], found, *SIZES[name][size])
    first, run = marks[1] - marks[0], marks[2] - marks[1]
    if name in TWICE:
        first = first - run
    out.write_bytes(pickle.dumps((drawn, first, run)))


TWICE = ("specfit", "specfit_nuts")
"""Samplers whose first run is a whole one: what it took longer is compilation."""
QUICK = ("specfit", "specfit_nuts", "nutpie", "emcee", "metropolis")
"""The samplers of the quick size; the others need a long warm-up to do themselves justice."""


def sampled(name: str, size: int, found: dict) -> dict:
    """Draws and rates of one sampler, run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "given", Path(folder) / "out"
        given.write_bytes(pickle.dumps(found))
        words = ["sampling", name, str(size), str(given), str(out)]
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.worker", *words], check=True
        )
        drawn, first, run = pickle.loads(out.read_bytes())
    least = min(float(np.min(ess(drawn[name]))) for name in NAMES)
    return {
        "draws": drawn, "compile": first, "run": run, "ess": least,
        "per_cpu": least / run.cpu, "per_wall": least / run.wall,
    }  # fmt: skip


def ess(draws: np.ndarray, method: str = "bulk") -> np.ndarray:
    """ArviZ's ESS of (chain, draw, …)."""
    import arviz

    return np.asarray(arviz.ess({"x": draws}, method=method)["x"])


def disagreement(ours: dict, theirs: dict) -> float:
    """The largest difference of means, sds and quantiles, in its Monte Carlo error.

    Each is the mean of something: the value, its squared distance from the mean, whether
    it lies below a quantile of both together.
    """
    worst = 0.0
    for name in NAMES:
        both = [d[name].reshape(*d[name].shape[:2], -1) for d in (ours, theirs)]
        together = np.concatenate([x.reshape(-1, x.shape[2]) for x in both])
        middle = together.mean(axis=0)
        marks = [np.quantile(together, q, axis=0) for q in QUANTILES]
        series = [(x, (x - middle) ** 2, *(x < mark for mark in marks)) for x in both]
        for one, other in zip(*series, strict=True):
            gap = np.abs(one.mean(axis=(0, 1)) - other.mean(axis=(0, 1)))
            errors = [x.var(axis=(0, 1)) / ess(x * 1.0, "mean") for x in (one, other)]
            worst = max(worst, float(np.max(gap / np.sqrt(sum(errors)))))
    return worst


QUANTILES = (0.05, 0.5, 0.95)


def measure(quick: bool, kept: Kept) -> dict:
    """Every sampler on both spectra."""
    return {label: _level(label, quick, kept) for label in LEVELS}


def _level(label: str, quick: bool, kept: Kept) -> dict:
    """Every sampler on one spectrum; the draws of two of them are compared."""
    found, size = posterior(LEVELS[label]), 0 if quick else 1
    draws: dict[str, dict] = {}

    def rates(name: str) -> dict:
        one = sampled(name, size, found)
        draws[name] = one["draws"]
        return {
            "ess": one["ess"], "per_cpu": one["per_cpu"], "per_wall": one["per_wall"],
            "compile_s": one["compile"].wall,
        }  # fmt: skip

    def apart() -> float:
        for name in {"specfit", "nutpie"} - draws.keys():
            rates(name)
        return disagreement(draws["specfit"], draws["nutpie"])

    names = QUICK if quick else SAMPLERS
    rows = {n: kept.once(f"{label}, {n}", lambda n=n: rates(n)) for n in names}
    worst = kept.once(f"{label}, disagreement", apart)
    return {"disagreement": worst, "samplers": rows}
