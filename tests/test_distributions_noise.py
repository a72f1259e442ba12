"""Noise laws against scipy, at few counts and at many, and their two samplers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from specfit.distributions import NOISES

ARGUMENTS = {
    "poisson": [()],
    "negative_binomial": [(0.02,), (0.5,), (2.0,)],
    "gaussian": [(3.0,)],
    "student_t": [(4.0, 3.0)],
}
CASES = [(name, given) for name, many in ARGUMENTS.items() for given in many]
cases = pytest.mark.parametrize(("name", "given"), CASES)
COUNTS = np.array([0.0, 1.0, 3.0, 15.0, 16.0, 17.0, 250.0, 1e4, 1e6])
RATIOS = np.array([0.5, 1.001, 3.0, 1e-3])


def oracle(name, mu, given):
    if name == "poisson":
        return stats.poisson(mu)
    if name == "negative_binomial":
        shape = 1.0 / given[0] ** 2
        return stats.nbinom(shape, shape / (shape + mu))
    if name == "gaussian":
        return stats.norm(mu, given[0])
    return stats.t(given[0], mu, given[1])


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


def test_every_noise_law_is_tested():
    assert set(NOISES) == set(ARGUMENTS)


@cases
@pytest.mark.parametrize("ratio", RATIOS)
def test_log_likelihood_equals_scipy(name, given, ratio):
    mu = ratio * np.maximum(COUNTS, 0.7)
    value = NOISES[name].log_likelihood(jnp.asarray(COUNTS), jnp.asarray(mu), *given)
    law = oracle(name, mu, given)
    expected = (law.logpmf if NOISES[name].counts else law.logpdf)(COUNTS)
    # scipy itself forms the difference of terms of 1e7 at 1e6 counts
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_one_mean_of_many_counts_has_the_sum_of_their_slopes(name):
    law, given = NOISES[name].log_likelihood, ARGUMENTS[name][0]
    counts = jnp.asarray([3.0, 90.0, 0.0, 110.0])
    with jax.numpy_rank_promotion("allow"):
        slope = jax.grad(lambda mu: jnp.sum(law(counts, mu, *given)))(100.0)
    each = jax.vmap(jax.grad(lambda mu, y: law(y, mu, *given)), (None, 0))(
        100.0, counts
    )
    np.testing.assert_allclose(slope, jnp.sum(each), rtol=1e-12)


def test_poisson_keeps_its_digits_at_a_million_counts():
    mpmath = pytest.importorskip("mpmath")
    y = 1_000_000
    for mu in (1_000_000.25, 999_000.0, 1_003_000.0):
        with mpmath.workdps(40):
            exact = float(y * mpmath.log(mu) - mu - mpmath.loggamma(y + 1))
        value = float(NOISES["poisson"].log_likelihood(1.0 * y, mu))
        assert value == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("excess", [1e-9, 1e-6, 1e-3, 0.03])
def test_negative_binomial_keeps_its_digits_at_a_million_counts(excess):
    mpmath = pytest.importorskip("mpmath")
    y, mu = 1_000_000, 1_002_000.0
    with mpmath.workdps(60):
        shape = 1 / mpmath.mpf(excess) ** 2
        gammas = mpmath.loggamma(y + shape) - mpmath.loggamma(shape)
        gammas -= mpmath.loggamma(y + 1)
        exact = gammas + shape * mpmath.log(shape / (shape + mu))
        exact = float(exact + y * mpmath.log(mu / (shape + mu)))
    value = float(NOISES["negative_binomial"].log_likelihood(1.0 * y, mu, excess))
    assert value == pytest.approx(exact, rel=1e-11)


def test_negative_binomial_without_excess_is_poisson():
    y, mu = jnp.asarray(COUNTS), jnp.asarray(COUNTS * 1.01 + 0.3)
    law = NOISES["negative_binomial"].log_likelihood
    np.testing.assert_allclose(
        law(y, mu, 0.0), NOISES["poisson"].log_likelihood(y, mu), rtol=1e-14, atol=1e-14
    )
    slope = jax.grad(lambda excess: law(y, mu, excess).sum())
    assert float(slope(0.0)) == 0.0
    for excess in (1e-16, 1e-8, 1e-4):
        ahead = law(y, mu, excess * 1.001).sum() - law(y, mu, excess * 0.999).sum()
        difference = float(ahead) / (0.002 * excess)
        noise = 1e-8 / excess  # rounding of the sum over the step
        assert float(slope(excess)) == pytest.approx(difference, rel=1e-4, abs=noise)


@cases
def test_gradients_are_finite_and_equal_finite_differences(name, given):
    y = jnp.asarray([0.0, 2.0, 40.0, 1e4])
    mu = np.array([0.3, 2.5, 35.0, 1.02e4])
    law = NOISES[name].log_likelihood
    at = np.concatenate([mu, given])

    def total(p):
        return law(y, p[:4], *p[4:]).sum()

    gradient = jax.grad(total)(jnp.asarray(at))
    for index in range(at.size):
        step = 1e-5 * at[index] * np.eye(at.size)[index]
        difference = float(total(at + step) - total(at - step)) / (2.0 * step.sum())
        assert float(gradient[index]) == pytest.approx(difference, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_a_mean_that_cannot_be(name):
    given = () if name == "poisson" else (0.1,)
    law = NOISES[name].log_likelihood
    value, slope = jax.value_and_grad(lambda mu: law(3.0, mu, *given))(-1.0)
    assert float(value) == -np.inf
    assert float(slope) == 0.0
    assert float(law(3.0, 0.0, *given)) == -np.inf
    assert float(law(0.0, 0.0, *given)) == 0.0


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_probabilities_sum_to_one(name):
    given = () if name == "poisson" else (0.4,)
    y = jnp.arange(400.0)
    total = jnp.exp(NOISES[name].log_likelihood(y, jnp.full(400, 12.5), *given)).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-12)


@cases
@pytest.mark.parametrize("mu", [4.0, 2000.0])
def test_draws_have_the_mean_and_variance_of_the_law(name, given, mu):
    n = 20_000
    law = oracle(name, mu, given)
    mean, variance, kurtosis = (float(m) for m in law.stats("mvk"))
    noise = NOISES[name]
    for seed in (1, 2):
        drawn = noise.sample(np.random.default_rng(seed), np.full(n, mu), *given)
        assert drawn.shape == (n,)
        assert drawn.dtype == np.float64
        # 5 standard errors, fixed seed: false alarm below 1e-6
        assert abs(drawn.mean() - mean) < 5.0 * np.sqrt(variance / n)
        if np.isfinite(kurtosis):
            error = variance * np.sqrt((kurtosis + 2.0) / n)
            assert abs(drawn.var() - variance) < 5.0 * error
        half = law.cdf(law.median())
        below = np.mean(drawn <= law.median())
        assert abs(below - half) < 5.0 * np.sqrt(half * (1.0 - half) / n)
