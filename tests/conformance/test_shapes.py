"""Every registered line shape keeps the promises of a `Shape`."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from specfit.shapes import SHAPES

ORACLES = {
    "gaussian": lambda x, fwhm, sigma: stats.norm.pdf(x, scale=sigma),
    "lorentzian": lambda x, fwhm, sigma: stats.cauchy.pdf(x, scale=0.5 * fwhm),
    "voigt": lambda x, fwhm, sigma: special.voigt_profile(x, sigma, 0.5 * fwhm),
}
WIDTHS = [(0.25, 0.1), (0.194, 1e-3), (0.02, 0.5), (2.0, 0.3)]
shapes = pytest.mark.parametrize("name", SHAPES)


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


def test_every_shape_has_an_oracle():
    assert set(SHAPES) == set(ORACLES)


@shapes
@pytest.mark.parametrize("widths", WIDTHS)
def test_shape_equals_its_oracle(name, widths):
    offset = np.concatenate([np.linspace(-3.0, 3.0, 601), [1e-9, 15.0, -40.0]])
    value = SHAPES[name].profile(jnp.asarray(offset), *widths)
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, ORACLES[name](offset, *widths), rtol=1e-11)


@shapes
@pytest.mark.parametrize("widths", WIDTHS)
def test_area_is_one(name, widths):
    scale = sum(widths)
    profile = jax.jit(SHAPES[name].profile)

    def integrand(angle):
        # offset = scale · tan(angle) brings the slow wings to a finite interval
        offset = scale * np.tan(angle)
        return float(profile(offset, *widths)) * scale / np.cos(angle) ** 2

    points = {"points": [-0.3, 0.0, 0.3], "limit": 200}
    area, _ = integrate.quad(integrand, -np.pi / 2, np.pi / 2, **points)
    assert area == pytest.approx(1.0, abs=1e-8)


@shapes
def test_shape_is_even_and_scales_with_the_unit(name):
    profile = jax.jit(SHAPES[name].profile)
    offset = jnp.linspace(0.0, 4.0, 41)
    value = profile(offset, 0.3, 0.2)
    np.testing.assert_allclose(profile(-offset, 0.3, 0.2), value, rtol=1e-14)
    np.testing.assert_allclose(
        profile(10.0 * offset, 3.0, 2.0), value / 10.0, rtol=1e-13
    )


@shapes
def test_arrays_broadcast_and_vmap_equals_a_loop(name):
    profile = SHAPES[name].profile
    offset = jnp.linspace(-2.0, 2.0, 7)
    fwhm = jnp.array([0.2, 0.4, 1.0])
    sigma = jnp.array([0.1, 0.3, 0.01])
    grid = profile(offset[None, :], fwhm[:, None], sigma[:, None])
    mapped = jax.vmap(profile, (None, 0, 0))(offset, fwhm, sigma)
    loop = np.stack(
        [profile(offset, float(f), float(s)) for f, s in zip(fwhm, sigma, strict=True)]
    )
    np.testing.assert_allclose(grid, loop, rtol=1e-14)
    np.testing.assert_allclose(mapped, loop, rtol=1e-14)


@cache
def derived(name):
    """A shape of a point, its gradient and its curvature, compiled once."""

    def value(p):
        return SHAPES[name].profile(p[0], p[1], p[2])

    return jax.jit(value), jax.jit(jax.grad(value)), jax.jit(jax.hessian(value))


@shapes
@pytest.mark.parametrize(
    "point",
    [(0.0, 0.2, 0.1), (1e3, 0.2, 0.1), (1e-12, 0.194, 1e-3), (5.0, 1.0, 1e-2)],
)
def test_value_gradient_and_curvature_are_finite(name, point):
    at = jnp.asarray(point)
    for of in derived(name):
        assert np.isfinite(of(at)).all()


@shapes
@pytest.mark.parametrize("point", [(0.3, 0.25, 0.1), (-0.7, 0.4, 0.3), (1.5, 0.3, 0.2)])
def test_gradient_equals_finite_differences(name, point):
    at = np.asarray(point)
    value, gradient_at, _ = derived(name)
    gradient = gradient_at(jnp.asarray(at))
    for index, step in enumerate(1e-5 * np.eye(3)):
        upper, lower = float(value(at + step)), float(value(at - step))
        difference = (upper - lower) / 2e-5
        assert float(gradient[index]) == pytest.approx(difference, rel=2e-6, abs=1e-9)
