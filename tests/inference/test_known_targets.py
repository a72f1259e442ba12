"""Targets whose posterior is known, and targets that must be refused."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import gammaln, logsumexp
from scipy import stats
from scipy.special import ndtr

from specfit.inference import (
    Journal,
    NonFiniteStart,
    Settings,
    find,
    ground,
    independence,
    search,
    walk,
)

QUICK = Settings(prior_draws=200, replicates=4, thinned=8, chunk=90)
LONG = QUICK.model_copy(update={"chunk": 250})
SHORT = QUICK.model_copy(update={"warmup": 100, "draws": 250})


def failing(fit):
    return {name for name, _, _, passed in fit.gates if not passed}


# ---------------------------------------------------------------------- targets
#
# All have three unknowns and stand in one `switch`, so that the sampler compiles once.


def correlated(z, data):
    rest = z - data["mean"]
    return -0.5 * rest @ data["precision"] @ rest


def mixture(z, data):
    """Two normal modes, normalised."""
    away = (z - data["means"]) / data["widths"]
    heights = jnp.log(data["weights"]) - jnp.sum(jnp.log(data["widths"]), axis=1)
    constant = -1.5 * jnp.log(2.0 * jnp.pi)
    return logsumexp(heights - 0.5 * jnp.sum(away**2, axis=1)) + constant


def two(half_distance, share):
    """The constants of `mixture`: the wide mode on the left has `share`."""
    means = [[-half_distance, 0.0, 0.0], [half_distance, 1.0, 0.0]]
    widths = [[1.0, 1.0, 1.0], [0.8, 0.5, 2.0]]
    return {"means": means, "widths": widths, "weights": [share, 1.0 - share]}


def funnel(z, data):
    inside = 0.5 * z[1:] ** 2 * jnp.exp(-2.0 * z[0]) + z[0]
    return -0.5 * (z[0] / 3.0) ** 2 - jnp.sum(inside)


def flat(z, data):
    return -0.5 * (z[0] + z[1]) ** 2 - 0.5 * z[2] ** 2


def sum_known(z, data):
    """Normal priors of widths `scale`; the first two measured by their sum."""
    prior = -0.5 * jnp.sum((z / data["scale"]) ** 2)
    return prior - 0.5 * ((z[0] + z[1] - 0.3) / 1e-3) ** 2


def wall_of_nan(z, data):
    return -0.5 * jnp.sum(z**2) + 0.0 * jnp.sqrt(1.0 - z[0])


def saturation(z, data):
    """y = b1 (1 − exp(−b2 x)), flat in b, 1/σ in the noise."""
    x, y, used = data["x"], data["y"], data["used"]
    rest = y - z[0] * data["b1"] * (1.0 - jnp.exp(-z[1] * data["b2"] * x))
    chi2 = jnp.sum(used * rest**2) * jnp.exp(-2.0 * z[2])
    return -jnp.sum(used) * z[2] - 0.5 * chi2


def skewed(z, data):
    """Logarithms of gamma variables of shapes 30, 15, 60."""
    shape = data["gamma"]
    return jnp.sum(shape * z - jnp.exp(z)) - jnp.sum(gammaln(shape))


CASES = (
    correlated, mixture, funnel, flat, sum_known, wall_of_nan, saturation, skewed
)  # fmt: skip


def switched(z, data):
    return jax.lax.switch(data["case"], CASES, z, data)


BLANK = {
    "mean": np.zeros(3), "precision": np.eye(3), "scale": np.ones(3), "b1": 1.0,
    **two(5.0, 0.5),
    "gamma": np.array([30.0, 15.0, 60.0]),
    "b2": 1.0, "x": np.zeros(14), "y": np.zeros(14), "used": np.zeros(14),
}  # fmt: skip


@pytest.fixture(scope="module")
def shared():
    """The one problem of all cases, made by the first test that needs it."""
    return {}


@pytest.fixture
def case(toy, shared):
    """`case(target, …)`: the problem of a target, its constants given by name."""

    def build(target, **constants):
        if not shared:
            shared["problem"] = toy.density_problem("abc", switched)
        data = {**BLANK, **constants, "case": CASES.index(target)}
        return shared["problem"]._replace(
            data={name: jnp.asarray(value) for name, value in data.items()}
        )

    return build


# ------------------------------------------------------------------------ tests


def test_correlated_normal_has_its_moments_and_evidence(case):
    sd = np.array([1e-3, 1.0, 50.0])
    correlation = np.array([[1, 0.95, 0], [0.95, 1, -0.3], [0, -0.3, 1]])
    covariance = correlation * sd * sd[:, None]
    mean = np.array([0.5, -1.0, 20.0])
    fit = find(case(correlated, mean=mean, precision=np.linalg.inv(covariance)), QUICK)
    assert fit.converged, fit.gates
    draws = np.stack([fit.draws[name].ravel() for name in "abc"])
    ess = np.array([fit.ess_bulk[name] for name in "abc"])
    # four standard errors: false alarms below 1e-3 over the six figures
    assert np.all(np.abs(draws.mean(axis=1) - mean) < 4 * sd / np.sqrt(ess))
    assert np.allclose(draws.std(axis=1), sd, rtol=0.08)
    assert np.allclose(np.corrcoef(draws), correlation, atol=0.08)
    exact = 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    value, error = fit.log_evidence
    assert abs(value - exact) < 4 * error < 0.2
    assert fit.modes[0].log_evidence == pytest.approx(exact, abs=1e-6)


def test_a_posterior_nearly_normal_is_proposed_independently_and_exactly(case):
    fit = find(case(skewed), QUICK.model_copy(update={"draws": 4000}))
    assert fit.converged, fit.gates
    assert fit.settings["sampler"] == "independence"
    for name, shape in zip("abc", (30.0, 15.0, 60.0), strict=True):
        draws = np.sort(fit.draws[name].ravel())
        exact = stats.loggamma(shape).cdf(draws)
        steps = np.arange(1, draws.size + 1) / draws.size
        # Kolmogorov's distance, 1e-5 of alarms; the normal at the mode of the second is
        # 0.035 away, and would be seen with half as many draws
        apart = np.max(np.abs(exact - steps)) * np.sqrt(fit.ess_bulk[name])
        assert apart < 2.5, (name, apart)
    assert min(fit.ess_bulk[name] for name in "abc") > 10_000
    value, error = fit.log_evidence
    assert abs(value) < 4 * error


@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (4, 8))]
)
def test_a_mode_far_away_is_not_believed_away(toy, seed, monkeypatch):
    """Eight sd from the one that search found, which no proposal may ever meet."""

    def two_modes(z, data):
        near, far = jnp.sum(z**2), jnp.sum(z.at[0].add(-8.0) ** 2)
        return logsumexp(jnp.stack([-0.5 * near, -0.5 * far]))

    every = search.search

    def blind(*arguments):
        found = every(*arguments)
        home = min(found.peaks, key=lambda peak: abs(peak.position[0]))
        return replace(found, peaks=(home,))

    monkeypatch.setattr(ground, "search", blind)
    names = [f"x{i}" for i in range(13)]
    problem = toy.density_problem(names, two_modes)
    settings = QUICK.model_copy(update={"seed": seed, "draws": 500, "chunk": 250})
    fit = find(problem, settings)
    assert len(fit.modes) == 2
    assert (fit.draws["x0"] > 4.0).mean() == pytest.approx(0.5, abs=0.1)
    assert any("missed modes" in note for note in fit.notes), fit.notes


def test_a_missed_mode_is_no_reason_to_believe_what_missed_it(case, monkeypatch):
    """Even where the mode met is one that no sampling can open the gates of."""

    def met(found, heaviest):
        best = found.best
        worse = replace(best, peak=replace(best.peak, decrement=1.0), weight=0.6)
        return replace(found, summits=(worse, *found.summits)), True

    monkeypatch.setattr(walk, "_looked_around", met)
    fit = find(case(correlated), QUICK)
    assert "mode_reached" in failing(fit)
    assert not fit.converged


def test_what_can_pass_no_gate_is_not_proposed_independently(case):
    def promising(**settings):
        asked = QUICK.model_copy(update=settings)
        found = ground.survey(case(correlated), asked, lambda *said: None, Journal())
        return independence.promising(found)

    assert promising()
    assert not promising(draws=50)
    assert not promising(chains=1)


def test_nuts_takes_over_where_independent_proposals_do_not_do(case, monkeypatch):
    monkeypatch.setattr(independence, "GOOD", -1.0)  # no weights are as good
    monkeypatch.setattr(independence, "promising", lambda ground: True)
    fit = find(case(skewed), QUICK)
    assert fit.converged, fit.gates
    assert fit.settings["sampler"] == "nuts"
    assert fit.settings["attempts"] == 2
    assert any("with nuts, because of: pareto_k" in note for note in fit.notes)
    nuts = find(case(skewed), QUICK.model_copy(update={"engine": "nuts"}))
    assert np.array_equal(nuts.positions, fit.positions)


WALK = QUICK.model_copy(
    update={"engine": "metropolis", "warmup": 3000, "draws": 20_000}
)


def test_metropolis_finds_its_scales_and_has_the_moments(case):
    sd = np.array([1e-3, 1.0, 50.0])
    correlation = np.array([[1, 0.6, 0], [0.6, 1, -0.3], [0, -0.3, 1]])
    covariance = correlation * sd * sd[:, None]
    precision, mean = np.linalg.inv(covariance), np.array([0.5, -1.0, 20.0])
    fit = find(case(correlated, mean=mean, precision=precision), WALK)
    assert fit.converged, fit.gates
    assert "e_bfmi" not in {gate[0] for gate in fit.gates}
    # scales that began at one fit spreads from 1e-3 to 50
    assert 0.2 < fit.statistics["acceptance_rate"].mean() < 0.6
    draws = np.stack([fit.draws[name].ravel() for name in "abc"])
    ess = np.array([fit.ess_bulk[name] for name in "abc"])
    assert np.all(np.abs(draws.mean(axis=1) - mean) < 4 * sd / np.sqrt(ess))
    assert np.allclose(draws.std(axis=1), sd, rtol=0.08)
    assert np.allclose(np.corrcoef(draws), correlation, atol=0.08)
    assert fit.draws["a"].shape == (4, 20_000)


def test_metropolis_is_refused_where_it_saw_one_of_two_modes(case):
    settings = WALK.model_copy(update={"draws": 4000})
    assert "other_modes" in failing(find(case(mixture, **two(5.0, 0.5)), settings))


@pytest.mark.parametrize("engine", ["auto", "nuts", "metropolis"])
def test_interrupted_chains_keep_the_draws_that_are_finished(case, engine):
    settings = WALK.model_copy(update={"engine": engine, "warmup": 50, "draws": 900})

    def stop(stage, done, detail):
        if stage == "sampling" and done > 0.3:
            raise KeyboardInterrupt

    fit = find(case(correlated), settings, stop)
    kept = fit.draws["a"].shape[1]
    assert 0 < kept < 900
    assert f"interrupted after {kept} draws a chain" in fit.notes
    assert "interrupted" in failing(fit)
    whole = find(case(correlated), settings)
    assert np.array_equal(fit.draws["a"], whole.draws["a"][:, :kept])
    assert whole.settings["sampler"] == {"auto": "independence"}.get(engine, engine)


def test_draws_are_kept_when_what_follows_them_is_interrupted(case, monkeypatch):
    monkeypatch.setattr(independence, "GOOD", -9.0)
    monkeypatch.setattr(independence, "promising", lambda ground: True)
    said = []

    def stop(stage, done, detail):
        if ("sampling", 1.0) in said and stage == "sampling":
            raise KeyboardInterrupt  # in the warm-up of NUTS
        said.append((stage, done))

    fit = find(case(skewed), QUICK, stop)
    assert "interrupted" in failing(fit)
    assert fit.settings["sampler"] == "independence"
    assert fit.draws["a"].shape == (4, 1000)


def test_segments_are_shorter_where_steps_are_slow(monkeypatch):
    from specfit.inference import pace

    now = [0.0]
    monkeypatch.setattr(pace, "perf_counter", lambda: now[0])
    own = pace.Pace(250)
    lengths = []
    for seconds in [0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 1.0, 100.0, 0.1]:
        lengths.append(own.steps)
        with own.timed(own.steps):
            now[0] += seconds * own.steps
    # a second a step: ten of them; a hundred: one, and never none
    assert lengths == [25, 50, 100, 100, 100, 100, 10, 10, 1]
    assert own.steps == 2


def test_same_seed_same_bits_whatever_the_chunk(case):
    settings = QUICK.model_copy(update={"draws": 110, "engine": "nuts"})
    first = find(case(correlated), settings).positions
    again = find(case(correlated), settings).positions
    chunked = find(case(correlated), settings.model_copy(update={"chunk": 33}))
    other = find(case(correlated), settings.model_copy(update={"seed": 1})).positions
    assert first.tobytes() == again.tobytes() == chunked.positions.tobytes()
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("engine", ["auto", "smc"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.98])
def test_modes_are_sampled_each_and_mixed_by_weight(case, engine, share):
    settings = LONG.model_copy(update={"engine": engine})
    fit = find(case(mixture, **two(5.0, share)), settings)
    assert fit.converged, fit.gates
    left = (fit.draws["a"] < 0.0).mean()
    # weights come from 2000 importance draws or 1024 particles: sd below 0.016
    assert abs(left - share) < 0.06
    assert sorted(m.weight for m in fit.modes)[-1] == pytest.approx(
        max(share, 1.0 - share), abs=0.06
    )
    value, error = fit.log_evidence
    assert abs(value) < 5 * error + 0.02
    assert np.std(fit.draws["c"][fit.draws["a"] > 0.0]) == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize("half_distance", [1.5, 2.5])
def test_modes_that_touch_are_not_counted_twice(case, half_distance):
    fit = find(case(mixture, **two(half_distance, 0.6)), LONG)
    assert fit.converged, fit.gates
    assert (fit.draws["a"] < 0.0).mean() == pytest.approx(
        0.6 * ndtr(half_distance) + 0.4 * ndtr(-half_distance / 0.8), abs=0.07
    )


def test_a_mode_that_search_missed_is_found_by_what_is_drawn(case, monkeypatch):
    every = search.search

    def blind(*arguments):
        found = every(*arguments)
        return replace(found, peaks=found.peaks[:1])

    monkeypatch.setattr(ground, "search", blind)
    fit = find(case(mixture, **two(2.5, 0.6)), LONG)
    assert any("missed" in note for note in fit.notes), fit.notes
    assert fit.converged, fit.gates
    assert (fit.draws["a"] < 0.0).mean() == pytest.approx(0.6, abs=0.08)


def test_funnel_is_flagged_after_a_second_attempt(case):
    fit = find(case(funnel), SHORT)
    assert failing(fit) & {"rhat", "divergences", "e_bfmi"}
    assert fit.settings["attempts"] == 3
    assert any("tempering" in note for note in fit.notes)


def test_improper_flat_direction_is_refused(case):
    fit = find(case(flat), QUICK)
    assert {"curvature"} <= failing(fit)
    assert fit.log_evidence is None
    assert any("raised" in note for note in fit.notes)


def test_a_degenerate_pair_under_proper_priors_is_refused(case):
    fit = find(case(sum_known), QUICK)
    assert failing(fit) == {"open_directions"}
    assert any("combination of a, b" in note for note in fit.notes)
    assert any(note.startswith("c keeps its prior") for note in fit.notes)


def test_a_pair_tied_to_an_informed_nuisance_is_not_refused(case):
    # a is measured up to b, whose prior is a hundredth as wide as that of a
    scale = np.array([100.0, 1.0, 1.0])

    def sample_prior(key, n, data):
        draws = data["scale"] * jax.random.normal(key, (n, 3))
        return {name: draws[:, i] for i, name in enumerate("abc")}

    problem = case(sum_known, scale=scale)._replace(sample_prior=sample_prior)
    fit = find(problem, QUICK)
    assert fit.converged, fit.gates


def test_a_wall_of_nan_is_counted(case):
    fit = find(case(wall_of_nan), QUICK)
    assert "non_finite" in failing(fit)
    assert any("prior draws" in note for note in fit.notes)


NIST_MISRA1A = (
    "77.6 114.9 141.1 190.8 239.9 289.0 332.8 "
    "378.4 434.8 477.3 536.8 593.1 689.1 760.0",
    "10.07 14.73 17.94 23.93 29.61 35.18 40.02 "
    "44.82 50.76 55.05 61.01 66.40 75.47 81.78",
)
NIST_BOXBOD = "1 2 3 5 7 10", "109 149 149 191 213 224"


def nist(case, columns, b1, b2):
    padded = np.zeros((3, 14))
    for row, column in zip(
        padded, (*columns, "1 " * len(columns[0].split())), strict=True
    ):
        numbers = [float(word) for word in column.split()]
        row[: len(numbers)] = numbers
    x, y, used = padded
    return case(saturation, x=x, y=y, used=used, b1=b1, b2=b2)


def test_certified_regression_is_met(case):
    fit = find(nist(case, NIST_MISRA1A, 100.0, 1e-3), QUICK)
    assert fit.converged, fit.gates
    for name, certified, sd, unit in (
        ("a", 2.3894212918e2, 2.7070075241, 100.0),
        ("b", 5.5015643181e-4, 7.2668688436e-6, 1e-3),
    ):
        draws = fit.draws[name] * unit
        assert abs(draws.mean() - certified) < 0.2 * sd
        assert 0.98 < draws.std() / sd < 1.25  # 1.095 in the limit of linear theory


def test_a_regression_that_runs_away_is_refused(case):
    fit = find(nist(case, NIST_BOXBOD, 100.0, 1.0), SHORT)
    assert failing(fit) & {"rhat", "divergences"}


def test_an_answer_at_the_edge_of_its_range_is_noted(toy):
    def density(z, data):
        share = jax.nn.sigmoid(z[0])
        return 2e4 * share + jax.nn.log_sigmoid(z[0]) + jax.nn.log_sigmoid(-z[0])

    problem = toy.density_problem(("share",), density)
    problem = problem._replace(
        constrain=lambda p, d: {"share": jax.nn.sigmoid(p["z"][0])},
        unconstrain=lambda v, d: {"z": jax.scipy.special.logit(v["share"])[None]},
        sample_prior=lambda key, n, d: {"share": jax.random.uniform(key, (n,))},
    )
    fit = find(problem, QUICK.model_copy(update={"engine": "laplace"}))
    assert any("near a bound" in note for note in fit.notes)


@pytest.mark.parametrize("fault", ["value", "gradient"])
def test_a_density_that_is_never_finite_names_its_term(toy, fault):
    def bad(z):
        if fault == "value":
            return jnp.log(-jnp.exp(z[0]))
        return jnp.where(z[0] > -1e9, 0.0, jnp.sqrt(z[0] - z[0]))

    def density(z, data):
        return -0.5 * jnp.sum(z**2) + bad(z)

    def terms(position, data):
        z = position["z"]
        return {"prior a": -0.5 * jnp.sum(z**2), "spectrum": bad(z)}

    problem = toy.density_problem("ab", density, terms=terms)
    with pytest.raises(NonFiniteStart, match="spectrum") as raised:
        find(problem, QUICK)
    assert raised.value.terms == ("spectrum",)
    assert raised.value.tried == 100


def test_an_interruption_in_a_second_mode_is_not_forgotten(case):
    said = []

    def progress(stage, done, detail):
        said.append(detail)
        if detail == "mode 2":
            raise KeyboardInterrupt

    fit = find(case(mixture, **two(5.0, 0.995)), LONG, progress)
    assert "mode 2" in said
    assert not fit.converged
    assert "interrupted" in failing(fit)
    assert fit.settings["interrupted"] is True


def test_two_narrow_answers_are_not_an_open_direction(case):
    constants = two(1.0, 0.6)
    constants["widths"] = [[0.01, 0.01, 0.01]] * 2
    constants["means"] = [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
    fit = find(case(mixture, **constants), LONG)
    assert fit.converged, failing(fit)
    assert len(fit.answers) == 2
    assert (fit.draws["a"] < 0.0).mean() == pytest.approx(0.6, abs=0.06)


def test_one_chain_is_refused_without_further_attempts(case):
    fit = find(case(correlated), SHORT.model_copy(update={"chains": 1}))
    assert "rhat" in failing(fit)
    assert fit.settings["attempts"] == 1
