"""Every registered prior family keeps the promises of a `Family`.

The Kolmogorov-Smirnov tests have a fixed seed and a false-alarm rate of 1e-5 each,
below 1e-3 for the file.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from specfit import bijectors
from specfit.distributions import FAMILIES, log_density, sample

ORACLES = {
    "normal": lambda location, scale: stats.norm(location, scale),
    "lognormal": lambda mu, s: stats.lognorm(s, scale=np.exp(mu)),
    "halfnormal": lambda scale: stats.halfnorm(scale=scale),
    "student_t": lambda df, location, scale: stats.t(df, location, scale),
    "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
    "inverse_gamma": lambda shape, scale: stats.invgamma(shape, scale=scale),
    "beta": lambda a, b: stats.beta(a, b),
    "exponential": lambda mean: stats.expon(scale=mean),
    "halfcauchy": lambda scale: stats.halfcauchy(scale=scale),
    "uniform": lambda low, high: stats.uniform(low, high - low),
}
ARGUMENTS = {
    "normal": [(0.67, 0.02), (-3.0, 5.0)],
    "lognormal": [(0.3, 0.5), (9.9, 1.5)],
    "halfnormal": [(1.0,), (0.06,)],
    "student_t": [(4, 0.29, 0.05), (1.5, -2.0, 3.0), (60.0, 33.0, 0.1)],
    "gamma": [(2.5, 0.3), (0.6, 2.0), (1, 1.0)],
    "inverse_gamma": [(1.5, 0.8), (4.0, 2.0)],
    "beta": [(2.5, 1.3), (0.5, 0.5), (1, 1)],
    "exponential": [(0.4,), (20.0,)],
    "halfcauchy": [(0.1,), (3.0,)],
    "uniform": [(-0.5, 1.5), (5, 60)],
}
CASES = [(name, given) for name, many in ARGUMENTS.items() for given in many]
cases = pytest.mark.parametrize(("name", "given"), CASES)
DRAWS = 4000
FALSE_ALARM = 1e-5


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


def quantiles(name, given, n=41):
    return ORACLES[name](*given).ppf(np.linspace(0.001, 0.999, n))


def window(name, given):
    """Bounds that cut both sides off: the 20 % and the 70 % quantile."""
    return tuple(float(q) for q in ORACLES[name](*given).ppf([0.2, 0.7]))


def test_every_family_has_an_oracle():
    assert set(FAMILIES) == set(ORACLES) == set(ARGUMENTS)


@cases
def test_density_and_probability_equal_scipy(name, given):
    x = quantiles(name, given)
    family, oracle = FAMILIES[name], ORACLES[name](*given)
    value = family.log_density(jnp.asarray(x), *given)
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, oracle.logpdf(x), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(family.cdf(x, *given), oracle.cdf(x), rtol=1e-10)


@cases
def test_edges_of_the_support(name, given):
    oracle = ORACLES[name](*given)
    low, high = oracle.support()
    for x in [edge for edge in (low, high) if np.isfinite(edge)]:
        value = FAMILIES[name].log_density(x, *given)
        # some versions of the oracle say NaN at an edge where the density is infinite
        expected = np.nan_to_num(
            oracle.logpdf(x), nan=np.inf, posinf=np.inf, neginf=-np.inf
        )
        assert float(value) == pytest.approx(expected, abs=1e-12)
    if np.isfinite(low):
        assert float(FAMILIES[name].log_density(low - 0.1, *given)) == -np.inf
        assert float(FAMILIES[name].cdf(low - 0.1, *given)) == 0.0
    if np.isfinite(high):
        assert float(FAMILIES[name].log_density(high + 0.1, *given)) == -np.inf
        assert float(FAMILIES[name].cdf(high + 0.1, *given)) == 1.0


@cases
def test_density_integrates_to_one(name, given):
    at = jax.jit(lambda x: FAMILIES[name].log_density(x, *given))
    oracle = ORACLES[name](*given)
    marks = [float(q) for q in oracle.ppf(np.geomspace(1e-6, 0.5, 24))]
    marks += [float(q) for q in oracle.isf(np.geomspace(0.5, 1e-6, 24)[1:])]
    pieces = [
        integrate.quad(lambda x: np.exp(float(at(x))), a, b, epsrel=1e-9)[0]
        for a, b in zip(marks[::4], marks[4::4], strict=False)
    ]
    expected = oracle.cdf(marks[4 * len(pieces)]) - oracle.cdf(marks[0])
    assert expected > 0.999
    assert sum(pieces) == pytest.approx(expected, abs=1e-7)


@cases
def test_truncation_renormalises(name, given):
    low, high = window(name, given)
    at = jax.jit(lambda x: log_density(name, x, given, low, high))
    area, _ = integrate.quad(lambda x: np.exp(float(at(x))), low, high)
    assert area == pytest.approx(1.0, abs=1e-8)
    assert float(at(np.nextafter(low, -np.inf))) == -np.inf
    assert float(at(np.nextafter(high, np.inf))) == -np.inf
    middle = float(ORACLES[name](*given).ppf(0.5))
    for bounds, mass in (((low, high), 0.5), ((low, None), 0.8), ((None, high), 0.7)):
        gain = log_density(name, middle, given, *bounds) - log_density(
            name, middle, given
        )
        assert float(gain) == pytest.approx(-np.log(mass), rel=1e-9)


@cases
def test_bounds_of_the_support_change_nothing(name, given):
    x = jnp.asarray(quantiles(name, given))
    low, high = (float(edge) for edge in ORACLES[name](*given).support())
    np.testing.assert_allclose(
        log_density(name, x, given, low, high),
        FAMILIES[name].log_density(x, *given),
        atol=1e-14,
    )


@cases
def test_sampler_agrees_with_the_density(name, given):
    draws = FAMILIES[name].sample(np.random.default_rng(101), DRAWS, *given)
    assert draws.shape == (DRAWS,)
    assert stats.kstest(draws, ORACLES[name](*given).cdf).pvalue > FALSE_ALARM


@cases
@pytest.mark.parametrize("quantile", [(0.2, 0.7), (0.9995, 0.99999), (1e-6, 1e-3)])
def test_truncated_sampler_agrees_with_the_density(name, given, quantile):
    oracle = ORACLES[name](*given)
    low, high = (float(q) for q in oracle.ppf(quantile))
    draws = sample(np.random.default_rng(202), DRAWS, name, given, low, high)
    assert ((draws >= low) & (draws <= high)).all()

    def cdf(x):
        return (oracle.cdf(x) - oracle.cdf(low)) / (oracle.cdf(high) - oracle.cdf(low))

    assert stats.kstest(draws, cdf).pvalue > FALSE_ALARM


@cache
def sloped(name):
    """A density and its gradient in the place and the family's arguments."""

    def value(point, bounds):
        return log_density(name, point[0], tuple(point[1:]), *bounds)

    return jax.jit(value), jax.jit(jax.grad(value))


