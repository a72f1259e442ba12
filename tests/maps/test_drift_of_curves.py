"""The four maps of real curves with pixels that drift, against their goals."""

import numpy as np
import pytest

from specfit.maps import Factorisation
from specfit.maps.factorising import factorise

GOAL = {"lo": 0.050, "hi": 0.024, "ov": 0.032, "amb": 0.030}
OFFSETS = (0.0, 1.0, -1.0, 0.5, -0.5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", list(GOAL))
def test_maps_of_real_curves_that_drift(four, name, seed):
    """Drifts of 0.3 eV and offsets up to 1 eV cost at most twice the error without."""
    made = four.drifting(name, seed, offset=OFFSETS[seed])
    request = Factorisation(2, library=made.library, drift_sd=0.3, shift_sd=1.0)
    found = factorise(made.counts, made.energy, request)
    inside = made.inside
    truth = made.fraction[inside]
    error = found.fraction[inside, 0] - truth
    low, high = found.fraction_low[inside, 0], found.fraction_high[inside, 0]
    held = np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9))
    assert found.converged
    assert np.sqrt(np.mean(error**2)) <= GOAL[name]
    assert abs(error.mean()) <= 0.02
    assert held >= 0.7
    assert found.shift[0] == pytest.approx(OFFSETS[seed], abs=0.2)
    apart = (found.drift - made.drift)[inside]
    assert apart.std() < 0.06
