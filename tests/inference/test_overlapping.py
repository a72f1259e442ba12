"""Many alike patterns that overlap: where a search once stopped below the truth."""

import jax
import pytest

from specfit import pipeline
from specfit.inference.search import polish, search
from specfit.inference.settings import Settings


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 8])
def test_six_sextets_two_tesla_apart_are_found_in_few_counts(seed):
    """Noise 8: four wide sextets held each other, 68 nats below; noise 5: 2.5 below."""
    from tests.benchmarks import cases

    truth = cases.SIX.truth(cases.NOISY)
    with pipeline.float64():
        problem = cases.build(cases.SIX, cases.NOISY)
        one = cases.simulated(problem, truth, seed)
        found = search(one, jax.random.key(seed), Settings()).peaks[0]
        true = polish(one, [cases.position(problem, truth)])
    assert found.log_density >= max(peak.log_density for peak in true) - 0.01
