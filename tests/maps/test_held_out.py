"""The number of components against what half of the counts foretell of the other half.

Thinned Poisson counts are two independent maps of the same expectation: what is noise in
one foretells nothing of the other. It costs a factorisation for each number, so the
criterion stands in its place; here the two are held against each other.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from specfit.maps import Factorisation
from specfit.maps.counting_components import how_many
from specfit.maps.factorising import factorise

ENERGY = np.linspace(0.0, 10.0, 40)


def counts(k, dose, pixels=600, seed=1):
    generator = np.random.default_rng(seed)
    places = np.linspace(3.0, 7.0, k)
    rows = np.exp(-0.5 * ((ENERGY[None] - places[:, None]) / 0.9) ** 2)
    rows = rows / rows.sum(axis=1, keepdims=True)
    shares = generator.dirichlet(np.full(k, 0.4), pixels)
    return generator.poisson(dose * shares @ rows)


def foretold(x, energy, up_to, seed=0):
    """Log-likelihood of the other half, (up_to,), for K = 1 …"""
    half = np.random.default_rng(seed).binomial(x.astype(int), 0.5).astype(float)
    other, found = x - half, []
    for k in range(1, up_to + 1):
        one = factorise(half, energy, Factorisation(k, iterations=600))
        mean = np.maximum(one.maps @ one.spectra, 1e-3 / energy.size)
        found.append(np.sum(other * np.log(mean) - mean))
    return np.array(found)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("dose", [300.0, 3000.0])
def test_the_criterion_agrees_with_what_is_foretold(k, dose):
    x = counts(k, dose)
    best = how_many(x, ENERGY, Factorisation(k, iterations=5), 4).best
    assert best == 1 + np.argmax(foretold(x, ENERGY, 4)) == k


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lo", "hi", "ov", "amb"])
def test_the_same_of_maps_of_real_curves(name):
    path = Path(__file__).with_name("four.py")
    found = importlib.util.spec_from_file_location("four_maps", path)
    four = importlib.util.module_from_spec(found)
    sys.modules["four_maps"] = four
    found.loader.exec_module(four)
    made = four.simulated(name, 1)
    best = how_many(made.counts, made.energy, Factorisation(2, iterations=5), 4).best
    assert best == 1 + np.argmax(foretold(made.counts, made.energy, 4)) == 2
