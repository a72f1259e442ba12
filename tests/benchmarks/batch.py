"""Fits of many spectra of one model, beside scipy's and lmfit's least squares.

The same spectra of three sextets, the same starting values, the same weights.  Peers
have what a careful user writes with NumPy; their derivatives are by differences, as is
their custom.  specfit's bring the curvature; with evidence and Pareto k̂ they are shown apart.
"""

from __future__ import annotations

import numpy as np

from specfit import pipeline
from tests.benchmarks import cases, peers
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import now
from tests.benchmarks.sampling import WINDOWS, mode_of, peers_spectrum

LEVEL = cases.NOISY
SIZES = {True: (512, 40, 20), False: (2048, 300, 300)}
"""Spectra for specfit, scipy, lmfit; quick and full."""
BLOCK = 128
SPREAD = {"IS": 0.01, "QS": 0.02, "Bint": 0.2}
"""How far each spectrum's truth lies from the first's: mm/s, mm/s, T."""


def series(problem, count: int) -> np.ndarray:
    """Counts (count, 1, n_channels) of spectra whose truths differ a little."""
    import jax

    expected = jax.jit(lambda z: problem.predict({"z": z}, problem.data))
    generator, truth = np.random.default_rng(7), cases.apart(WINDOWS).truth(LEVEL)
    rows = []
    for _ in range(count):
        moved = {
            name: value + SPREAD.get(name.rpartition(".")[2], 0.0) * generator.normal()
            for name, value in truth.items()
        }
        z = cases.position(problem, moved)
        rows.append(generator.poisson(np.asarray(expected(z))))
    return np.array(rows, dtype=float)


def ours(problem, counts: np.ndarray) -> dict:
    """The fits of all spectra; one of them is searched, and is where all begin."""
    import jax

    from specfit.inference import Settings, many
    from specfit.inference.backend import layout
    from specfit.inference.batch import Fitter
    from specfit.inference.pilots import labelling, pilot, starts_of
    from specfit.inference.projection import Kernels

    def data(rows):
        count = len(rows)
        every = jax.tree.map(
            lambda x: np.repeat(np.asarray(x)[None], count, axis=0), problem.data
        )
        return {**every, "counts": rows}

    first = problem._replace(data={**problem.data, "counts": counts[0]})
    settings, names = Settings(), problem.names
    found = [pilot(first, settings)]
    prior = problem.sample_prior(jax.random.key(0), 64, problem.data)
    change = labelling(problem, prior, found)
    starts = starts_of(found, change)
    fitter = Fitter(names, starts, change, settings)
    blocks = [data(counts[i : i + BLOCK]) for i in range(0, len(counts), BLOCK)]

    def alone(block):
        return many.fit(Kernels(problem), names, starts, block, layout(BLOCK))

    marks = [now()]
    for block in blocks:  # compiles
        jax.block_until_ready(alone(block))
        fitter.fit(problem, block)
    marks.append(now())
    for block in blocks:
        jax.block_until_ready(alone(block))
    marks.append(now())
    done = [fitter.fit(problem, block) for block in blocks]
    marks.append(now())
    return {
        "names": names, "values": np.concatenate([one.values for one in done]),
        "alone": (marks[2] - marks[1]).cpu / len(counts),
        "weighed": (marks[3] - marks[2]).cpu / len(counts), "start": starts.position[0, 0],
    }  # fmt: skip


def by_scipy(spectra: list, start: np.ndarray) -> tuple[np.ndarray, float]:
    """MINPACK through `leastsq`, the fastest of scipy's; values and CPU seconds each."""
    from scipy.optimize import leastsq

    begin = now()
    scale = np.abs(start) + 0.1
    found = [
        leastsq(lambda x, s=s: peers.residuals(s, x * scale), start / scale)[0] * scale
        for s in spectra
    ]
    return np.array(found), (now() - begin).cpu / len(spectra)


def by_lmfit(spectra: list, start: np.ndarray) -> tuple[np.ndarray, float]:
    """lmfit's `minimize` with a Parameter for each unknown, without bounds."""
    import lmfit

    parameters = lmfit.Parameters()
    for i, value in enumerate(start):
        parameters.add(f"x{i}", value=value)
    begin = now()
    found = [
        lmfit.minimize(
            lambda p, s=s: peers.residuals(s, np.fromiter(p.valuesdict().values(), float)),
            parameters, calc_covar=True,
        )
        for s in spectra
    ]  # fmt: skip
    spent = (now() - begin).cpu / len(spectra)
    return np.array([list(one.params.valuesdict().values()) for one in found]), spent


def measure(quick: bool, kept: Kept) -> dict:
    """CPU seconds a fit, and how far the answers are apart."""
    found: dict = kept.once("fits", lambda: _fits(quick))
    return found


def _fits(quick: bool) -> dict:
    count, n_scipy, n_lmfit = SIZES[quick]
    with pipeline.float64():
        problem = cases.build(cases.apart(WINDOWS), LEVEL)
        counts = series(problem, count)
        found = ours(problem, counts)
        template = peers_spectrum(problem, LEVEL)
        start = peers.packed(mode_of(problem, found["start"]))
    spectra = [
        peers.Spectrum(template.velocity, row[0], LEVEL, template.windows)
        for row in counts[: max(n_scipy, n_lmfit)]
    ]
    scipy_values, scipy_cpu = by_scipy(spectra[:n_scipy], start)
    lmfit_values, lmfit_cpu = by_lmfit(spectra[:n_lmfit], start)
    iron = found["values"][:, found["names"].index("Fe.Bint")]
    place = 3 + 2 * 3 + 2  # of the third field in the peers' vectors
    return {
        "specfit_cpu": found["alone"], "weighed_cpu": found["weighed"],
        "scipy_cpu": scipy_cpu, "lmfit_cpu": lmfit_cpu,
        "apart_T": [
            float(np.median(np.abs(v[:, place] - iron[: len(v)])))
            for v in (scipy_values, lmfit_values)
        ],
        "spectra": [count, n_scipy, n_lmfit],
    }  # fmt: skip
