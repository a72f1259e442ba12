"""The maps to the real line: round trips, Jacobians, and what happens far out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit import bijectors

BOUNDS = [(None, None), (0.0, None), (-2.5, None), (None, 4.0), (0.194, 0.6), (5, 60)]
FAR = [-700.0, -100.0, -37.0, 0.0, 37.0, 100.0, 700.0]
bounds = pytest.mark.parametrize(("low", "high"), BOUNDS)


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


@bounds
def test_round_trip(low, high):
    z = jnp.linspace(-8.0, 8.0, 33)
    x, _ = bijectors.forward(z, low, high)
    assert (low is None) or (x > low).all()
    assert (high is None) or (x < high).all()
    np.testing.assert_allclose(bijectors.inverse(x, low, high), z, atol=1e-9)


@bounds
def test_log_jacobian_is_that_of_automatic_differentiation(low, high):
    z = jnp.linspace(-20.0, 20.0, 41)
    _, log_jacobian = bijectors.forward(z, low, high)
    matrix = jax.jit(jax.jacobian(lambda v: bijectors.forward(v, low, high)[0]))(z)
    _, expected = np.linalg.slogdet(matrix)
    assert float(log_jacobian.sum()) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(
        log_jacobian, np.log(np.abs(np.diag(matrix))), rtol=1e-9, atol=1e-9
    )


@bounds
@pytest.mark.parametrize("z", FAR)
def test_far_out_everything_is_finite_and_strictly_inside(low, high, z):
    x, log_jacobian = bijectors.forward(jnp.asarray(z), low, high)
    assert np.isfinite(x)
    assert np.isfinite(log_jacobian)
    assert low is None or x > low
    assert high is None or x < high
    for part in (0, 1):
        slope = jax.grad(lambda v, part=part: bijectors.forward(v, low, high)[part])
        assert np.isfinite(slope(z))


@given(
    low=st.floats(-100.0, 100.0),
    width=st.floats(1e-3, 100.0),
    part=st.floats(0.001, 0.999),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_interval_round_trips(low, width, part):
    x = jnp.asarray(low + part * width)
    z = bijectors.inverse(x, low, low + width)
    back, _ = bijectors.forward(z, low, low + width)
    assert float(back) == pytest.approx(float(x), abs=1e-12 * (abs(low) + width))


def test_zero_is_the_middle():
    assert float(bijectors.forward(jnp.asarray(0.0), 5.0, 60.0)[0]) == 32.5
    parts, _ = bijectors.simplex_forward(jnp.zeros(3), 2.0)
    np.testing.assert_allclose(parts, 0.5, rtol=1e-14)


def test_a_bound_may_be_another_parameter():
    def both(z):
        upper, first = bijectors.forward(z[0], 5.0, 60.0)
        lower, second = bijectors.forward(z[1], 5.0, upper)
        return jnp.stack([upper, lower]), first + second

    z = jnp.array([0.4, -1.3])
    (upper, lower), log_jacobian = both(z)
    assert 5.0 < lower < upper < 60.0
    matrix = jax.jit(jax.jacobian(lambda v: both(v)[0]))(z)
    assert float(log_jacobian) == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("total", [1.0, 0.45])
def test_simplex_round_trip_and_jacobian(n, total):
    z = jnp.asarray(np.random.default_rng(n).normal(0.0, 2.0, n - 1))
    x, log_jacobian = bijectors.simplex_forward(z, total)
    assert x.shape == (n,)
    assert (x > 0).all()
    assert float(x.sum()) == pytest.approx(total, rel=1e-14)
    np.testing.assert_allclose(bijectors.simplex_inverse(x, total), z, atol=1e-9)
    if n > 1:
        first = jax.jit(lambda v: bijectors.simplex_forward(v, total)[0][:-1])
        matrix = jax.jacobian(first)(z)
        expected = np.linalg.slogdet(matrix)[1]
        assert float(log_jacobian) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("corner", [(700.0, 700.0), (-700.0, 700.0), (-700.0, -700.0)])
def test_corners_of_the_simplex(corner):
    z = jnp.asarray(corner)
    x, log_jacobian = bijectors.simplex_forward(z)
    assert np.isfinite(log_jacobian)
    assert (x > 0).all()
    assert float(x.sum()) == pytest.approx(1.0, rel=1e-12)
    slopes = jax.jit(jax.jacobian(bijectors.simplex_forward))(z)
    assert all(np.isfinite(part).all() for part in slopes)
    logs = jax.jit(jax.jacobian(lambda v: jnp.log(bijectors.simplex_forward(v)[0])))(z)
    assert np.isfinite(logs).all()


def test_uniform_on_the_simplex_has_its_mode_at_zero():
    def density(z):
        return bijectors.simplex_forward(z)[1]

    slope = jax.jit(jax.grad(density))(jnp.zeros(3))
    np.testing.assert_allclose(slope, 0.0, atol=1e-12)
    curvature = jax.jit(jax.hessian(density))(jnp.zeros(3))
    assert (np.linalg.eigvalsh(curvature) < 0).all()
