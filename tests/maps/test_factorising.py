"""Poisson factorisation: what it maximises, what it finds, what it refuses."""

import jax
import numpy as np
import pytest

from specfit.maps import Factorisation, MapError, fitting
from specfit.maps.factorising import factorise

ENERGY = np.linspace(0.0, 10.0, 40)


def peaks(places, sd=0.9):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / sd) ** 2) + 0.02
    return rows / rows.sum(axis=1, keepdims=True)


def small(pixels=300, dose=2000.0, seed=0):
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(-0.3, 1.3, pixels), 0.0, 1.0)
    spectra = peaks([4.0, 6.0])
    mean = dose * np.stack([fraction, 1 - fraction], 1) @ spectra
    return generator.poisson(mean).astype(float), fraction, spectra


def start(counts, k=2):
    data = fitting.chunked(counts, 64)
    spectra = peaks([3.0, 7.0], 2.0)
    prior = fitting.Prior(100.0 * spectra, np.ones(k), np.zeros(k))
    return data, fitting.State(fitting.even(data, k), spectra), prior


def height(counts, c, s, prior):
    mean = c @ s
    fit = np.sum(counts * np.log(mean) - mean)
    return fit + np.sum(prior.counts * np.log(s))


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_objective_never_falls_and_is_the_stated_one():
    counts, _, _ = small()
    data, first, prior = start(counts)
    found = fitting.fitted(data, first, prior, 2, 120, 1e-9)
    assert np.diff(found.objective).min() >= -1e-7 * abs(found.objective[-1])
    assert found.objective[0] == pytest.approx(
        height(counts, data.flat(first.c), first.s, prior), rel=1e-12
    )
    last = height(counts, data.flat(found.c), found.s, prior)
    assert last >= found.objective[-1] - 1e-6


def test_accelerated_and_plain_steps_agree():
    counts, _, _ = small(60)
    data, first, prior = start(counts)
    found = fitting.fitted(data, first, prior, 2, 600, 1e-12)
    c, s = first.c, first.s
    for _ in range(3000):
        c, s, _ = fitting._step(data, c, s, prior, 2)
    fast = height(counts, data.flat(found.c), found.s, prior)
    slow = height(counts, data.flat(c), s, prior)
    assert fast >= slow - 1e-2


def test_a_library_that_is_a_little_wrong_gives_the_right_map():
    counts, fraction, _ = small(1000)
    library = peaks([4.15, 5.9], 1.0)
    found = factorise(counts, ENERGY, Factorisation(2, library=library))
    assert found.converged
    error = found.fraction[:, 0] - fraction
    assert np.sqrt(np.mean(error**2)) < 0.03
    assert found.feasible is not None
    np.testing.assert_allclose(found.spectra.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.maps.sum(axis=1), counts.sum(axis=1), rtol=0.02)
    assert (found.fraction_low <= found.fraction + 1e-9).all()
    assert (found.fraction_high >= found.fraction - 1e-9).all()


def test_without_a_library_the_band_holds_all_that_is_feasible():
    counts, _, _ = small(1000)
    found = factorise(counts, ENERGY, Factorisation(2))
    assert found.feasible is not None
    assert (found.fraction_low[:, 0] <= found.feasible.fraction_low + 1e-9).all()
    assert (found.fraction_high[:, 0] >= found.feasible.fraction_high - 1e-9).all()


def test_the_same_twice():
    counts, _, _ = small()
    one = factorise(counts, ENERGY, Factorisation(2))
    two = factorise(counts, ENERGY, Factorisation(2))
    np.testing.assert_array_equal(one.maps, two.maps)


def test_empty_pixels_and_channels_are_told_as_unknown():
    counts, _, _ = small()
    counts[:5] = 0
    counts[:, :3] = 0
    found = factorise(counts, ENERGY, Factorisation(2, library=peaks([4.0, 6.0])))
    assert np.isnan(found.fraction[:5]).all()
    assert np.isfinite(found.fraction[5:]).all()
    assert np.isfinite(found.spectra).all()


def test_a_power_law_is_fitted_beside():
    generator = np.random.default_rng(3)
    counts, fraction, _ = small(1000)
    energy = ENERGY + 20.0
    law = (energy / energy[0]) ** -3.0
    counts = counts + generator.poisson(500.0 * law / law.sum(), counts.shape)
    request = Factorisation(2, library=peaks([4.0, 6.0]), background=(3.0,))
    found = factorise(counts, energy, request)
    assert found.background.mean() == pytest.approx(500.0, rel=0.5)
    error = found.fraction[:, 0] - fraction
    assert np.sqrt(np.mean(error**2)) < 0.06


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x: x * np.nan, "not finite"),
        (lambda x: x - 1.0, "negative"),
        (lambda x: 0.0 * x, "empty"),
        (lambda x: x[:, :-1], "axis"),
    ],
)
def test_bad_maps_are_refused(change, says):
    counts, _, _ = small(20)
    with pytest.raises(MapError, match=says):
        factorise(change(counts), ENERGY, Factorisation(2))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Factorisation(0), "components"),
        (Factorisation(50), "components"),
        (Factorisation(2, library=np.ones((3, 40))), "library"),
        (Factorisation(2, library=-np.ones((2, 40))), "negative"),
        (Factorisation(2, engine="gaussian"), "noise"),
        (Factorisation(2, drift_sd=0.3), "drift_sd"),
        (Factorisation(2, map_scale=(1.0,)), "map_scale"),
        (Factorisation(2, map_shape=2.0), "`map_shape` needs `map_scale`"),
        (Factorisation(2, relevance=True), "`components` from `how_many`"),
        (Factorisation(2, overlap=0.1), "`overlap` needs `ard_so`"),
        (Factorisation(2, engine="sklearn", overlap=0.1), "`overlap` needs"),
        (Factorisation(2, engine="ard_so", library=np.ones((2, 40))), "`poisson`"),
        (Factorisation(2, engine="sklearn", background=(3.0,)), "`background` needs"),
        (Factorisation(2, engine="gaussian", noise=1.0), "give counts"),
        (Factorisation(2, smooth=1.0), "give the component a `library`"),
    ],
)
def test_bad_requests_are_refused(request_, says):
    counts, _, _ = small(20)
    with pytest.raises(MapError, match=says):
        factorise(counts, ENERGY, request_)
