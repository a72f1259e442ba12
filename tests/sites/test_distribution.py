"""Distributions: their histograms, and the Gaussian that both ways of writing must give."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.model.functions import FUNCTIONS
from specfit.report.figures.distribution import density
from specfit.shapes import SHAPES
from specfit.sites import SITES
from specfit.sites.distribution import histogram, with_bins
from specfit.waves import BINS, WAVES

SLOPES = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
AT = np.linspace(-10.0, 10.0, 1001)


def weights(values):
    return histogram(jnp, values)[1]


def middles(values):
    return histogram(jnp, values)[0]


def given(**changes):
    known = {f"c{m}": 0.0 for m in range(1, WAVES + 1)}
    known |= {
        "IS": 0.4, "QS": -0.1, "x": 2.0, "ratio": 1.0, "width": 0.3, "low": 20.0,
        "high": 52.0, "roughness": 8.0, "IS_slope": 0.0, "QS_slope": 0.0, "QS_random": 0.0,
    } | changes  # fmt: skip
    return {name: jnp.asarray(value) for name, value in known.items()}


def coefficients(log_shares):
    """The waves of a histogram's logarithm, for roughness 1."""
    place = (np.arange(BINS) + 0.5) / BINS
    return {
        f"c{m}": np.sqrt(2.0) * m**2 * np.mean(np.cos(np.pi * m * place) * log_shares)
        for m in range(1, WAVES + 1)
    }


def summed(lines, fwhm):
    shape = SHAPES["voigt"].profile
    each = shape(
        AT - np.asarray(lines.position)[:, None],
        fwhm,
        np.asarray(lines.gauss_sigma)[:, None],
    )
    return np.asarray(lines.area) @ np.asarray(each)


def test_without_waves_every_bin_has_the_same_share():
    np.testing.assert_allclose(weights(given()), 1.0 / BINS, rtol=1e-14)
    place = np.asarray(middles(given()))
    assert place[0] == pytest.approx(20.0 + 16.0 / BINS)
    assert place[-1] == pytest.approx(52.0 - 16.0 / BINS)


def test_a_gaussian_histogram_is_the_sextet_with_a_spread():
    """And IS and QS that follow the field give every line its own width."""
    field, spread, slopes = 36.0, 2.5, {"IS_slope": 0.02, "QS_slope": 0.015}
    place = np.asarray(middles(given()))
    waves = coefficients(-0.5 * ((place - field) / spread) ** 2)
    found = SITES["sextet_distribution"].lines(
        given(roughness=1.0, **waves, **slopes), SLOPES
    )
    plain = {
        "Bint": field,
        "sigma_Bint": spread,
        "sigma_IS": 0.0,
        "sigma_QS": 0.0,
        "I": 1.0,
    }
    known = SITES["sextet"].lines(given(**plain, **slopes), SLOPES)
    shares = np.asarray(weights(given(roughness=1.0, **waves)))
    assert shares @ place == pytest.approx(field, abs=0.01)
    np.testing.assert_allclose(summed(found, 0.3), summed(known, 0.3), atol=4e-3)
    broad = np.asarray(known.gauss_sigma)
    assert broad[5] > broad[0]  # what follows the field broadens one side more


def test_disorder_of_the_splitting_widens_every_line_alike():
    kind = SITES["sextet_distribution"]
    lines = kind.lines(given(sigma_QS=0.3, c1=1.0), SLOPES)
    assert kind.alike
    np.testing.assert_allclose(lines.gauss_sigma, 0.15, rtol=1e-12)


def test_a_flat_distribution_shows_no_comb():
    """Every line then is a Lorentzian over an interval: a difference of arctangents."""
    values = given(low=0.0, high=60.0)
    found = summed(SITES["sextet_distribution"].lines(values, SLOPES), 0.28)
    ends = [
        given(Bint=b, sigma_Bint=0.0, sigma_IS=0.0, sigma_QS=0.0) for b in (0.0, 60.0)
    ]
    first, last = (np.asarray(SITES["sextet"].lines(e, SLOPES).position) for e in ends)
    area = np.array([3.0, 2.0, 1.0, 1.0, 2.0, 3.0]) / 12.0
    steps = [np.arctan((AT[:, None] - place) / 0.14) for place in (first, last)]
    known = ((steps[0] - steps[1]) / (np.pi * (last - first))) @ area
    np.testing.assert_allclose(found, known, atol=1.5e-3 * known.max())


