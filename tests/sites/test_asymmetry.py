"""Unequal lines of a doublet against integrals over the sphere done by others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import dawsn, erf

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.sites import SITES
from specfit.sites.asymmetry import order

SCALE = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)


def areas(name="doublet", **given):
    """Areas of the line at lower and at higher velocity."""
    values = {p.symbol: 0.0 for p in SITES[name].signature.parameters}
    values |= {"QS": 1.0, "ratio": 1.0, "sign_eQVzz": 1.0} | given
    arrays = {symbol: jnp.asarray(float(v)) for symbol, v in values.items()}
    return np.asarray(SITES[name].lines(arrays, SCALE).area)


@pytest.mark.parametrize("strength", [-20.0, -3.0, -0.2, 1e-6, 0.7, 5.0, 20.0])
def test_order_of_a_law_of_axes_is_that_of_closed_forms(strength):
    root = np.sqrt(abs(strength))
    if strength > 0:  # ∫ exp(a u²) du = exp(a) D(√a) / √a
        mean = (root / dawsn(root) - 1.0) / (2.0 * strength)
    else:
        whole = np.sqrt(np.pi) * erf(root) / (2.0 * root)
        mean = (np.exp(strength) / whole - 1.0) / (2.0 * strength)
    expected = 1.5 * mean - 0.5
    # near 0 the closed forms lose digits, not the sum
    loss = 1e-15 / abs(strength)
    assert float(order(jnp.asarray(strength))) == pytest.approx(
        expected, abs=1e-13 + loss
    )


@pytest.mark.parametrize(
    ("texture", "f_anisotropy"), [(0.0, 1.3), (2.0, 0.0), (1.5, -2)]
)
def test_lines_are_the_single_crystals_over_all_directions(texture, f_anisotropy):
    """Texture gives the share of crystals at ϑ, recoil-free fraction how each counts."""

    def sum_of(intensity):
        def at(u):
            crystals, seen = np.exp(texture * u**2), np.exp(-f_anisotropy * u**2)
            return crystals * seen * intensity(u)

        return quad(at, -1.0, 1.0, epsabs=1e-13)[0]

    outer, inner = sum_of(lambda u: 1.0 + u**2), sum_of(lambda u: 5.0 / 3.0 - u**2)
    found = areas(texture=texture, f_anisotropy=f_anisotropy)
    assert found[1] / found[0] == pytest.approx(outer / inner, rel=1e-12)
    turned = areas(texture=texture, f_anisotropy=f_anisotropy, sign_eQVzz=-1.0)
    np.testing.assert_allclose(turned, found[::-1], rtol=1e-14)


def test_the_ends_are_the_single_crystal_along_and_across():
    low, high = areas(texture=20.0), areas(texture=-20.0)
    assert 2.7 < low[1] / low[0] < 3.0
    assert 0.6 < high[1] / high[0] < 0.63
    np.testing.assert_allclose(areas(), 0.5, rtol=1e-15)


def test_texture_and_anisotropic_f_show_their_difference_alone():
    one, other = (
        areas(texture=1.7, f_anisotropy=0.4),
        areas(texture=0.2, f_anisotropy=-1.1),
    )
    np.testing.assert_allclose(one, other, rtol=1e-14)
    assert abs(one[0] - 0.5) > 0.04


def test_a_small_anisotropy_is_its_series():
    # S = 2 a / 15 to first order, so the ratio is 1 + 2 a / 15 of ±3/2 over ±1/2
    found = areas(f_anisotropy=1e-3)
    assert found[1] / found[0] == pytest.approx(1.0 - 2e-3 / 15.0, abs=1e-7)


def test_a_ratio_of_other_causes_multiplies():
    plain, both = areas(texture=1.0), areas(texture=1.0, ratio=1.3)
    assert both[1] / both[0] == pytest.approx(1.3 * plain[1] / plain[0], rel=1e-14)


def test_tin_has_it_and_gold_whose_ground_state_splits_has_not():
    symbols = [p.symbol for p in SITES["doublet 119Sn"].signature.parameters]
    assert {"texture", "f_anisotropy", "sign_eQVzz"} <= set(symbols)
    tin = areas("doublet 119Sn", texture=1.0)
    np.testing.assert_allclose(tin, areas(texture=1.0), rtol=1e-15)
    gold = {p.symbol for p in SITES["doublet 197Au"].signature.parameters}
    assert not {"texture", "f_anisotropy", "sign_eQVzz"} & gold
    np.testing.assert_allclose(areas("doublet 197Au"), 0.5, rtol=1e-15)


# -------------------------------------------------------- the whole Hamiltonian


def hamiltonian(name="hamiltonian", **given):
    values = {p.symbol: 0.0 for p in SITES[name].signature.parameters} | given
    arrays = {symbol: jnp.asarray(float(v)) for symbol, v in values.items()}
    return COMPILED.setdefault(name, jax.jit(SITES[name].lines))(arrays, SCALE)


COMPILED = {}


@pytest.mark.parametrize("strength", [-7.0, 1.3, 20.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_hamiltonian_without_a_field_is_the_doublet(strength, sign):
    found = hamiltonian(eQVzz=2.0 * sign, theta=50.0, phi=20.0, f_anisotropy=strength)
    above = float(np.asarray(found.area)[np.asarray(found.position) > 0].sum())
    known = areas(f_anisotropy=strength, sign_eQVzz=sign)
    np.testing.assert_allclose([1.0 - above, above], known, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "strength"),
    [("hamiltonian", 2.5), ("hamiltonian", -6.0), ("hamiltonian 151Eu", 2.5)],
)
def test_a_hamiltonian_is_the_sum_of_its_crystals(name, strength):
    """Rays from everywhere, each with the recoil-free fraction of its angle."""
    given = {"IS": 0.2, "Bint": 9.0, "eQVzz": -3.0, "eta": 0.7, "theta": 50.0}
    given |= {"phi": 25.0}
    cosine, weight = np.polynomial.legendre.leggauss(24)
    azimuth = (
        np.arange(6) + 0.5
    ) * 60.0  # enough: intensities are quadratic in the ray
    theta, phi = np.meshgrid(np.rad2deg(np.arccos(cosine)), azimuth, indexing="ij")
    recoilless = np.repeat(weight * np.exp(-strength * cosine**2), len(azimuth))
    crystal = name.replace("hamiltonian", "hamiltonian_crystal")
    values = {p.symbol: 0.0 for p in SITES[crystal].signature.parameters} | given
    rays = {"beam_theta": theta.ravel(), "beam_phi": phi.ravel()}
    every = {
        symbol: rays.get(symbol, np.full(theta.size, value))
        for symbol, value in (values | dict.fromkeys(rays, 0.0)).items()
    }
    many = jax.jit(jax.vmap(SITES[crystal].lines, (0, None)))(every, SCALE)
    known = recoilless @ np.asarray(many.area) / recoilless.sum()
    found = hamiltonian(name, **given, f_anisotropy=strength)
    np.testing.assert_allclose(found.area, known, atol=1e-12)
    assert np.abs(known - np.asarray(hamiltonian(name, **given).area)).max() > 0.002


def test_gold_whose_multipoles_interfere_has_no_anisotropy():
    gold = {p.symbol for p in SITES["hamiltonian 197Au"].signature.parameters}
    assert "f_anisotropy" not in gold
