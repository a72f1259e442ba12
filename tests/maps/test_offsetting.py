"""The offset of the axis: found wherever its prior allows it, with its components."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.maps import Factorisation
from specfit.maps.factorising import factorise
from specfit.maps.offsetting import first_offset, shifted

ENERGY = np.linspace(620.0, 660.0, 160)


def edge(place, width=1.2):
    two = 1.0 / (1.0 + ((ENERGY - place) / width) ** 2)
    two += 0.45 / (1.0 + ((ENERGY - place - 11.0) / (1.2 * width)) ** 2)
    return two / two.sum()


def library():
    """Edges two electron volts apart, as of two valences; of another instrument."""
    return np.stack([edge(638.1, 1.4), edge(640.1, 1.1)])


def seen(offset, pixels=300, dose=3000.0, lowest=0.2, seed=0):
    generator = np.random.default_rng(seed)
    fraction = generator.uniform(lowest, 1.0, pixels)
    true = np.stack([edge(638.0 + offset), edge(640.0 + offset)])
    mean = dose * np.stack([fraction, 1.0 - fraction], axis=1) @ true
    return generator.poisson(mean).astype(float), fraction


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@settings(max_examples=20, deadline=None)
@given(offset=st.floats(-6.0, 6.0))
def test_the_first_guess_is_near_anywhere(offset):
    counts, _ = seen(offset, pixels=60)
    found = first_offset(counts, list(library()), np.zeros((0, 160)), ENERGY, 3.0)
    assert found == pytest.approx(offset, abs=0.6)


def test_nothing_is_looked_for_where_nothing_is_said():
    counts, _ = seen(1.0, pixels=60)
    none = np.zeros((0, 160))
    assert first_offset(counts, list(library()), none, ENERGY, 0.0) == 0.0
    assert first_offset(counts, [None, None], none, ENERGY, 1.0) == 0.0


@pytest.mark.parametrize("offset", [-5.0, -2.0, 2.0, 5.0])
def test_components_keep_their_curves_whatever_the_offset(offset):
    counts, fraction = seen(offset)
    asked = Factorisation(2, library=library(), shift_sd=abs(offset))
    found = factorise(counts, ENERGY, asked)
    assert found.shift[0] == pytest.approx(offset, abs=0.4)
    assert abs(np.mean(found.fraction[:, 0] - fraction)) < 0.05
    assert np.corrcoef(found.fraction[:, 0], fraction)[0, 1] > 0.98
    assert 0.0 < found.shift_sd < 0.5


def test_one_component_has_an_offset_too():
    generator = np.random.default_rng(0)
    mean = np.tile(2000.0 * edge(638.6), (200, 1))
    counts = generator.poisson(mean).astype(float)
    asked = Factorisation(1, library=library()[:1], shift_sd=0.5)
    found = factorise(counts, ENERGY, asked)
    assert found.shift[0] == pytest.approx(0.5, abs=0.2)
    assert np.isfinite(found.strength[0])


def test_shifted_curves_are_level_beyond_their_ends():
    curve = edge(638.0)
    moved = shifted(curve, ENERGY, 2.0)
    assert moved.sum() == pytest.approx(1.0)
    assert ENERGY[np.argmax(moved)] == pytest.approx(640.0, abs=0.3)
    assert np.ptp(moved[:8]) == 0.0