def test_fewer_bins_are_the_same_distribution():
    few, values = with_bins(40), given(c1=-1.0, c2=0.7, roughness=4.0)
    lines = jax.eval_shape(few.lines, values, SLOPES)
    assert lines.position.shape == (few.n_lines,) == (240,)
    plain = {name: np.asarray(value) for name, value in values.items()}
    place, share = few.histogram(np, plain)
    every = histogram(np, plain)
    assert share.sum() == pytest.approx(1.0, abs=1e-14)
    # three bins in one, each where the middle of the three is
    np.testing.assert_allclose(place, every[0][1::3], rtol=1e-14)
    np.testing.assert_allclose(share, every[1].reshape(40, 3).sum(1), rtol=2e-2)


def test_a_disordered_solid_has_the_moments_of_its_distribution():
    """⟨QS⟩ and ⟨QS²⟩ are those of a chi distribution with five components."""
    from scipy.stats import chi

    sigma = 0.45
    lines = SITES["czjzek"].lines(given(sigma=sigma, d=5.0), SLOPES)
    area, position = np.asarray(lines.area), np.asarray(lines.position)
    mean = 2.0 * area @ np.abs(position - 0.4)
    square = 4.0 * area @ (position - 0.4) ** 2
    assert mean == pytest.approx(sigma * chi(5).mean(), rel=2e-4)
    assert square == pytest.approx(5.0 * sigma**2, rel=2e-4)


def test_the_mean_does_not_move_with_what_follows():
    waves = {"c1": -1.0, "c2": 0.7}
    plain = SITES["sextet_distribution"].lines(given(**waves), SLOPES)
    following = SITES["sextet_distribution"].lines(
        given(**waves, IS_slope=0.03), SLOPES
    )
    centre = [float(lines.area @ lines.position) for lines in (plain, following)]
    assert centre[0] == pytest.approx(centre[1], abs=1e-12)


def test_gradients_of_a_distribution_are_finite():
    def height(values):
        lines = SITES["sextet_distribution"].lines(values, SLOPES)
        return jnp.sum(lines.area * jnp.cos(lines.position)) + jnp.sum(
            lines.gauss_sigma
        )

    slope = jax.jit(jax.grad(height))(given(c3=1.0, roughness=40.0))
    assert all(np.isfinite(part) for part in slope.values())


def test_mean_and_sd_of_the_histogram_are_those_of_a_gaussian():
    """Asked of the language, for one draw and for many."""
    place = np.asarray(middles(given()))
    every = coefficients(-0.5 * ((place - 36.0) / 2.5) ** 2)
    one = [20.0, 52.0, 1.0, *every.values()]
    mean, sd = (FUNCTIONS[f"histogram_{w}"].meaning for w in ("mean", "sd"))
    assert mean(np, *one) == pytest.approx(36.0, abs=0.01)
    assert sd(np, *one) == pytest.approx(2.5, abs=0.02)
    rows = [np.array([number, number]) for number in one]
    rows[0] = np.array([20.0, 10.0])  # a wider range, and so a wider Gaussian
    np.testing.assert_allclose(mean(np, *rows), [36.0, 31.0], atol=0.02)
    np.testing.assert_allclose(sd(np, *rows)[1], 2.5 * 42.0 / 32.0, atol=0.03)
    flat = sd(np, 0.0, 12.0, 1.0, *np.zeros(WAVES))
    assert flat == pytest.approx(12.0 / np.sqrt(12.0), rel=1e-12)


def test_the_picture_of_a_distribution_is_of_unit_area():
    """From draws whose ends differ too; each is nothing outside its own."""
    rng = np.random.default_rng(3)
    draws = {name: np.asarray([value]) for name, value in given().items()}
    place = np.asarray(middles(given()))
    waves = coefficients(-0.5 * ((place - 36.0) / 2.5) ** 2)  # nothing at the ends
    draws |= {name: value + 0.1 * rng.normal(size=50) for name, value in waves.items()}
    draws["high"] = rng.uniform(51.0, 53.0, size=50)
    draws["roughness"] = np.array([1.0])
    site = SimpleNamespace(
        kind="sextet_distribution", parameters={name: name for name in draws}
    )
    found = SimpleNamespace(quantity=lambda name: SimpleNamespace(draws=draws[name]))
    place, height = density(found, site)
    assert place[0] < 20.2
    assert height.shape == (50, BINS)
    area = height.sum(axis=1) * (place[1] - place[0])
    np.testing.assert_allclose(area, 1.0, atol=0.003)
    beyond = place > draws["high"][:, None]
    assert beyond.any()
    assert not height[beyond].any()
    each = histogram(np, {name: value[:1] for name, value in draws.items()})
    mean = (height[0] * place).sum() / height[0].sum()
    assert mean == pytest.approx(float(np.sum(each[0] * each[1])), abs=0.02)
