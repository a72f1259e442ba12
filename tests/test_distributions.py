"""Truncation far out, mixtures, the Dirichlet density, and imports without JAX."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from specfit.distributions import (
    dirichlet,
    log_density,
    mixture_log_density,
    sample,
    sample_mixture,
)

MIXTURE = [
    (0.9, "student_t", (4.0, 46.0, 0.3)),
    (0.1, "uniform", (30.0, 55.0)),
]


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


@pytest.mark.parametrize("far", [8.0, 30.0, 1000.0])
def test_a_normal_cut_off_far_out_is_nearly_exponential(far):
    # log[φ(far) / Q(far)] is the inverse Mills ratio, known without underflow
    expected = 0.5 * np.log(2.0 / np.pi) - np.log(special.erfcx(far / np.sqrt(2.0)))
    for bounds, x in (((far, None), far), ((None, -far), -far)):
        value = log_density("normal", x, (0.0, 1.0), *bounds)
        assert float(value) == pytest.approx(expected, rel=1e-10)
    both = log_density("normal", far, (0.0, 1.0), far, 2.0 * far)
    assert float(both) == pytest.approx(expected, rel=1e-10)


def test_gradient_of_a_far_truncation_in_its_arguments():
    def value(location, scale):
        return log_density("normal", 31.0, (location, scale), 30.0, 45.0)

    gradient = jax.grad(value, (0, 1))(0.0, 1.0)
    for index, step in enumerate(((1e-6, 0.0), (0.0, 1e-6))):
        upper = value(step[0], 1.0 + step[1])
        lower = value(-step[0], 1.0 - step[1])
        difference = float(upper - lower) / 2e-6
        assert float(gradient[index]) == pytest.approx(difference, rel=1e-6)


@pytest.mark.parametrize(
    ("family", "given", "low", "high"),
    [
        ("normal", (0.0, 1.0), 12.0, None),
        ("normal", (0.0, 1.0), None, -12.0),
        ("normal", (0.0, 1.0), 12.0, 12.1),
        ("student_t", (4.0, 0.0, 1.0), 90.0, None),
        ("gamma", (2.0, 1.0), 60.0, None),
        ("inverse_gamma", (2.0, 1.0), None, 0.02),
        ("exponential", (0.1,), 50.0, None),
    ],
)
def test_draws_from_where_almost_nothing_is_left(family, given, low, high):
    draws = sample(np.random.default_rng(3), 3000, family, given, low, high)
    bottom = -np.inf if low is None else low
    top = np.inf if high is None else high
    assert ((draws >= bottom) & (draws <= top)).all()
    at = jax.jit(lambda x: log_density(family, x, given, low, high))
    inner, outer = np.quantile(draws, [0.25, 0.75])
    share, _ = integrate.quad(lambda x: np.exp(float(at(x))), inner, outer)
    # 5 sd of a share of one half in 3000 draws: false alarm below 1e-6
    assert share == pytest.approx(0.5, abs=5.0 * 0.5 / np.sqrt(3000))


def test_draws_take_arrays_of_arguments_and_bounds():
    location = np.linspace(-3.0, 3.0, 500)
    low = location + 0.5
    generator = np.random.default_rng(4)
    draws = sample(generator, 500, "normal", (location, 0.2), low, low + 0.4)
    assert ((draws >= low) & (draws <= low + 0.4)).all()


def test_same_seed_same_draws():
    first, second = (
        sample(np.random.default_rng(9), (3, 4), "gamma", (2.0, 0.1), 0.3, None)
        for _ in range(2)
    )
    assert first.shape == (3, 4)
    np.testing.assert_array_equal(first, second)


def test_mixture_is_the_sum_of_its_parts():
    x = np.linspace(25.0, 60.0, 71)
    value = mixture_log_density(jnp.asarray(x), MIXTURE)
    expected = 0.9 * stats.t.pdf(x, 4.0, 46.0, 0.3) + 0.1 * stats.uniform.pdf(x, 30, 25)
    np.testing.assert_allclose(np.exp(value), expected, rtol=1e-12)


def test_mixture_is_renormalised_as_a_whole():
    def cdf(x):
        return 0.9 * stats.t.cdf(x, 4.0, 46.0, 0.3) + 0.1 * stats.uniform.cdf(x, 30, 25)

    at = jax.jit(lambda x: mixture_log_density(x, MIXTURE, 45.8, 50.0))
    gain = float(at(47.0) - mixture_log_density(47.0, MIXTURE))
    assert gain == pytest.approx(-np.log(cdf(50.0) - cdf(45.8)), rel=1e-10)
    assert float(at(50.1)) == -np.inf


def test_weights_of_a_mixture_need_not_sum_to_one():
    tenfold = [(10.0 * weight, name, given) for weight, name, given in MIXTURE]
    for bounds in ((None, None), (44.0, 46.1)):
        np.testing.assert_allclose(
            mixture_log_density(45.5, tenfold, *bounds),
            mixture_log_density(45.5, MIXTURE, *bounds),
            rtol=1e-12,
        )


def test_gradient_of_a_mixture_where_no_part_reaches():
    parts = [(0.5, "uniform", (0.0, 1.0)), (0.5, "uniform", (3.0, 4.0))]
    at = jax.value_and_grad(lambda x: mixture_log_density(x, parts, 0.0, 4.0))
    value, slope = at(2.0)
    assert float(value) == -np.inf
    assert float(slope) == 0.0


@pytest.mark.parametrize(("place", "sd"), [(1e6, 1e3), (1e7, 3e3)])
def test_the_median_of_counts_that_end_at_zero_is_their_middle(place, sd):
    from specfit.distributions.sampling import quantile

    assert abs(quantile("normal", 0.5, (place, sd), 0.0) - place) < 0.01 * sd


def test_mixture_sampler_agrees_with_the_density():
    draws = sample_mixture(np.random.default_rng(7), 4000, MIXTURE, 44.0, 54.0)

    def cdf(x):
        part = 0.9 * stats.t.cdf(x, 4.0, 46.0, 0.3)
        return part + 0.1 * stats.uniform.cdf(x, 30, 25)

    def truncated(x):
        return (cdf(x) - cdf(44.0)) / (cdf(54.0) - cdf(44.0))

    # fixed seed; false-alarm rate 1e-5
    assert stats.kstest(draws, truncated).pvalue > 1e-5


@pytest.mark.parametrize("total", [1.0, 0.45])
def test_dirichlet_density_equals_scipy(total):
    part = np.array([0.3, 0.15, 0.55])
    power = np.array([2.0, 0.5, 3.5])
    value = dirichlet.log_density(total * part, power, total)
    expected = stats.dirichlet.logpdf(part, power) - 2.0 * np.log(total)
    assert float(value) == pytest.approx(expected, rel=1e-12)


def test_dirichlet_sampler_has_beta_margins():
    power = [2.0, 0.5, 3.5]
    draws = dirichlet.sample(np.random.default_rng(8), 4000, power, 0.8)
    np.testing.assert_allclose(draws.sum(axis=1), 0.8, rtol=1e-14)
    for column, a in zip(draws.T / 0.8, power, strict=True):
        # fixed seed; false-alarm rate 1e-5 each
        assert stats.kstest(column, stats.beta(a, sum(power) - a).cdf).pvalue > 1e-5


def test_dirichlet_of_very_small_concentrations_loses_no_row():
    draws = dirichlet.sample(np.random.default_rng(8), 500, [1e-3] * 4)
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, rtol=1e-14)


def test_signatures_and_draws_import_no_jax():
    program = """
import sys
import numpy as np
from specfit import bijectors
from specfit.distributions import FAMILIES, NOISES, dirichlet, sample, sample_mixture
from specfit.shapes import SHAPES
from specfit.sites import SITES
generator = np.random.default_rng(0)
assert [e.signature.name for t in (FAMILIES, NOISES, SHAPES, SITES) for e in t.values()]
sample(generator, 10, "normal", (0.0, 1.0), 9.0, None)
sample_mixture(generator, 10, [(1.0, "gamma", (2.0, 1.0))], 1.0, 2.0)
dirichlet.sample(generator, 10, [1.0, 1.0])
NOISES["poisson"].sample(generator, np.ones(3))
for name in ("jax", "scipy.stats", "sklearn", "sympy", "matplotlib", "blackjax"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
