"""How often the right set of phases is found: 60 simulated mixtures of 1 to 4 phases.

`mixtures.py` says what they are and which phases count as equal; both were fixed before
the first result.  Figures are printed: `python -m pytest -m slow -s tests/identify`.
"""

import time

import numpy as np
import pytest

from specfit.identify import identify, unknowns
from specfit.identify.mixture import fitted
from specfit.identify.ranking import score

from .mixtures import everything, mixture, same_answer

MIXTURES = 60


def outcome(number):
    """Place of the true set, alike and strictly; nats it is ahead; CPU seconds."""
    phases, _, spectrum, theta = mixture(np.random.default_rng([57, number]))
    considered = (*everything(), *unknowns())
    begin = time.process_time()
    found = identify(spectrum, considered)
    seconds = time.process_time() - begin
    true = frozenset(phase.name for phase in phases)
    alike = [same_answer(one.names, true) for one in found.sets[:3]]
    strict = [one.names == true for one in found.sets[:3]]
    best = fitted(spectrum, phases, theta)
    ahead = score(best, len(considered)) - found.scores[0]
    return place(alike), place(strict), ahead, seconds


def place(matches):
    return matches.index(True) if any(matches) else None


@pytest.mark.slow
def test_the_right_set_of_phases():
    found = [outcome(number) for number in range(MIXTURES)]
    for what, column in (("alike counted as equal", 0), ("strictly", 1)):
        first = sum(one[column] == 0 for one in found)
        three = sum(one[column] is not None for one in found)
        print(f"{what}: first {first}, in the first three {three} of {MIXTURES}")
    seconds = np.array([one[3] for one in found])
    missed = sum(one[2] > 3.0 for one in found)
    print(f"true set more than 3 nats ahead of the answer: {missed}")
    print(f"CPU seconds: median {np.median(seconds):.1f}, most {seconds.max():.1f}")
    assert sum(one[0] == 0 for one in found) >= FIRST
    assert sum(one[0] is not None for one in found) >= THREE


FIRST, THREE = 36, 42
"""Three standard deviations below what 29 of the mixtures gave (numbers 0 to 10, 20 to 28
and 40 to 48): 22 first, 25 in the first three, strictly 16 and 20; in one the true set was
more than 3 nats ahead of the answer, in the other misses the evidence preferred another.
"""
