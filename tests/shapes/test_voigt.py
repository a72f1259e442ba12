"""The Voigt profile: accuracy over the whole quarter plane, limits and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from specfit.shapes import SHAPES

VOIGT = SHAPES["voigt"].profile
LORENTZIAN = SHAPES["lorentzian"].profile


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


def test_relative_error_over_the_quarter_plane():
    # x/σ to 10⁵ and γ/σ from 10⁻¹² to 10⁵: the real part of w(z) varies over 17 decades
    offset = np.concatenate([np.linspace(0.0, 40.0, 401), np.geomspace(40.0, 1e5, 60)])
    hwhm = np.concatenate(
        [np.geomspace(1e-12, 1e-2, 41), np.geomspace(0.011, 1e5, 141)]
    )
    x, gamma = np.meshgrid(offset, hwhm)
    reference = special.wofz((x + 1j * gamma) / np.sqrt(2)).real / np.sqrt(2 * np.pi)
    value = jax.jit(VOIGT)(x, 2.0 * gamma, np.ones_like(x))
    assert np.abs(np.asarray(value) / reference - 1.0).max() < 3e-13


@pytest.mark.parametrize(
    ("x", "gamma"),
    [(6.3, 1e-6), (8.55, 0.144), (3.1, 1e-12), (0.4, 6.0), (12.0, 8.7), (30.0, 1e-9)],
)
def test_against_fifty_digits(x, gamma):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        z = mpmath.mpc(x, gamma) / mpmath.sqrt(2)
        w = mpmath.exp(-(z**2)) * mpmath.erfc(-1j * z)
        reference = float(w.real / mpmath.sqrt(2 * mpmath.pi))
    assert float(VOIGT(x, 2.0 * gamma, 1.0)) == pytest.approx(reference, rel=3e-13)


def test_vanishing_sigma_is_the_lorentzian():
    offset = jnp.linspace(-5.0, 5.0, 101)
    for sigma in (0.0, 1e-300, 1e-30, 1e-9):
        np.testing.assert_allclose(
            VOIGT(offset, 0.3, sigma), LORENTZIAN(offset, 0.3, 0.0), rtol=4e-15
        )


def test_small_sigma_leaves_the_lorentzian_as_diffusion_does():
    curvature = jax.grad(jax.grad(lambda x: LORENTZIAN(x, 0.3, 0.0)))
    change = VOIGT(0.11, 0.3, 1e-3) - LORENTZIAN(0.11, 0.3, 0.0)
    assert float(change) == pytest.approx(0.5e-6 * float(curvature(0.11)), rel=1e-3)


def test_vanishing_fwhm_is_the_gaussian():
    offset = jnp.linspace(-5.0, 5.0, 101)
    np.testing.assert_allclose(
        VOIGT(offset, 0.0, 0.7),
        SHAPES["gaussian"].profile(offset, 0.0, 0.7),
        rtol=1e-13,
    )


@pytest.mark.parametrize("point", [(0.3, 0.2), (0.0, 0.2), (40.0, 0.194)])
def test_derivatives_at_sigma_zero(point):
    at = jnp.asarray([*point, 0.0])

    def voigt(p):
        return VOIGT(p[0], p[1], p[2])

    def lorentzian(p):
        return LORENTZIAN(p[0], p[1], p[2])

    gradient = jax.jit(jax.grad(voigt))(at)
    expected = jax.grad(lorentzian)(at)
    np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-15)
    # ∂²V/∂σ² at σ = 0 is the curvature of the Lorentzian along the offset
    curvature = jax.jit(jax.hessian(voigt))(at)
    assert float(curvature[2, 2]) == pytest.approx(float(curvature[0, 0]), rel=1e-12)


def test_derivatives_where_fwhm_vanishes_too():
    gradient = jax.jit(jax.grad(lambda p: VOIGT(p[0], p[1], p[2])))
    hessian = jax.jit(jax.hessian(lambda p: VOIGT(p[0], p[1], p[2])))
    for point in ([0.3, 0.0, 0.1], [0.0, 0.0, 0.1], [5.0, 1e-300, 0.1]):
        at = jnp.asarray(point)
        assert np.isfinite(gradient(at)).all()
        assert np.isfinite(hessian(at)).all()


def test_diffusion_and_laplace_equations():
    # ∂V/∂σ = σ ∂²V/∂x² and ∂²V/∂x² + ∂²V/∂γ² = 0, γ = fwhm / 2
    def voigt(p):
        return VOIGT(p[0], 2.0 * p[1], p[2])

    generator = np.random.default_rng(5)
    points = jnp.asarray(generator.uniform(0.02, 1.5, (400, 3)))
    gradient = np.asarray(jax.jit(jax.vmap(jax.grad(voigt)))(points))
    hessian = np.asarray(jax.jit(jax.vmap(jax.hessian(voigt)))(points))
    scale = np.abs(hessian).max(axis=(1, 2))
    diffusion = gradient[:, 2] - points[:, 2] * hessian[:, 0, 0]
    laplace = hessian[:, 0, 0] + hessian[:, 1, 1]
    assert np.abs(diffusion / scale).max() < 1e-12
    assert np.abs(laplace / scale).max() < 1e-12


def test_forward_and_reverse_mode_agree():
    at = jnp.asarray([0.4, 0.25, 0.15])
    forward = jax.jacfwd(lambda p: VOIGT(p[0], p[1], p[2]))(at)
    reverse = jax.jacrev(lambda p: VOIGT(p[0], p[1], p[2]))(at)
    np.testing.assert_allclose(forward, reverse, rtol=1e-13)
