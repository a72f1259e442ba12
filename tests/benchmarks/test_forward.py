"""The forward models against `exact`, which has no line in common with them."""

import numpy as np
import pytest

from tests.benchmarks import exact
from tests.benchmarks.forward import CASES, truth

SLOPES = (0.161241, 0.093355, 0.025468)
"""Of CODATA's nuclear magneton, mm/s/T."""


def test_its_hamiltonian_gives_the_lines_that_are_known():
    """20 T, eQVzz 4, η 0.4 at 50° and 30°; areas add up to four."""
    values = {"IS": 0, "eQVzz": 4, "eta": 0.4, "Bint": 20, "theta": 50, "phi": 30}
    position, amplitude = exact.transitions(exact.NEUTRAL | values, np.array(SLOPES))
    order = np.argsort(position)
    known = [-3.59956, -1.87858, -1.22310, -0.71659, 0.49788, 1.44181, 1.65987, 3.81827]
    area = [0.90747, 0.61676, 0.09253, 0.41707, 0.38324, 0.05870, 0.58293, 0.94130]
    found = (np.abs(amplitude) ** 2).sum(axis=1)
    np.testing.assert_allclose(position[order], known, atol=2e-5)
    np.testing.assert_allclose(found[order], area, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_text_of_the_language_gives_the_exact_spectrum(name):
    right = truth(CASES[name], SLOPES)
    assert np.abs(CASES[name].dip(SLOPES) - right).max() < 5e-5 * right.max()
