"""Sums over parts of the image: chance is told from what a model lacks."""

import jax
import numpy as np
import pytest

from specfit.mapped import MapResult
from specfit.maps import Factorisation
from specfit.maps.counting_components import Numbered
from specfit.maps.factorising import factorise
from specfit.rules.map_sums import sums

ENERGY = np.linspace(600.0, 660.0, 120)
WINDOW = (600.0, 630.0)


def edge(place, width=1.5):
    two = 1.0 / (1.0 + ((ENERGY - place) / width) ** 2)
    two[ENERGY < 632.0] = 0.0
    return two / two.sum()


def seen(dose, seed, third=0.0, side=24):
    """Counts of two phases on a power law, and of a third that the model does not know."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].reshape(2, -1) / side
    share = np.stack([0.2 + 0.6 * x, 0.8 - 0.6 * x, third * (y > 0.6)], axis=1)
    law = (ENERGY / 600.0) ** -3.0
    behind = generator.uniform(0.5, 1.5, (side**2, 1)) * law / law.sum()
    rows = np.stack([edge(640.0), edge(643.0), edge(652.0)])
    return generator.poisson(dose * (share @ rows + behind)).astype(float), rows


def told(dose, seed, third=0.0, inside=None):
    counts, rows = seen(dose, seed, third)
    asked = Factorisation(
        2, library=rows[:2], background=(2.7, 3.3), alone=WINDOW, grid=(24, 24)
    )
    found = factorise(counts, ENERGY, asked)
    one = Numbered(np.arange(1, 3), np.zeros(2), 2, 2)
    total, each = counts.sum(axis=0), counts.sum(axis=1)
    result = MapResult(
        found, np.arange(2), (1, 2), ENERGY, {}, total, each, one, (24, 24)
    )
    channels = np.ones(120, bool) if inside is None else inside
    return sums(channels, True, result)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("dose", [20.0, 2000.0])
@pytest.mark.parametrize("window", [False, True])
def test_a_right_model_leaves_what_chance_brings(dose, window):
    inside = (ENERGY <= 630.0) if window else None
    z = []
    for seed in range(8):
        found = told(dose, seed, inside=inside)
        z.append((found.chi2 / found.free - 1.0) * np.sqrt(found.free / 2.0))
    assert abs(np.mean(z)) < 1.3
    assert np.abs(z).max() < 5.0


@pytest.mark.parametrize(("dose", "third"), [(20.0, 0.5), (2000.0, 0.1)])
def test_a_phase_that_is_missing_is_seen(dose, third):
    found = told(dose, 0, third)
    assert found.chi2 / found.free > 1.0 + 4.0 * np.sqrt(2.0 / found.free)
    assert found.share > 0.005
