"""Smooth spectra: what is blurred, the nearest of it, and what it tells."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from specfit.maps import Factorisation, MapError, blurring, fitting, gaussian
from specfit.maps.blurring import blur
from specfit.maps.factorising import factorise

ENERGY = np.linspace(630.0, 660.0, 90)


def line(place, width):
    return np.exp(-0.5 * ((ENERGY - place) / width) ** 2)


def two():
    """A sharp spectrum and a broad one, both everywhere."""
    step = 1.0 / (1.0 + np.exp(-(ENERGY - 640.0) / 4.0))
    sharp = line(641.0, 0.8) + 0.4 * line(652.0, 0.9) + 0.05 * step
    return np.stack([sharp / sharp.sum(), step / step.sum()])


def seen(dose, side=30, seed=0):
    y, x = np.mgrid[:side, :side] / side - 0.5
    fraction = np.clip(0.2 + 1.2 * np.hypot(x, y), 0.2, 0.8).ravel()
    mean = dose * np.stack([fraction, 1.0 - fraction], axis=1) @ two()
    generator = np.random.default_rng(seed)
    return generator.poisson(mean).astype(float), fraction


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@settings(max_examples=25, deadline=None)
@given(width=st.floats(0.1, 20.0), seed=st.integers(0, 1000))
def test_a_blur_keeps_areas_and_its_return_is_its_adjoint(width, seed):
    of = blur((0.0, width), ENERGY)
    generator = np.random.default_rng(seed)
    rows, growth = generator.uniform(size=(2, 3, ENERGY.size))
    made = of.made(rows)
    np.testing.assert_allclose(made.sum(axis=1), rows.sum(axis=1))
    np.testing.assert_array_equal(made[[0, 2]], rows[[0, 2]])
    assert np.sum(made * growth) == pytest.approx(np.sum(rows * of.back(growth)))


def test_the_width_is_that_at_half_maximum():
    point = np.zeros((1, ENERGY.size))
    point[0, 45] = 1.0
    made = blur((6.0,), ENERGY).made(point)[0]
    above = ENERGY[made > 0.5 * made.max()]
    assert above[-1] - above[0] == pytest.approx(6.0, abs=0.7)


def test_nothing_smooth_leaves_all_as_it_is():
    rows = np.random.default_rng(0).uniform(size=(2, ENERGY.size))
    for of in (blur((), ENERGY), blur((0.0, 0.0), ENERGY)):
        assert not of
        assert of.made(rows) is rows
        np.testing.assert_array_equal(of.nearest(rows), rows)


def test_the_nearest_is_smooth_and_near():
    of = blur((4.0,), ENERGY)
    spectrum = two()[1:]
    noisy = spectrum * np.random.default_rng(0).uniform(0.8, 1.2, spectrum.shape)
    found = of.made(of.nearest(noisy))
    assert np.abs(found - spectrum).sum() < 0.5 * np.abs(noisy - spectrum).sum()


@pytest.mark.parametrize("width", [1.0, 3.0, 10.0])
def test_squares_to_the_nearest_are_those_of_all_blurred_lines(width):
    kernel = blur((width,), ENERGY).of(0)
    mean = two().mean(axis=0)
    moved = np.stack([two()[0], two()[1], 1.3 * two()[1] - 0.3 * two()[0]])
    found, squares = blurring.smoothest(moved, mean, kernel)
    scale = 1.0 / np.sqrt(mean)
    for one, row, left in zip(moved, found, squares, strict=True):
        least = nnls((kernel * scale).T, one * scale)[1] ** 2
        np.testing.assert_allclose(np.sum(((one - row) * scale) ** 2), left, atol=1e-9)
        assert least - 1e-9 <= left <= 1.05 * least + 1e-6


def test_the_objective_never_falls():
    counts, _ = seen(100.0)
    data = fitting.chunked(counts, 256)
    first = fitting.State(fitting.even(data, 2), two()[::-1].copy())
    prior = fitting.Prior(np.zeros((2, ENERGY.size)), blur((2.0, 6.0), ENERGY))
    found = fitting.fitted(data, first, prior, 2, 90, 1e-9)
    assert np.diff(found.objective).min() >= -1e-7 * abs(found.objective[-1])
    c, made = data.flat(found.c), prior.blur.made(found.s)
    mean = c @ made
    last = np.sum(np.where(counts > 0, counts * np.log(np.maximum(mean, 1e-30)), 0.0))
    assert last - c.sum() >= found.objective[-1] - 1e-6


def test_faint_maps_give_better_spectra_if_these_are_smooth():
    counts, _ = seen(30.0)
    error = []
    for smooth in ((), (1.5, 6.0)):
        found = factorise(counts, ENERGY, Factorisation(2, smooth=smooth))
        error.append(np.abs(np.diff(found.spectra[1], 2)).sum())
    assert error[1] < 0.3 * error[0]


def test_smoothness_tells_a_broad_spectrum_from_one_with_lines():
    counts, fraction = seen(1e4)
    free = factorise(counts, ENERGY, Factorisation(2))
    told = factorise(
        counts, ENERGY, Factorisation(2, smooth=(1.6, 8.0), iterations=2000)
    )
    assert told.converged
    assert told.feasible.open_by < 0.8 * free.feasible.open_by
    low, high = told.fraction_low[:, 0], told.fraction_high[:, 0]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.9


def test_least_squares_know_smooth_spectra():
    counts, fraction = seen(1e4)
    mean = 1e4 * np.stack([fraction, 1.0 - fraction], axis=1) @ two()
    x = mean + np.random.default_rng(1).normal(0.0, 30.0, counts.shape)
    request = Factorisation(2, engine="gaussian", noise=30.0, smooth=(1.6, 8.0))
    data = fitting.chunked(x, 256)
    state, fit = gaussian.space(x, data, ENERGY, request, None)
    assert np.diff(state.objective).min() >= -1e-6
    np.testing.assert_allclose(fit.s, blur((1.6, 8.0), ENERGY).made(fit.latent))
    found = factorise(x, ENERGY, request)
    low, high = found.fraction_low[:, 0], found.fraction_high[:, 0]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.9


def test_a_map_that_drifts_knows_smooth_spectra():
    counts, fraction = seen(3e3, side=20)
    smooth = Factorisation(2, smooth=(1.6, 8.0), drift_sd=0.2)
    found = factorise(counts, ENERGY, smooth)
    low, high = found.fraction_low[:, 0], found.fraction_high[:, 0]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.9
    assert np.diff(found.objective).min() >= -1e-6 * abs(found.objective[-1])


@pytest.mark.parametrize("engine", ["ard_so", "sklearn"])
def test_engines_without_smooth_spectra_say_so(engine):
    counts, _ = seen(100.0)
    with pytest.raises(MapError, match="smooth"):
        factorise(counts, ENERGY, Factorisation(2, engine=engine, smooth=(0.0, 4.0)))


@pytest.mark.parametrize("smooth", [(4.0,), (4.0, -1.0)])
def test_widths_are_of_every_component(smooth):
    counts, _ = seen(100.0)
    with pytest.raises(MapError, match="width"):
        factorise(counts, ENERGY, Factorisation(2, smooth=smooth))
