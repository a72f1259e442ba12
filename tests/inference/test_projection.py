"""Variable projection: its gradient is that of its value, placed or not."""

import jax
import numpy as np
import pytest

from specfit.inference import projection, search
from specfit.inference.settings import Settings


@pytest.fixture
def patterns_at(toy):
    problem = toy.sextets(toy.counts_of(2e4, 3), 2e4)
    positions = search.prior_sample(problem, jax.random.key(3), Settings())[1]
    return problem, positions


@pytest.mark.parametrize("placed", [(1, 0, 0), (1, 0, 1), (1, 1, 1)])
@pytest.mark.parametrize("row", [0, 5])
def test_gradient_by_differences(patterns_at, placed, row):
    problem, positions = patterns_at
    z, placed = positions[row], np.array(placed, dtype=float)
    _, gradient, curvature = projection.objective(problem, z, placed)
    step = 1e-6
    for i in range(len(z)):
        move = step * np.eye(len(z))[i]
        up, down = (
            projection.objective(problem, z + s * move, placed)[0] for s in (1, -1)
        )
        slope = (up - down) / (2 * step)
        scale = 1.0 + np.abs(gradient).max()
        assert abs(slope - gradient[i]) < 2e-5 * scale
    assert np.linalg.eigvalsh(curvature).min() > -1e-6 * curvature.max()
