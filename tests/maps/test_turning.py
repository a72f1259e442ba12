"""Pure spectra of three components and more, and an expected overlap of their maps."""

import functools

import jax
import numpy as np
import pytest

from specfit.map_components import with_counts
from specfit.maps import Factorisation
from specfit.maps.factorising import factorise
from specfit.maps.overlapping import Overlapping

ENERGY = np.linspace(632.0, 660.0, 112)


def edge(place, width):
    two = 1.0 / (1.0 + ((ENERGY - place) / width) ** 2)
    two += 0.45 / (1.0 + ((ENERGY - place - 11.0) / width / 1.2) ** 2)
    return two / two.sum()


def three():
    places, widths = (640.0, 641.5, 643.0), (0.9, 1.2, 1.1)
    return np.stack([edge(*one) for one in zip(places, widths, strict=True)])


@functools.cache
def seen(seed=0, pixels=900, least=0.15):
    """Three phases that are all everywhere: no pixel is pure."""
    generator = np.random.default_rng(seed)
    fraction = generator.dirichlet([0.5] * 3, pixels) * (1.0 - 3.0 * least) + least
    mean = 5000.0 * fraction @ three()
    return generator.poisson(mean).astype(float), fraction


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("seed", [0, 1])
def test_three_components_whose_curves_are_known(seed):
    counts, fraction = seen(seed)
    found = factorise(counts, ENERGY, Factorisation(3, library=three()))
    assert np.abs(np.mean(found.fraction - fraction, axis=0)).max() < 0.006
    held = (found.fraction_low <= fraction) & (fraction <= found.fraction_high)
    assert held.mean(axis=0).min() > 0.84
    mean = fraction.mean(axis=0)
    assert ((found.average.low <= mean) & (mean <= found.average.high)).all()


def test_a_curve_that_the_map_does_not_hold_is_left_out():
    generator = np.random.default_rng(0)
    fraction = generator.uniform(0.0, 1.0, 600)
    share = np.stack([fraction, 0.0 * fraction, 1.0 - fraction], axis=1)
    rows = np.stack([edge(640.0, 1.0), edge(646.0, 1.0), edge(643.0, 1.0)])
    counts = generator.poisson(4000.0 * share @ rows).astype(float)
    asked = Factorisation(3, library=rows)
    found, own = with_counts(counts, ENERGY, asked, None, held=2)
    assert own.tolist() == [0, 2]
    assert np.abs(found.fraction[:, 0] - fraction).mean() < 0.02
    assert found.average.sd.max() < 0.1


def test_an_overlap_is_the_mean_cosine_of_maps():
    maps = np.random.default_rng(0).uniform(size=(50, 3))
    unit = maps / np.linalg.norm(maps, axis=0)
    expected = (np.sum(unit.T @ unit) - 3.0) / 6.0
    of = Overlapping(maps.T @ maps, 0.2, 0.1)
    assert of.at(np.eye(3)) == pytest.approx(expected)
    turn = np.eye(3) + 0.1 * np.random.default_rng(1).normal(size=(3, 3))
    other = Overlapping(
        (maps @ np.linalg.inv(turn)).T @ (maps @ np.linalg.inv(turn)), 0, 1
    )
    assert of.at(turn) == pytest.approx(float(other.at(np.eye(3))))
    assert of.log(np.eye(3)) == pytest.approx(-0.5 * ((expected - 0.2) / 0.1) ** 2)


def open_map(seed=0):
    """Two phases with spectra above zero everywhere: nothing is decided by the data."""
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(-0.4, 1.4, 600), 0.2, 0.8)
    rows = 0.6 * three()[:2] + 0.4 / ENERGY.size
    mean = 8000.0 * np.stack([fraction, 1.0 - fraction], axis=1) @ rows
    return generator.poisson(mean).astype(float), fraction


def cosine(maps):
    unit = maps / np.linalg.norm(maps, axis=0)
    return float(unit[:, 0] @ unit[:, 1])


def test_an_expected_overlap_speaks_where_the_data_leave_it_open():
    counts, fraction = open_map()
    true = cosine(np.stack([fraction, 1.0 - fraction], axis=1))
    wide = factorise(counts, ENERGY, Factorisation(2))
    found = {}
    for mean in (0.3, true):
        asked = Factorisation(2, apart=(mean, 0.02))
        found[mean] = factorise(counts, ENERGY, asked)
    assert cosine(found[0.3].maps) < cosine(found[true].maps) - 0.1
    assert cosine(found[true].maps) == pytest.approx(true, abs=0.05)
    told = found[true]
    width = [np.mean(one.fraction_high - one.fraction_low) for one in (wide, told)]
    assert width[1] < width[0]
    # the data alone still leave open what they left open
    assert told.feasible.open_by == pytest.approx(wide.feasible.open_by, abs=0.05)


@pytest.mark.parametrize("sd", [0.02, 0.002])
def test_the_true_overlap_gives_bands_that_hold_the_truth(sd):
    held = []
    for seed in range(3):
        counts, fraction = open_map(seed)
        true = cosine(np.stack([fraction, 1.0 - fraction], axis=1))
        told = factorise(counts, ENERGY, Factorisation(2, apart=(true, sd)))
        k = int(np.argmax(told.spectra @ (three()[0] - three()[1])))
        low, high = told.fraction_low[:, k], told.fraction_high[:, k]
        held.append(np.mean((low <= fraction) & (fraction <= high)))
    assert np.mean(held) > 0.7


def test_what_is_expected_weakly_changes_little():
    counts, _ = open_map()
    wide = factorise(counts, ENERGY, Factorisation(2))
    weak = factorise(counts, ENERGY, Factorisation(2, apart=(0.5, 50.0)))
    assert np.abs(weak.fraction - wide.fraction).max() < 0.1
