"""Are posteriors of simulated data calibrated, and would a small bug be seen?"""

from collections import Counter

import jax
import numpy as np
import pytest

from specfit import inference, pipeline
from specfit.inference import evaluate

from .cases import KINDS, MODELS, ONE_SEXTET, blank, model_of, simulated, with_counts
from .sbc import LIKELIHOOD, Calibration, thinned, thinned_rank

pytestmark = pytest.mark.slow
N = 300


def simulation(problem, seed, i):
    """A truth from the prior and the counts it gives, the i-th of a seed."""
    key = jax.random.fold_in(jax.random.key(seed), i)
    drawn = problem.sample_prior(key, 1, problem.data)
    truth = {name: np.asarray(values)[0] for name, values in drawn.items()}
    return truth, simulated(problem, [seed, i], truth)


def ranks_of(target, counts, truth, names, i, told):
    """Ranks of the truth in the posterior, None where the run is refused.

    Which sampler ended the run, or which gates refused it, is counted in `told`.

    A refusal looks at data and draws, never at the truth: given the data the truth is
    still a draw of the posterior, so the ranks of what is not refused are uniform too.
    """
    fresh = target._replace(data=with_counts(target.data, counts))
    settings = inference.Settings(chains=4, warmup=200, draws=400, seed=i)
    fit = inference.find(fresh, settings, None)
    told[f"by {fit.settings['sampler']}"] += 1
    if not fit.converged:
        told.update(
            f"refused by {name}" for name, *_, passed in fit.gates if not passed
        )
        return None
    ranks = [thinned_rank(fit.draws[name], truth[name]) for name in names]
    at_truth = evaluate.unconstrain(fresh, {k: v[None] for k, v in truth.items()})
    draws = thinned(fit.positions.reshape(-1, fresh.dimension))
    levels = log_likelihoods(fresh, np.concatenate([at_truth, draws]))
    return [*ranks, int((levels[1:] < levels[0]).sum())]


def log_likelihoods(problem, positions):
    """Log-likelihood at each row of `positions`."""
    return evaluate.gradients_of(problem.loglikelihood, positions, problem.data)[0]


def calibrate(problem, names, seed, n=N, sampled=None):
    """SBC of `sampled` (the same problem, or one with a bug) under `problem`."""
    ranks, refused, told = [], 0, Counter()
    while len(ranks) < n:
        i = len(ranks) + refused
        truth, counts = simulation(problem, seed, i)
        found = ranks_of(sampled or problem, counts, truth, names, i, told)
        ranks += [found] if found else []
        refused += found is None
        if found and len(ranks) % 50 == 0:
            print(f"{len(ranks)} of {n}, {refused} refused; {dict(told)}", flush=True)
        assert refused < 50 + len(ranks) / 2, "refuses too much to be of use"
    return Calibration((*names, LIKELIHOOD), np.array(ranks), refused, told)


@pytest.fixture
def one_sextet(tmp_path):
    path = tmp_path / "one.spec"
    path.write_text(ONE_SEXTET, encoding="utf-8")
    return model_of(path)


ONE = ("N0", "area", "S.IS", "S.QS", "S.Bint", "S.width")
THREE = (
    *("N0", "Γ", "area", "B.IS", "B.QS", "B.Bint", "A.IS", "A.QS", "A.Bint"),
    *("Fe.IS", "Fe.Bint", "B.I", "A.I", "magnetite"),
)


def test_one_sextet(one_sextet):
    with pipeline.float64():
        problem = pipeline.build(one_sextet, (blank(2e4),))
        found = calibrate(problem, ONE, seed=20261)
    print(found.table())
    assert found.passes()


def test_a_likelihood_ten_percent_too_heavy_is_seen(one_sextet):
    with pipeline.float64():
        problem = pipeline.build(one_sextet, (blank(2e4),))

        def heavy(position, data):
            likelihood = problem.loglikelihood(position, data)
            return problem.logdensity(position, data) + 0.1 * likelihood

        broken = problem._replace(logdensity=heavy)
        found = calibrate(problem, ONE, seed=20262, n=1000, sampled=broken)
    print(found.table())
    assert not found.passes()


@pytest.fixture
def three_sites(tmp_path):
    """The report's case; its flat prior of the area is mostly of dips beyond 100 %."""
    text = (MODELS / "magnetite_iron_noisy.spec").read_text(encoding="utf-8")
    flat, thin = "free in [0.001, 5.0] mm/s", "lognormal(log(0.4), 0.3) mm/s"
    assert flat in text
    path = tmp_path / "three.spec"
    path.write_text(text.replace(flat, thin), encoding="utf-8")
    return model_of(path)


def test_three_sites(three_sites):
    with pipeline.float64():
        problem = pipeline.build(three_sites, (blank(2e4),))
        found = calibrate(problem, THREE, seed=20263)
    print(found.table())
    assert found.passes()


@pytest.mark.parametrize("name", KINDS)
def test_kind(name, tmp_path):
    kind = KINDS[name]
    with pipeline.float64():
        problem = pipeline.build(kind.model(tmp_path), (kind.blank(),))
        seed = 20264 + list(KINDS).index(name)
        found = calibrate(problem, kind.parameters, seed, n=200)
    print(f"{name}: {found.table()}")
    assert found.passes()
