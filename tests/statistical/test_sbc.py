"""Are posteriors of simulated data calibrated, and would a small bug be seen?"""

import jax
import numpy as np
import pytest

from specfit import inference, pipeline

from .cases import MODELS, ONE_SEXTET, blank, model_of, simulated, with_counts
from .sbc import Calibration, thinned_rank

pytestmark = pytest.mark.slow
N = 300


def simulations(problem, seed, n):
    """n truths from the prior and the counts they give."""
    truths = problem.sample_prior(jax.random.key(seed), n, problem.data)
    truths = {name: np.asarray(values) for name, values in truths.items()}
    for i in range(n):
        truth = {name: values[i] for name, values in truths.items()}
        yield truth, simulated(problem, [seed, i], truth)


def calibrate(problem, names, seed, n=N, sampled=None):
    """SBC of `sampled` (the same problem, or one with a bug) under `problem`."""
    target = sampled or problem
    ranks = []
    for i, (truth, counts) in enumerate(simulations(problem, seed, n)):
        fresh = target._replace(data=with_counts(target.data, counts))
        settings = inference.Settings(chains=2, warmup=150, draws=300, seed=i)
        fit = inference.find(fresh, settings, None)
        draws = {**fit.draws}
        ranks.append([thinned_rank(draws[name], truth[name]) for name in names])
    return Calibration(tuple(names), np.array(ranks))


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
        found = calibrate(problem, ONE, seed=20262, sampled=broken)
    print(found.table())
    assert not found.passes()


def test_three_sites():
    model = model_of(MODELS / "magnetite_iron_noisy.spec")
    with pipeline.float64():
        problem = pipeline.build(model, (blank(2e4),))
        found = calibrate(problem, THREE, seed=20263)
    print(found.table())
    assert found.passes()
