"""When a bound at zero costs something."""

import numpy as np
import pytest
from scipy.stats import norm

from specfit.maps import edges


def drawn(n, pure, shift=0.0, seed=0):
    generator = np.random.default_rng(seed)
    weight = np.where(generator.random(n) < pure, 0.0, generator.exponential(10.0, n))
    return weight + shift + generator.normal(size=n)


def test_noise_about_zero_costs_nothing():
    rows = [edges.histogram(drawn(1000, 0.3, seed=seed)) for seed in range(60)]
    # 5 % of maps may cost anything: 13 or more of 60 come about once in 100 000
    assert np.count_nonzero(edges.cost(edges.gain(np.stack(rows)))) < 13


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_spectra_moved_outwards_cost_nothing(shift):
    seen = edges.histogram(drawn(2000, 0.3, shift))
    assert edges.cost(edges.gain(seen[None]))[0] == 0.0


def test_pixels_pressed_below_zero_cost_what_a_normal_law_says():
    """A spike at -d explained from zero loses d^2 / 2 for each of its pixels."""
    seen = edges.histogram(drawn(2000, 1.0, -0.5))
    found = edges.cost(edges.gain(seen[None], rounds=400))[0]
    assert found == pytest.approx(2000 * 0.5**2 / 2 - edges.CHANCE, rel=0.15)


def test_the_best_mixture_is_at_least_the_true_one():
    seen = edges.histogram(drawn(3000, 1.0))
    true = float(seen @ norm.logpdf(edges.BINS)) + 0.5 * np.log(2 * np.pi) * seen.sum()
    found = edges._best(seen[None], edges.CURVES, 400)[0]
    assert found >= true - 2.0
