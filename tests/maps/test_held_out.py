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


def rare(shares, dose, pixels=4096, channels=256, floor=1e-3):
    """Pixels of one phase each, whose lines stand apart, and their energies."""
    generator = np.random.default_rng(0)
    energy = np.linspace(0.0, 10.0, channels)
    places = np.array([3.0, 7.0, 8.5])[: len(shares), None]
    rows = np.exp(-0.5 * ((energy[None] - places) / 0.9) ** 2) + floor
    rows = rows / rows.sum(axis=1, keepdims=True)
    which = generator.choice(len(shares), pixels, p=shares)
    return generator.poisson(dose * rows[which]).astype(float), energy


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("share", [0.5, 0.2, 0.1, 0.05, 0.02])
def test_a_rare_phase_with_channels_of_its_own_is_one(share, unit):
    """Its noise is that of few pixels and larger than all other noise."""
    x, energy = rare((1.0 - share, share), 3000.0)
    found = how_many(unit * x, energy, Factorisation(2, iterations=5), 6)
    assert found.best == 2
    assert found.noise == pytest.approx(unit, rel=0.05)


@pytest.mark.parametrize("few", [3, 10, 40])
def test_so_is_one_of_a_few_pixels(few):
    x, energy = rare((1.0,), 20000.0, pixels=8192)
    others, _ = rare((0.0, 1.0), 20000.0, pixels=few)
    x[1000 : 1000 + few] = others
    assert how_many(x, energy, Factorisation(2, iterations=5), 6).best == 2


@pytest.mark.parametrize("shares", [(0.9, 0.05, 0.05), (0.97, 0.02, 0.01)])
def test_two_rare_ones_are_two(shares):
    x, energy = rare(shares, 3000.0)
    assert how_many(x, energy, Factorisation(3, iterations=5), 6).best == 3


def test_channels_that_are_seldom_hit_are_no_component():
    x, energy = rare((1.0,), 30.0, pixels=600)
    assert how_many(x, energy, Factorisation(1, iterations=5), 5).best == 1
