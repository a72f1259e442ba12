"""How often the right set of phases is found: 60 simulated mixtures of 1 to 4 phases.

Once of all phases, once of those whose elements are known, as a laboratory that has
weighed its sample in knows them.  `mixtures.py` says what they are and which phases count
as equal; both were fixed before the first result.  The probability that the program itself
gives its answers says what could be reached at all: the phases of the database overlap.
Figures are printed: `python -m pytest -m slow -s tests/identify`.
"""

import time

import numpy as np
import pytest

from specfit.identify import identify, unknowns
from specfit.identify.asked import candidates
from specfit.identify.mixture import fitted
from specfit.identify.ranking import score

from .mixtures import (
    TEMPERATURE,
    elements_of,
    everything,
    measured_there,
    mixture,
    of_known_elements,
    same_answer,
)

MIXTURES = 60


def outcome(number, elements_known):
    """What became of one mixture, by name."""
    pool = of_known_elements() if elements_known else measured_there()
    generator = np.random.default_rng([57, number])
    phases, _, spectrum, theta = mixture(generator, pool)
    phases_considered = (
        candidates(TEMPERATURE, (), elements_of(phases))
        if elements_known
        else everything()
    )
    considered = (*phases_considered, *unknowns())
    begin = time.process_time()
    found = identify(spectrum, considered)
    seconds = time.process_time() - begin
    true = frozenset(phase.name for phase in phases)
    best = fitted(spectrum, phases, theta)
    return {
        "alike": place(same_answer(one.names, true) for one in found.sets[:3]),
        "strictly": place(one.names == true for one in found.sets[:3]),
        "ahead": score(best, len(considered)) - found.scores[0],
        "expected": expected(found),
        "seconds": seconds,
        "considered": len(considered),
    }


def place(matches):
    """0 for the first that matches, None for none."""
    return next((number for number, match in enumerate(matches) if match), None)


def expected(found):
    """Probability, by the program's own word, that its first answer counts as right."""
    weights = np.exp(np.array(found.scores) - found.scores[0])
    first = found.sets[0].names
    alike = [same_answer(first, one.names) for one in found.sets]
    return float(weights[alike].sum() / weights.sum())


@pytest.mark.slow
@pytest.mark.parametrize("elements_known", [False, True], ids=["all", "elements known"])
def test_the_right_set_of_phases(elements_known):
    found = []
    for number in range(MIXTURES):
        found.append(outcome(number, elements_known))
        print(number, found[-1], flush=True)
    counts = {}
    for what in ("alike", "strictly"):
        first = sum(one[what] == 0 for one in found)
        three = sum(one[what] is not None for one in found)
        counts[what] = first, three
        print(f"{what}: first {first}, in the first three {three} of {MIXTURES}")
    print(f"first, by its own word: {sum(one['expected'] for one in found):.1f}")
    seconds = np.array([one["seconds"] for one in found])
    missed = sum(one["ahead"] > 3.0 for one in found)
    print(f"true set more than 3 nats ahead of the answer: {missed}")
    print(f"CPU seconds: median {np.median(seconds):.1f}, most {seconds.max():.1f}")
    first, three = LEAST[elements_known]
    assert counts["alike"] >= (first, three)


LEAST = {False: (36, 42), True: (36, 42)}
"""Three standard deviations below what was seen first and among the first three."""
