"""Bands of fractions and of their means, where pixels are pure, empty or undecided."""

import jax
import numpy as np
import pytest

from specfit.maps import Factorisation
from specfit.maps.factorising import factorise

ENERGY = np.linspace(632.0, 660.0, 112)


def edge(place, width=1.1):
    two = 1.0 / (1.0 + ((ENERGY - place) / width) ** 2)
    two += 0.45 / (1.0 + ((ENERGY - place - 11.0) / width / 1.2) ** 2)
    return two / two.sum()


ROWS = np.stack([edge(640.0), edge(642.5)])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("dose", [150.0, 1000.0])
def test_the_mean_of_pure_pixels_is_in_its_band(dose):
    held = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        fraction = (generator.uniform(size=1500) < 0.1).astype(float)
        mean = dose * np.stack([fraction, 1.0 - fraction], axis=1) @ ROWS
        counts = generator.poisson(mean).astype(float)
        found = factorise(counts, ENERGY, Factorisation(2, library=ROWS)).average
        held.append(found.low[0] <= fraction.mean() <= found.high[0])
        assert found.low[0] <= found.mean[0] <= found.high[0]
    assert sum(held) >= 4  # weights cut at zero had their band miss all of them


@pytest.mark.parametrize("sd", [2.0, 5.0, 15.0])
def test_pixels_of_noise_alone_hold_nothing(sd):
    generator = np.random.default_rng(0)
    fraction = np.where(generator.uniform(size=600) < 0.2, 0.5, 0.0)
    weights = 2000.0 * np.stack([fraction, 1.0 - fraction], axis=1)
    weights = np.concatenate([weights, np.zeros((600, 2))])
    x = weights @ ROWS + generator.normal(0.0, sd, (1200, 112))
    asked = Factorisation(2, engine="gaussian", noise=sd, library=ROWS)
    found = factorise(x, ENERGY, asked)
    assert found.filled[:600].mean() > 0.99
    assert found.filled[600:].mean() < 0.01
    assert found.average.low[0] - 0.02 < fraction.mean() < found.average.high[0] + 0.02


@pytest.mark.parametrize("engine", ["ard_so", "sklearn"])
def test_other_engines_tell_what_the_data_leave_open(engine):
    generator = np.random.default_rng(0)
    fraction = np.clip(generator.uniform(0.0, 1.3, 900), 0.25, 1.0)
    mean = 4000.0 * np.stack([fraction, 1.0 - fraction], axis=1) @ ROWS
    counts = generator.poisson(mean).astype(float)
    found = factorise(counts, ENERGY, Factorisation(2, engine=engine))
    k = int(np.argmax(found.spectra @ ROWS[0]))
    low, high = found.fraction_low[:, k], found.fraction_high[:, k]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.85


def test_what_nothing_bounds_has_an_open_band():
    generator = np.random.default_rng(0)
    # one spectrum in all pixels: no line between two of its kind is bounded
    counts = generator.poisson(40.0 * np.tile(ROWS[0], (400, 1))).astype(float)
    found = factorise(counts, ENERGY, Factorisation(2, library=ROWS))
    assert not np.isnan(found.fraction_low).any()
    assert (found.fraction_high - found.fraction_low).mean() > 0.5


def test_a_sure_map_has_a_chi_square_of_one():
    generator = np.random.default_rng(0)
    fraction = generator.uniform(size=600)
    rows = np.maximum(ROWS - 2e-3, 0.0)  # channels without anything
    rows /= rows.sum(axis=1, keepdims=True)
    mean = 500.0 * np.stack([fraction, 1.0 - fraction], axis=1) @ rows
    counts = generator.poisson(mean).astype(float)
    found = factorise(counts, ENERGY, Factorisation(2, library=ROWS))
    assert np.nanmean(found.residual_chi) == pytest.approx(1.0, abs=0.03)
