"""Three overlapping six-line patterns, from prior to Fit, without a starting value."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import jax
import numpy as np
import pydantic
import pytest

from specfit.inference import Settings, engine_names, evaluate, find, use_cores
from specfit.inference.beam import seen
from specfit.inference.exchange import exchange
from specfit.inference.laplace import gaussian
from specfit.inference.mend import mend
from specfit.inference.projection import assemble
from specfit.inference.search import search
from specfit.inference.stock import stock

SITES = "ABC"


@pytest.fixture(scope="module")
def cached():
    """One problem and one fit for all tests that only look."""
    return SimpleNamespace(fit=None, problem=None, said=[])


@pytest.fixture
def fitted(toy, cached):
    if cached.fit is None:
        counts = toy.counts_of(2e4, 3)
        cached.problem = toy.sextets(counts, 2e4, toy.ordered)
        cached.fit = find(
            cached.problem,
            Settings(seed=3),
            lambda stage, done, detail: cached.said.append((stage, done)),
        )
    return cached


def recovered(toy, problem, position, tolerance):
    """Whether the peak is the truth, whichever component has which label."""
    values = problem.constrain({"z": position}, problem.data)
    found = sorted([float(values[f"{s}.{p}"]) for p in ("B", "IS", "I")] for s in SITES)
    truth = sorted([toy.truth[f"{s}.{p}"] for p in ("B", "IS", "I")] for s in SITES)
    return np.all(np.abs(np.subtract(found, truth)) < tolerance)


def successes(toy, level, tolerance, seeds):
    count = 0
    for seed in seeds:
        problem = toy.sextets(toy.counts_of(level, seed), level)
        peaks = search(problem, jax.random.key(seed), Settings()).peaks
        count += recovered(toy, problem, peaks[0].position, tolerance)
    return count


CLEAN = 1e6, (0.1, 0.02, 0.02)
NOISY = 2e4, (0.6, 0.1, 0.06)


@pytest.mark.parametrize(("level", "tolerance"), [CLEAN, NOISY])
def test_vague_priors_are_enough_to_find_the_patterns(toy, level, tolerance):
    assert successes(toy, level, tolerance, range(2)) == 2


def test_a_fit_with_misplaced_components_is_mended(toy):
    problem = toy.sextets(toy.counts_of(1e6, 2), 1e6)
    prior = problem.sample_prior(jax.random.key(2), 2048, problem.data)
    atoms = stock(problem, prior, evaluate.unconstrain(problem, prior))
    # two components cover the strongest pattern, the third stands apart
    wrong = {"A.B": 33.5, "B.B": 32.5, "C.B": 15.0, "A.IS": 0.1, "B.IS": 0.0, "N0": 1.0}
    values = {**toy.truth, **wrong}
    start = evaluate.unconstrain(problem, {n: np.array([v]) for n, v in values.items()})
    (bad,) = seen(atoms, start[0], np.ones((1, 3)))
    best = mend(atoms, [bad])[0]
    assert bad.chi2 > 10 * best.chi2
    assert recovered(
        toy, problem, assemble(problem, best.position, best.placed), CLEAN[1]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("level", "tolerance"), [CLEAN, NOISY])
def test_the_patterns_are_found_in_twenty_noises(toy, level, tolerance):
    assert successes(toy, level, tolerance, range(20)) == 20


def test_the_posterior_passes_every_gate_and_covers_the_truth(toy, fitted):
    fit = fitted.fit
    assert fit.converged, fit.gates
    assert fit.settings["attempts"] == 1
    z = [
        (fit.draws[name].mean() - truth) / fit.draws[name].std()
        for name, truth in toy.truth.items()
    ]
    assert np.max(np.abs(z)) < 4.0
    assert fit.modes[0].weight > 0.99
    assert fit.log_evidence[1] < 0.1


def test_a_fit_has_the_shapes_it_promises(fitted):
    fit, n = fitted.fit, 512
    assert fit.positions.shape == (4, 1000, 14)
    assert all(draws.shape == (4, 1000) for draws in fit.draws.values())
    assert {"A.B", "C.I", "width"} <= set(fit.draws)
    assert all(draws.shape == (1000,) for draws in fit.prior.values())
    assert fit.curve.shape == (1, n)
    assert fit.band.shape == (2, 1, n)
    assert fit.components.shape == (1, 3, n)
    assert fit.replicated.shape == (200, 1, n)
    assert fit.pointwise.shape == (4, 125, 1, n)
    assert all(rows.shape == (4, 1000) for rows in fit.statistics.values())
    assert (fit.band[0] < fit.curve).all()
    assert (fit.curve < fit.band[1]).all()
    baseline = 2e4 * fit.draws["N0"].mean()
    assert np.allclose(baseline - fit.components.sum(axis=1), fit.curve, rtol=1e-3)
    assert abs(np.mean(fit.replicated) / np.mean(fit.curve) - 1.0) < 1e-3
    # the value that the log-density gives is the one that was kept
    z = fit.positions[2, 17]
    value = fitted.problem.logdensity({"z": z}, fitted.problem.data)
    assert fit.statistics["lp"][2, 17] == pytest.approx(float(value), abs=1e-6)


def test_progress_is_told_in_order(fitted):
    stages = list(dict.fromkeys(stage for stage, _ in fitted.said))
    assert stages == ["search", "sampling", "prediction"]
    shares = [done for stage, done in fitted.said if stage == "sampling"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [stage.name for stage in fitted.fit.stages] == [
        "search", "evidence", "sampling", "diagnostics", "prediction",
    ]  # fmt: skip


def test_new_data_do_not_compile_again(toy, fitted):
    before = len(toy.traces)
    other = toy.sextets(toy.counts_of(2e4, 4), 2e4, toy.ordered)
    again = find(other, Settings(seed=4))
    assert len(toy.traces) == before
    assert not np.allclose(again.positions, fitted.fit.positions)


def test_laplace_agrees_where_the_posterior_is_nearly_normal(fitted):
    fit = find(fitted.problem, Settings(seed=3, engine="laplace", replicates=200))
    assert fit.converged, fit.gates
    for name in fitted.problem.names:
        sampled, normal = fitted.fit.draws[name], fit.draws[name]
        assert normal.std() == pytest.approx(sampled.std(), rel=0.15)


def test_the_mode_is_a_fit_of_one_draw(fitted):
    fit = find(fitted.problem, Settings(seed=3, engine="map"))
    assert fit.positions.shape == (1, 1, 14)
    assert [name for name, *_, passed in fit.gates if not passed] == ["no_uncertainty"]
    assert fit.rhat == {}
    highest = fitted.fit.statistics["lp"].max()
    assert fit.statistics["lp"][0, 0] >= highest


def test_components_that_may_be_exchanged_are_folded_into_one_labelling(toy, fitted):
    problem = toy.sextets(toy.counts_of(2e4, 3), 2e4)
    fit = find(problem, Settings(seed=3))
    assert fit.converged, fit.gates
    assert any("A.B ≥ B.B ≥ C.B" in note for note in fit.notes)
    assert np.all(fit.draws["A.B"] >= fit.draws["B.B"])
    assert np.all(fit.draws["B.B"] >= fit.draws["C.B"])
    ordered = fitted.fit
    fields = sorted((ordered.draws[f"{s}.B"].mean() for s in SITES), reverse=True)
    found = [fit.draws[f"{s}.B"].mean() for s in SITES]
    assert np.allclose(found, fields, atol=0.02)
    # the evidence is that of all 3! labellings, each worth what Laplace's method says
    one = max(fit.modes, key=lambda mode: mode.weight).log_evidence
    assert fit.log_evidence[0] == pytest.approx(one + np.log(6.0), abs=0.3)


def test_an_exchange_is_seen_only_where_the_posterior_allows_it(toy, fitted):
    free = toy.sextets(toy.counts_of(2e4, 3), 2e4)
    for problem, groups in ((free, 1), (fitted.problem, 0)):
        key = jax.random.key(0)
        found = search(problem, key, Settings(prior_draws=64, atoms=512))
        best = gaussian(found.peaks[0])
        change = exchange(problem, tuple(found.prior), found.groups, best)
        assert len(change.groups) == groups
        rows = found.prior_positions[:32]
        folded = change.folded(rows)
        assert change.inside(folded).all()
        assert np.array_equal(change.folded(folded), folded)
        assert change.log_labellings == pytest.approx(np.log(6.0) * groups)


def test_an_interruption_keeps_what_was_drawn(fitted):
    def stop(share):
        def progress(stage, done, detail):
            if stage == "sampling" and done > share:
                raise KeyboardInterrupt

        return progress

    fit = find(fitted.problem, Settings(seed=3), stop(0.6))
    kept = fit.positions.shape[1]
    assert 250 <= kept < 1000
    assert np.array_equal(fit.positions, fitted.fit.positions[:, :kept])
    assert not fit.converged
    assert fit.settings["interrupted"] is True
    assert {n for n, *_, passed in fit.gates if not passed} >= {"interrupted"}
    with pytest.raises(KeyboardInterrupt):
        find(fitted.problem, Settings(seed=3), stop(0.0))


def test_an_unknown_engine_is_named_with_the_known_ones(fitted):
    with pytest.raises(
        ValueError,
        match="`gibs`; engines are auto, nuts, smc, slice, metropolis, laplace, map",
    ):
        find(fitted.problem, Settings(engine="gibs"))
    names = (
        "auto",
        "nuts",
        "smc",
        "slice",
        "metropolis",
        "laplace",
        "map",
        "likelihood",
    )
    assert engine_names() == names


def test_settings_are_closed_and_frozen():
    with pytest.raises(pydantic.ValidationError):
        Settings(chain=4)
    with pytest.raises(pydantic.ValidationError):
        Settings(target_accept=1.5)
    with pytest.raises(pydantic.ValidationError):
        Settings().chains = 8


def test_the_door_opens_without_jax():
    code = (
        "import sys, specfit.inference as i; i.Settings(); print('jax' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_the_user_s_device_count_is_left_alone(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=3")
    assert use_cores(2) == 2
    assert os.environ["XLA_FLAGS"].endswith("count=3")
    monkeypatch.setenv("XLA_FLAGS", "--xla_a")
    use_cores(2)
    wanted = "--xla_a --xla_force_host_platform_device_count=2"
    assert os.environ["XLA_FLAGS"] == wanted


SHARED = """
from specfit.inference import Settings, find, use_cores
if {cores}: use_cores({cores})
import hashlib, runpy, jax, jax.numpy as jnp, numpy as np
toy = runpy.run_path({conftest!r})
with jax.enable_x64(True):
    problem = toy["density_problem"]("ab", lambda z, data: -0.5 * jnp.sum(z**2))
    fit = find(problem, Settings(draws=100, prior_draws=100))
print(fit.settings["layout"], hashlib.sha256(fit.positions.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_chains_shared_among_cores_draw_the_same():
    conftest = __file__.replace("test_finding", "conftest")
    said = [
        subprocess.run(
            [sys.executable, "-c", SHARED.format(cores=cores, conftest=conftest)],
            capture_output=True, text=True, check=True,
        ).stdout.split()
        for cores in (0, 2)
    ]  # fmt: skip
    assert [" ".join(words[:-1]) for words in said] == ["one core", "cores"]
    assert said[0][-1] == said[1][-1]


@pytest.mark.slow
def test_vectorised_chains_sample_the_same_posterior(fitted, monkeypatch):
    monkeypatch.setattr("specfit.inference.nuts.layout", lambda n: "vectorised")
    fit = find(fitted.problem, Settings(seed=5))
    assert fit.converged, fit.gates
    for name in fitted.problem.names:
        one, other = fitted.fit.draws[name], fit.draws[name]
        # effective draws are some 5000: four standard errors, and more
        assert abs(one.mean() - other.mean()) < 4 * one.std() * np.sqrt(2 / 2000)
        assert other.std() == pytest.approx(one.std(), rel=0.1)
