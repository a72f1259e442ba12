"""What is said of one spectrum or one mode does not depend on the others."""

from types import SimpleNamespace

import numpy as np

from specfit.inference import batch
from specfit.inference.ground import Ground


def test_a_crooked_density_is_seen_beside_a_far_better_one():
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(2, batch.FEW))
    alone = batch._crooked(rows, 3)
    beside = batch._crooked(rows + np.array([[500.0], [0.0]]), 3)
    np.testing.assert_allclose(beside, alone, rtol=1e-9)


def test_a_mode_that_was_passed_over_is_an_other_mode():
    peak = SimpleNamespace(decrement=0.0, stiffness=1.0)
    summits = [SimpleNamespace(peak=peak, weight=w) for w in (0.6, 0.395, 0.005)]
    ground = SimpleNamespace(summits=summits, best=summits[0])
    gates = {gate[0]: gate for gate in Ground.mode_gates(ground, {0, 2})}
    assert gates["other_modes"][1] == 0.395
    assert not gates["other_modes"][3]
