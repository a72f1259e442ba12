"""Intervals between 0 and 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import truncnorm

from specfit.maps import intervals


@given(st.floats(-0.5, 1.5), st.floats(0.02, 0.6))
def test_the_shortest_interval_holds_ninety_percent(mean, sd):
    low, high = intervals.shortest(np.array([mean]), np.array([sd]))
    law = truncnorm(-mean / sd, (1 - mean) / sd, loc=mean, scale=sd)
    if abs(mean - np.clip(mean, 0, 1)) < 5 * sd:
        assert law.cdf(high[0]) - law.cdf(low[0]) == pytest.approx(0.9, abs=1e-3)
        starts = np.linspace(0.0, 0.099, 100)
        lengths = law.ppf(starts + 0.9) - law.ppf(starts)
        assert high[0] - low[0] <= lengths.min() + 2e-3


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_truth_is_held_at_the_ends_too(truth):
    seen = truth + 0.05 * np.random.default_rng(1).normal(size=20_000)
    low, high = intervals.shortest(seen, np.full(seen.size, 0.05))
    held = np.mean((low <= truth) & (truth <= high))
    assert 0.89 < held < 0.93


def test_counting_is_the_spread_of_many_pixels():
    """Fisher's bound against the spread of fractions of simulated Poisson pixels."""
    generator = np.random.default_rng(2)
    s = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    c = np.array([600.0, 400.0])
    information = (s / (c @ s)) @ s.T
    found = intervals.counting(c[None], information[None])[0, 0]
    x = generator.poisson(c @ s, (20_000, 3))
    free = np.linalg.solve(information, ((x / (c @ s)) @ s.T).T).T
    assert intervals.share(free)[:, 0].std() == pytest.approx(found, rel=0.03)
