"""The EXAFS equation and its transform against arithmetic written another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import constants
from scipy.integrate import quad
from scipy.interpolate import UnivariateSpline

from specfit.exafs import (
    PathValues,
    Tables,
    chi_of_path,
    far_noise,
    over_distance,
    tables_of,
)
from specfit.exafs.splines import evaluated, spline
from specfit.exafs.synthetic import feff_text, layered_oxide
from specfit.readers.feff import scattering_path
from specfit.readers.files import FileContent
from specfit.scattering import ScatteringPath

K = np.arange(2.0, 16.01, 0.05)
WAVE = 2.0 * constants.m_e * constants.e / constants.hbar**2 * 1e-20


def made(name="ni_m1.dat"):
    text = feff_text(layered_oxide()[name]).encode()
    return scattering_path(FileContent(name, None, text, "sha"))


def complex_chi(path, k, values):
    """With complex numbers and FITPACK's splines, as xraylarch has it."""
    q = np.sqrt(k**2 - values.dE0 * WAVE)
    of = {
        name: UnivariateSpline(path.k, getattr(path, name), s=0)(q)
        for name in ("amplitude", "phase", "wave", "mean_free_path")
    }
    p = of["wave"] + 1j / of["mean_free_path"]
    reff, s2 = path.half_length, values.sigma2
    shift = values.R - reff - 2 * s2 / reff - 2 * p**2 * values.C3 / 3
    exponent = -2 * reff * p.imag - 2 * p**2 * s2
    exponent = exponent + 1j * (2 * q * reff + of["phase"] + 2 * p * shift)
    return np.imag(
        values.strength * of["amplitude"] * np.exp(exponent) / (q * values.R**2)
    )


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
@pytest.mark.parametrize("name", ["ni_o1.dat", "co_m2.dat"])
@pytest.mark.parametrize("dE0", [-7.5, 0.0, 6.2])
def test_it_is_what_complex_numbers_give(xp, name, dE0):
    path = made(name)
    values = PathValues(5.1, path.half_length + 0.07, 0.0071, dE0, 3.1e-4)
    with jax.enable_x64(True):
        found = np.asarray(chi_of_path(xp, K, tables_of(path), values))
    wanted = complex_chi(path, K, values)
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(found, wanted, atol=1e-8 * np.abs(wanted).max())


def test_it_is_the_textbook_s_without_losses():
    k = np.linspace(0.0, 20.0, 201)
    path = ScatteringPath(
        2.5, 6.0, k, 1.0 - 0.4 * k, np.full(201, 0.5), k, np.full(201, 1e9)
    )
    values = PathValues(4.0, 2.5, 0.006, 0.0, 0.0)
    found = chi_of_path(np, K, tables_of(path), values)
    phase = 2 * K * (2.5 - 2 * 0.006 / 2.5) + 1.0 - 0.4 * K
    wanted = 4.0 * 0.5 / (K * 2.5**2) * np.exp(-2 * K**2 * 0.006) * np.sin(phase)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_the_spline_is_that_of_fitpack_also_beyond_its_ends():
    x = np.array([0.0, 0.2, 0.5, 1.0, 1.5, 2.2, 3.0, 4.0])
    curves = np.stack([np.sin(x), x**3 - x])
    at = np.linspace(-0.3, 4.5, 97)
    coefficients = np.stack([spline(x, y) for y in curves])
    for y, found in zip(curves, evaluated(np, x, coefficients, at), strict=True):
        wanted = UnivariateSpline(x, y, s=0)(at)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_longer_tables_change_nothing():
    path = made()
    values = PathValues(5.0, 2.9, 0.005, 3.0, 0.0)
    short, long = tables_of(path), tables_of(path, len(path.k) + 7)
    k = np.linspace(2.0, 20.0, 50)  # to the very end of the table
    wanted = chi_of_path(np, k, short, values)
    np.testing.assert_array_equal(chi_of_path(np, k, long, values), wanted)


def test_the_gradient_is_finite_where_the_edge_lies_above_the_data():
    """At E0 = 30 eV k below 2.8 1/Å is under the edge of the path."""
    tables = Tables(*map(np.asarray, tables_of(made())))

    def total(x):
        return jnp.sum(chi_of_path(jnp, jnp.asarray(K), tables, PathValues(*x)) ** 2)

    with jax.enable_x64(True):
        for dE0 in (-30.0, 4.0 / WAVE, 30.0):
            at = jnp.array([5.0, 2.9, 0.02, dE0, 1e-4])
            value, slope = jax.value_and_grad(total)(at)
            assert np.isfinite(value)
            assert np.isfinite(slope).all()


def test_the_transform_is_the_integral():
    def window(k):
        rise = np.clip(min(k - 2.0, 16.0 - k), 0.0, 1.0)
        return np.sin(0.5 * np.pi * rise) ** 2

    def integrand(k, R, part):
        chi = np.sin(2 * k * 2.3) * np.exp(-0.01 * k**2)
        turned = np.exp(2j * k * R) * k**2 * chi * window(k)
        return getattr(turned, part)

    chi = np.sin(2 * K * 2.3) * np.exp(-0.01 * K**2)
    R = np.array([0.4, 2.1, 2.35])
    found = over_distance(K, chi, R, 2.0)
    for value, r in zip(found, R, strict=True):
        parts = [quad(integrand, 2, 16, (r, p), limit=400)[0] for p in ("real", "imag")]
        wanted = complex(*parts) / np.sqrt(np.pi)
        assert abs(value - wanted) < 2e-3 * np.abs(found).max()


def test_far_distances_show_the_noise_and_no_path():
    generator = np.random.default_rng(8)
    chi = chi_of_path(np, K, tables_of(made()), PathValues(5.0, 2.87, 0.005, 0.0, 0.0))
    found = [far_noise(K, chi + generator.normal(0, 0.01, K.size)) for _ in range(40)]
    # 40 averages of some 90 values each: 3 % of spread for one, 0.5 % for all
    assert np.mean(found) == pytest.approx(0.01, rel=0.05)
    assert far_noise(K, chi) < 2e-4
