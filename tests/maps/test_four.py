"""The four maps of real curves, five seeds each: error, bias and cover.

The library is of another source than the truth and 13 degrees away from it; nothing of
the truth goes into its strength. The figures are bounds on what was measured, not a
proof of calibration: one pair of curves has one error that all seeds share.
"""

import functools

import numpy as np
import pytest

from specfit.maps import Factorisation
from specfit.maps.counting_components import how_many
from specfit.maps.factorising import factorise

GOAL = {"lo": 0.025, "hi": 0.012, "ov": 0.016, "amb": 0.015}
LIMIT = GOAL | {"hi": 0.0145}  # of any one seed
MISSED = {
    # what the goals ask for and is not reached, with the figure of five seeds
    ("ov", "cover"): "as of `amb`: covers .98",
    ("amb", "cover"): "one pair of curves is one draw of a library's error: covers .98",
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", list(LIMIT))
def test_a_map_of_real_curves(four, name, seed):
    made = four.simulated(name, seed)
    found = factorise(made.counts, made.energy, Factorisation(2, library=made.library))
    inside = made.inside
    error = (found.fraction[:, 0] - made.fraction)[inside]
    low, high = found.fraction_low[inside, 0], found.fraction_high[inside, 0]
    truth = made.fraction[inside]
    held = np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9))
    assert found.converged
    assert np.sqrt(np.mean(error**2)) <= LIMIT[name]
    assert abs(error.mean()) <= 0.01
    assert held >= 0.75
    assert np.isnan(found.fraction[~inside]).all()
    # whether the data alone decide: they do not where no pixel is pure
    if name in ("ov", "amb"):
        assert not found.feasible.decided
        assert found.feasible.open_by > 0.2


@functools.cache
def figures(four, name):
    """Error, bias and cover of five seeds, (3,) means."""
    rows = []
    for seed in range(5):
        made = four.simulated(name, seed)
        request = Factorisation(2, library=made.library)
        found = factorise(made.counts, made.energy, request)
        truth = made.fraction[made.inside]
        error = found.fraction[made.inside, 0] - truth
        low = found.fraction_low[made.inside, 0] - 1e-9
        high = found.fraction_high[made.inside, 0] + 1e-9
        held = np.mean((low <= truth) & (truth <= high))
        rows.append([np.sqrt(np.mean(error**2)), error.mean(), held])
    return np.mean(rows, axis=0)


def goals(of):
    return [
        pytest.param(
            name,
            marks=[pytest.mark.xfail(reason=MISSED[name, of], strict=False)]
            if (name, of) in MISSED
            else [],
        )
        for name in GOAL
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", goals("error"))
def test_the_goal_of_the_error(four, name):
    error, bias, _ = figures(four, name)
    assert error <= GOAL[name]
    assert abs(bias) <= 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", goals("cover"))
def test_the_goal_of_the_cover(four, name):
    assert 0.85 <= figures(four, name)[2] <= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIMIT))
def test_two_components_are_found_in_any_unit(four, name):
    made = four.simulated(name, 0)
    request = Factorisation(2, iterations=5)
    for up_to in range(2, 10):
        for unit in (1e-6, 1.0, 1e6):
            assert how_many(made.counts * unit, made.energy, request, up_to).best == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", list(LIMIT))
@pytest.mark.parametrize("known", [(), (1,)])
def test_fewer_curves_than_components(four, name, seed, known):
    """What no curve speaks of is left open, and the band says by how much."""
    made = four.simulated(name, seed)
    given = np.isin(np.arange(2), known)[:, None]
    library = np.where(given, made.library, np.nan) if known else None
    found = factorise(made.counts, made.energy, Factorisation(2, library=library))
    inside = made.inside
    apart = np.abs(found.spectra[:, None] - made.spectra[None]).sum(axis=2)
    k = 0 if known else int(np.argmin(apart[:, 0]))
    low, high = found.fraction_low[inside, k], found.fraction_high[inside, k]
    truth = made.fraction[inside]
    assert np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9)) >= 0.85
    assert np.mean(high - low) < 0.45
