"""Maps of even, known noise: least squares in the same frame as counts."""

import functools
import importlib.util
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import nnls

from specfit.maps import Factorisation, fitting, gaussian, squares
from specfit.maps.factorising import factorise

ENERGY = np.linspace(200.0, 220.0, 80)
SD = 8.0


def peaks(places=(209.0, 212.0)):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / 1.2) ** 2)
    return rows / rows.sum(axis=1, keepdims=True)


@functools.cache
def small(pixels=400, seed=0, lowest=0.0, background=0.0, sd=SD):
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(lowest - 0.3, 1.3, pixels), lowest, 1.0)
    mean = 3000.0 * np.stack([fraction, 1.0 - fraction], axis=1) @ peaks()
    law = (ENERGY / ENERGY[0]) ** -3.0
    dose = background * generator.uniform(0.5, 1.5, (pixels, 1))
    mean = mean + dose * law / law.sum()
    return mean + generator.normal(0.0, sd, mean.shape), fraction


def asked(**more):
    library = 0.95 * peaks() + 0.05 * np.roll(peaks(), 3, axis=1)
    return Factorisation(2, engine="gaussian", noise=SD, **{"library": library} | more)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("k", [1, 2, 4])
def test_weights_are_those_of_least_squares(k):
    generator = np.random.default_rng(3)
    s = np.abs(generator.normal(size=(k, 30))) + np.linspace(1.0, 4.0, 30)
    x = generator.normal(size=(50, k)) @ s + generator.normal(0.0, 2.0, (50, 30))
    data = fitting.chunked(x, 16)
    c = jnp.zeros((*data.x.shape[:2], k))
    found = squares.fitted(data.x, c, jnp.asarray(s), jnp.asarray(2.0), jnp.zeros(k))
    expected = np.array([nnls(s.T, row)[0] for row in x])
    np.testing.assert_allclose(data.flat(found[0]), expected, atol=2e-2)
    left = [np.sum((x - one @ s) ** 2) for one in (data.flat(found[0]), expected)]
    assert left[0] <= left[1] + 1e-3
    assert np.asarray(found[1]).all()


def test_the_objective_never_falls_and_is_the_stated_one():
    x, _ = small()
    request = asked(library=None)
    data = fitting.chunked(x, 128)
    state, fit = gaussian.space(x, data, ENERGY, request, None)
    assert state.converged
    heights = np.array(state.objective)
    assert np.diff(heights).min() >= -1e-6
    half = np.sum((x - data.flat(fit.c) @ fit.s) ** 2) / (2.0 * SD**2)
    assert -heights[-1] == pytest.approx(half, rel=1e-8)


@pytest.mark.parametrize("background", [0.0, 4000.0])
def test_a_map_is_found_with_its_errors(background):
    x, fraction = small(background=background)
    power = {"background": (3.0,), "alone": (200.0, 204.0)} if background else {}
    found = factorise(x, ENERGY, asked(**power))
    assert found.converged
    assert not found.notes
    error = found.fraction[:, 0] - fraction
    assert np.sqrt(np.mean(error**2)) < 0.05
    assert abs(error.mean()) < 0.02
    low, high = found.fraction_low[:, 0] - 1e-9, found.fraction_high[:, 0] + 1e-9
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.8
    assert np.nanmean(found.residual_chi) == pytest.approx(1.0, abs=0.05)
    seen, made, variance = found.parts
    free = (36 - 2) * 80 - 36 * (2 + bool(background))
    assert np.sum((seen - made) ** 2 / variance) / free == pytest.approx(1.0, abs=0.1)


def test_the_error_of_counting_is_that_of_the_noise():
    x, fraction = small(pixels=3000)
    found = factorise(x, ENERGY, asked(library=peaks()))
    z = (found.fraction[:, 0] - fraction) / found.counting_sd[:, 0]
    inside = (fraction > 0.15) & (fraction < 0.85)
    assert np.std(z[inside]) == pytest.approx(1.0, abs=0.12)


def test_without_a_library_the_band_holds_all_that_is_feasible():
    x, fraction = small(lowest=0.3)
    found = factorise(x, ENERGY, asked(library=None))
    assert not found.feasible.decided
    first = int(np.argmin(found.spectra @ ENERGY))
    low, high = found.fraction_low[:, first], found.fraction_high[:, first]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.85


def test_nothing_depends_on_the_unit():
    x, _ = small()
    one = factorise(x, ENERGY, asked())
    two = factorise(1e-6 * x, ENERGY, replaced(asked(), noise=1e-6 * SD))
    np.testing.assert_allclose(two.fraction, one.fraction, atol=1e-6)
    np.testing.assert_allclose(two.fraction_low, one.fraction_low, atol=1e-6)
    np.testing.assert_allclose(two.maps, 1e-6 * one.maps, rtol=1e-5, atol=1e-6)


def replaced(request, **more):
    from dataclasses import replace

    return replace(request, **more)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_number_of_components_is_found_in_any_unit(k):
    from specfit.maps.counting_components import how_many

    generator = np.random.default_rng(k)
    shares = generator.dirichlet(np.full(k, 0.5), 500)
    rows = peaks(np.linspace(207.0, 214.0, k))
    x = 3000.0 * shares @ rows + generator.normal(0.0, SD, (500, 80))
    for unit in (1e-6, 1.0, 1e6):
        request = Factorisation(2, engine="gaussian", noise=unit * SD, iterations=5)
        assert how_many(unit * x, ENERGY, request, 5).best == k


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hi", "ov"])
def test_real_curves_in_even_noise(name):
    path = Path(__file__).with_name("four.py")
    found = importlib.util.spec_from_file_location("four_maps", path)
    four = importlib.util.module_from_spec(found)
    sys.modules["four_maps"] = four
    found.loader.exec_module(four)
    made = four.simulated(name, 0, dose=1e7)
    generator = np.random.default_rng(1)
    x = made.counts / 1e3 + generator.normal(0.0, 6.0, made.counts.shape)
    request = Factorisation(2, engine="gaussian", noise=6.0, library=made.library)
    found = factorise(x, made.energy, request)
    error = (found.fraction[:, 0] - made.fraction)[made.inside]
    assert found.converged
    assert np.sqrt(np.mean(error**2)) < 0.03
    assert abs(error.mean()) < 0.02
