"""Log-evidence beside nested sampling, for two, three and four sextets in one spectrum.

All sextets have the same prior, so both numbers are of unordered sites: specfit adds
log K! to the one labelling that it keeps; dynesty draws sorted fields, whose density is
K! times as high on a K!-th of the space.
"""

from __future__ import annotations

import numpy as np

from tests.benchmarks import cases, peers
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import now

TRUTH = cases.REPORT
COUNTS = (2, 3, 4)
WINDOW = (12.0, 60.0)  # T
LIVE, SEEDS = {True: 150, False: 500}, {True: (1,), False: (1, 2, 3)}


def case_of(count: int) -> cases.Case:
    """`count` like sextets; the values of those beyond the truth say nothing."""
    sites = [
        cases.sextet(f"S{i}", 1 / count, 0.0, 0.0, 30.0, WINDOW) for i in range(count)
    ]
    return cases.Case(f"{count} sextets", tuple(sites))


def spectrum() -> np.ndarray:
    """The noisy spectrum of three sextets that every model is held against."""
    with cases.pipeline.float64():
        problem = cases.build(TRUTH, cases.NOISY)
        problem = cases.simulated(problem, TRUTH.truth(cases.NOISY), 1)
    return np.asarray(problem.data["counts"])


def ours(count: int, counts: np.ndarray) -> tuple[float, float, float, float, float]:
    """Log-evidence, its sd, Pareto k̂, seconds to compile, CPU seconds of a run."""
    from specfit.inference import Settings
    from specfit.inference.ground import survey
    from specfit.inference.journal import Journal

    with cases.pipeline.float64():
        problem = cases.build(case_of(count), cases.NOISY)
        problem = problem._replace(data={**problem.data, "counts": counts})
        marks = [now()]
        for seed in (1, 2):
            ground = survey(problem, Settings(seed=seed), lambda *_: None, Journal())
            marks.append(now())
    found = ground.evidence
    first, run = marks[1] - marks[0], marks[2] - marks[1]
    compiling = (first - run).wall
    return found.value, found.sd, found.pareto_k, compiling, run.cpu


def nested(
    count: int, counts: np.ndarray, seed: int, live: int
) -> tuple[float, float, float]:
    """Log-evidence of dynesty, its own error, and CPU seconds."""
    import dynesty

    velocity = np.linspace(-cases.LIMIT, cases.LIMIT, cases.CHANNELS)
    windows = np.array([WINDOW] * count)
    seen = peers.Spectrum(velocity, counts[0], cases.NOISY, windows)

    def height(theta: np.ndarray) -> float:
        return float(peers.log_likelihood(seen, peers.unpacked(seen, theta), np))

    begin = now()
    sampler = dynesty.NestedSampler(
        height, lambda u: peers.prior_draw(seen, u, ordered=True), 2 + 4 * count,
        nlive=live, sample="rslice", rstate=np.random.default_rng(seed),
    )  # fmt: skip
    sampler.run_nested(dlogz=0.1, print_progress=False)
    found = sampler.results
    return float(found.logz[-1]), float(found.logzerr[-1]), (now() - begin).cpu


def measure(quick: bool, kept: Kept) -> dict:
    """Both, for every number of sextets."""
    counts, rows = spectrum(), {}
    for count in COUNTS[: 1 if quick else None]:
        value, sd, pareto, first, run = kept.once(
            f"specfit, {count}", lambda k=count: ours(k, counts)
        )
        theirs = [
            kept.once(
                f"dynesty, {count}, seed {seed}",
                lambda k=count, s=seed: nested(k, counts, s, LIVE[quick]),
            )
            for seed in SEEDS[quick]
        ]
        rows[str(count)] = {
            "specfit": value, "specfit_sd": sd, "pareto_k": pareto,
            "dynesty": [v for v, *_ in theirs], "dynesty_sd": [e for _, e, _ in theirs],
            "specfit_cpu": run, "compile_s": first,
            "dynesty_cpu": float(np.mean([cpu for *_, cpu in theirs])),
        }  # fmt: skip
    return rows