@cases
def test_gradients_equal_finite_differences(name, given):
    start, *rest = ORACLES[name](*given).ppf([0.37, 0.2, 0.8])
    bounds = () if name in ("beta", "student_t") else rest
    point = np.array([start, *given], dtype=float)
    value, gradient_at = sloped(name)
    gradient = gradient_at(jnp.asarray(point), bounds)
    for index in range(point.size):
        step = 1e-5 * max(1e-2, abs(point[index])) * np.eye(point.size)[index]
        change = float(value(point + step, bounds) - value(point - step, bounds))
        difference = change / (2 * step.sum())
        scale = abs(difference) + 1.0 / abs(step.sum()) * 1e-6
        assert abs(float(gradient[index]) - difference) < 1e-4 * scale


@cache
def slopes(name):
    """Derivatives of a density and of a probability at many places."""
    family = FAMILIES[name]

    def slopes(points, given):
        return [
            jax.vmap(jax.grad(lambda x, of=of: of(x, *given)))(points)
            for of in (family.log_density, family.cdf)
        ]

    return jax.jit(slopes)


@cases
def test_gradients_are_finite_to_the_edges(name, given):
    low, high = ORACLES[name](*given).support()
    far = [float(q) for q in ORACLES[name](*given).ppf([1e-12, 1 - 1e-12])]
    points = [low, low + 1e-300, low + 1e-12, *far, high - 1e-12, high, -1.0, 1e6]
    points = jnp.asarray([p for p in points if np.isfinite(p)])
    for gradient in slopes(name)(points, tuple(map(float, given))):
        assert np.isfinite(gradient).all()


@cases
def test_bijection_of_the_support_inverts(name, given):
    low, high = ORACLES[name](*given).support()
    low = low if np.isfinite(low) else None
    high = high if np.isfinite(high) else None
    x = jnp.asarray(quantiles(name, given))
    z = bijectors.inverse(x, low, high)
    back, _ = bijectors.forward(z, low, high)
    np.testing.assert_allclose(back, x, rtol=1e-12)
    edge = jnp.array([-700.0, -40.0, 40.0, 700.0]) * (1.0 if low is not None else 0.5)

    def density(z):
        x, log_jacobian = bijectors.forward(z, low, high)
        return FAMILIES[name].log_density(x, *given) + log_jacobian

    both = jax.jit(jax.vmap(jax.value_and_grad(density)))(edge)
    assert np.isfinite(both).all()


@cases
def test_vmap_equals_a_loop(name, given):
    x = quantiles(name, given, 5)
    at = jax.jit(lambda v: log_density(name, v, given, *window(name, given)))
    mapped = jax.vmap(at)(jnp.asarray(x))
    loop = [float(at(v)) for v in x]
    np.testing.assert_allclose(mapped, loop, rtol=1e-13)
