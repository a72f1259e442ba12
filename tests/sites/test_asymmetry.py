"""Unequal lines of a doublet against integrals over the sphere done by others."""

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
