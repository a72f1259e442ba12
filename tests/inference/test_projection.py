"""Variable projection: its gradient is that of its value, placed or not."""

import jax
import numpy as np
import pytest

from specfit.inference import search, slope
from specfit.inference.ascent import BLOCK, ascended, shared_of
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
    shared = slope.pattern(problem, z[None])
    local = jax.jit(lambda x: slope.local(problem, x, placed, shared, problem.data))
    _, gradient, curvature = (np.asarray(part) for part in local(z))
    step = 1e-6
    for i in range(len(z)):
        move = step * np.eye(len(z))[i]
        up, down = (float(local(z + s * move)[0]) for s in (1, -1))
        found = (up - down) / (2 * step)
        scale = 1.0 + np.abs(gradient).max()
        assert abs(found - gradient[i]) < 2e-5 * scale
    assert np.linalg.eigvalsh(curvature).min() > -1e-6 * curvature.max()


def test_one_derivative_serves_the_coordinates_of_unlike_curves(patterns_at):
    problem, positions = patterns_at
    shared = slope.pattern(problem, positions[:2])
    # shift, splitting and field of all patterns at once, and the width of all
    assert len(shared.seeds) == 4
    each = slope.Pattern(
        np.eye(14), np.arange(14), np.ones((4, 14)), np.zeros(14, int), np.arange(14)
    )
    for row in (0, 7):
        z, placed = positions[row], np.array([1.0, 1.0, 0.0])
        one, other = (
            slope.local(problem, z, placed, how, problem.data) for how in (shared, each)
        )
        for mine, theirs in zip(one, other, strict=True):
            scale = np.abs(theirs).max()
            assert np.allclose(mine, theirs, rtol=1e-9, atol=1e-9 * scale)


def test_an_ascent_does_not_depend_on_its_neighbours(patterns_at):
    problem, positions = patterns_at
    shared = shared_of(problem, slope.pattern(problem, positions[:2]))
    z = positions[: BLOCK + 3]
    placed = np.tile([1.0, 0.0, 0.0], (len(z), 1))
    start = ascended(shared, z, placed, 0)
    many = ascended(shared, z, placed, 5)
    alone = ascended(shared, z[-1:], placed[-1:], 5)
    assert np.array_equal(start.position, z)
    assert (many.value >= start.value).all()
    assert np.max(many.value - start.value) > 100.0
    for mine, theirs in zip(alone, many, strict=True):
        assert np.array_equal(mine[0], theirs[-1])
