"""Whether pixels are pure is told by the library, in the open range of the data."""

import jax
import numpy as np
import pytest

from specfit.maps import Factorisation, fitting
from specfit.maps.factorising import linear
from specfit.maps.rotation import every_line
from specfit.maps.settling import settled
from specfit.maps.space import curves, space

ENERGY = np.linspace(0.0, 10.0, 60)


def lines(lowest, known=True, seed=1):
    """Lines of a map in which the second component is nowhere below `lowest`."""
    generator = np.random.default_rng(seed)
    rows = np.exp(-0.5 * ((ENERGY - np.array([[4.0], [6.0]])) / 0.9) ** 2) + 0.1
    spectra = rows / rows.sum(axis=1, keepdims=True)
    second = np.clip(generator.uniform(-0.3, 1.3, 800), 0.0, 1.0)
    second = lowest + (1.0 - lowest) * second
    mean = 3000.0 * np.stack([1.0 - second, second], axis=1) @ spectra
    counts = generator.poisson(mean).astype(float)
    factor = np.exp(0.1 * np.sin(ENERGY + np.array([[0.0], [2.0]])))
    request = Factorisation(2, library=spectra * factor)
    with jax.enable_x64(True):
        data = fitting.chunked(counts, 4096)
        state = space(counts, data, ENERGY, request, None)
        found = linear(counts, data, state)
    level = every_line(found, 2)[0, 1]
    curve = curves(request, ENERGY)[0] if known else None
    true = np.linalg.lstsq(state.s.T, spectra[0], rcond=None)[0]
    return level, settled(found, level, curve), true[1] / true.sum()


def test_a_pure_pixel_lies_at_the_end_of_what_is_allowed():
    level, one, true = lines(0.0)
    assert one.pure > 0.7
    assert one.best == pytest.approx(level.ends[1], abs=0.02)
    low, high = np.quantile(one.draws, [0.05, 0.95])
    assert low - 0.005 <= true <= high + 0.005


def test_a_component_that_is_everywhere_is_no_pure_one():
    level, one, true = lines(0.3)
    assert one.pure < 0.1
    assert level.ends[1] - true > 0.2
    low, high = np.quantile(one.draws, [0.05, 0.95])
    assert low <= true <= high


def test_without_a_curve_nothing_says_whether_pixels_are_pure():
    level, one, _ = lines(0.0, known=False)
    assert one.pure == 0.0
    low, high = level.ends
    assert one.best == pytest.approx(0.5 * (low + high), abs=0.1 * (high - low))


def test_places_rise():
    _, one, _ = lines(0.0)
    assert np.all(np.diff(one.draws) >= 0)
