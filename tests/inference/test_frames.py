"""Frames whose factor is a vector: the same chains as with the diagonal matrix."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from specfit.inference import keys
from specfit.inference.kernel import Frame, begin
from specfit.inference.laplace import Gaussian
from specfit.inference.nuts import Plan, _positions, sample

SD = np.array([3.0, 0.02, 1.0])
AT = np.array([5.0, -1.0, 0.0])


def plan(windows, dense, apart):
    return Plan(windows, dense, apart, 400, 0.9, 1000, lambda share: None)


@pytest.fixture
def normal(toy):
    return toy.density_problem(
        ("a", "b", "c"), lambda z, data: -0.5 * jnp.sum(((z - AT) / SD) ** 2)
    )


def test_a_vector_places_a_chain_as_its_matrix_does(normal):
    z = AT + np.random.default_rng(1).normal(size=(4, 3)) * SD
    found = []
    for factor in (SD, np.diag(SD)):
        frame = Frame(jnp.asarray(AT), jnp.asarray(factor))
        chains = begin(normal, z, keys.stacked(keys.seeded(2), 4), frame)
        np.testing.assert_allclose(_positions(frame, chains.state.position), z)
        found.append(chains.state)
    np.testing.assert_allclose(found[0].position, found[1].position)
    np.testing.assert_allclose(found[0].logdensity_grad, found[1].logdensity_grad)
    np.testing.assert_allclose(found[0].logdensity_grad, -found[0].position)


def test_a_diagonal_shape_is_sampled_as_the_same_one_with_a_speck_beside_it(normal):
    """What is not quite diagonal keeps its matrix."""
    shape = Gaussian(AT, np.diag(SD), 0.0, 0)
    speck = np.diag(SD) + 1e-300 * np.tri(3, k=-1)
    chains = [
        sample(normal, one, keys.seeded(3), 2, plan((100,), False, False))
        for one in (shape, replace(shape, factor=speck))
    ]
    for one in chains:
        np.testing.assert_allclose(one.positions.std(axis=(0, 1)), SD, rtol=0.2)
    np.testing.assert_allclose(chains[0].positions[:, :3], chains[1].positions[:, :3])


def test_sds_are_learned_in_two_windows_of_unknowns_that_are_apart(normal):
    shape = Gaussian(AT, np.diag(SD), 0.0, 0)
    chains = sample(normal, shape, keys.seeded(4), 4, plan((300, 300), True, True))
    np.testing.assert_allclose(chains.positions.std(axis=(0, 1)), SD, rtol=0.15)
    assert chains.statistics["step_size"][:, -1].min() > 0.3  # of a unit sphere


@pytest.mark.parametrize("count", [1, 3])
def test_a_diagonal_shape_may_be_adapted_in_windows(toy, count):
    """As a second attempt does; one unknown has no other shape."""
    names = ("a", "b", "c")[:count]
    problem = toy.density_problem(names, lambda z, data: -0.5 * jnp.sum(z**2))
    shape = Gaussian(np.zeros(count), 2.0 * np.eye(count), 0.0, 0)
    chains = sample(problem, shape, keys.seeded(5), 4, plan((200, 200), True, False))
    np.testing.assert_allclose(chains.positions.std(axis=(0, 1)), 1.0, rtol=0.15)
