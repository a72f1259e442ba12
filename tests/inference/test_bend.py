"""Curved ridges: evidence and draws by bent proposals, against what is known."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.inference import Settings, find, keys, laplace
from specfit.inference.bend import _certain, bend_of
from specfit.inference.laplace import (
    dispersed,
    evidence,
    gaussian,
    log_student,
    measured_evidence,
    relearned,
)
from specfit.inference.search import polish

NAMES = ("along", "across", "beside")
WIDTHS = np.array([1.0, 0.05, 0.02])


def ridge(z, data):
    """A normalised density: the last two are normal about a curve of the first."""
    bottom = jnp.stack(
        [0.0 * z[0], 0.2 * z[0] ** 2, 0.1 * z[0] ** 3 - 0.05 * z[0] ** 2]
    )
    heights = -0.5 * ((z - bottom) / WIDTHS) ** 2 - jnp.log(WIDTHS)
    return jnp.sum(heights) - 1.5 * jnp.log(2.0 * jnp.pi)


@pytest.fixture
def at_the_mode(toy):
    problem = toy.density_problem(NAMES, ridge)
    (peak,) = polish(problem, [np.array([0.3, 0.0, 0.0])])
    return problem, gaussian(peak)


def test_a_ridge_is_weighed_right_once_it_is_bent(at_the_mode):
    problem, straight = at_the_mode
    key = keys.seeded(1)
    assert evidence(problem, [straight], key).pareto_k > 0.7
    (bent,), found = measured_evidence(problem, [straight], key, None)
    assert bent.bend is not None
    assert found.pareto_k < 0.5
    assert abs(found.value) < 4.0 * found.sd < 0.2  # the density integrates to one


def test_of_very_many_unknowns_no_map_is_learned(at_the_mode, monkeypatch):
    problem, straight = at_the_mode
    bent = replace(straight, bend=bend_of(problem, straight.mean, straight.factor))
    learned = relearned(problem, bent, keys.seeded(1), None)
    assert learned.bend.learned is not None
    monkeypatch.setattr(laplace, "LEARNABLE", 2)
    assert relearned(problem, bent, keys.seeded(1), None) is bent


def test_draws_and_density_of_a_bent_proposal_belong_together(at_the_mode):
    problem, straight = at_the_mode
    (bent,), _ = measured_evidence(problem, [straight], keys.seeded(1), None)
    draws = dispersed(bent, keys.seeded(2), 20_000, 1.0)
    height = jax.vmap(lambda z: ridge(z, {}))(jnp.asarray(draws))
    weight = np.exp(np.asarray(height) - log_student(bent, draws))
    scatter = weight.std() / np.sqrt(len(weight))
    assert abs(weight.mean() - 1.0) < 4.0 * scatter < 0.1
    mean = np.average(draws[:, 1], weights=weight)
    assert abs(mean - 0.2) < 0.02  # E[0.2 z²]


def test_spherical_undoes_what_bends(at_the_mode):
    problem, shape = at_the_mode
    bend = bend_of(problem, shape.mean, shape.factor)
    v = 3.0 * np.random.default_rng(0).normal(size=(50, 3))
    away, _ = bend.away(v)
    assert np.ptp(away @ np.linalg.inv(bend.basis).T - v, axis=0)[1:].min() > 1.0
    np.testing.assert_allclose(bend.spherical(away)[0], v, atol=1e-9)


def test_a_valley_whose_curvature_is_lost_in_rounding_ends_there():
    assert _certain(np.diag([1.0, 1e-6]))
    for lost in ([1.0, 1e-300], [1e9, 1e-9], [1.0, 0.0], [1.0, -1.0], [np.nan, 1.0]):
        assert not _certain(np.diag(lost))


def test_laplace_draws_what_its_weights_have_judged(toy):
    problem = toy.density_problem(NAMES, ridge)
    asked = Settings(prior_draws=200, replicates=4, thinned=8, engine="laplace")
    fit = find(problem, asked)
    if all(passed for *_, passed in fit.gates):
        across = fit.draws["across"]
        assert abs(across.mean() - 0.2) < 0.05
        assert abs(across.std() - 0.2 * np.sqrt(2.0)) < 0.06
    else:
        assert {name for name, *_, passed in fit.gates if not passed} == {"pareto_k"}


def test_a_normal_posterior_is_left_straight(toy):
    problem = toy.density_problem(
        NAMES, lambda z, data: -0.5 * jnp.sum((z / WIDTHS) ** 2)
    )
    (peak,) = polish(problem, [np.zeros(3)])
    shapes, _ = measured_evidence(problem, [gaussian(peak)], keys.seeded(1), None)
    assert shapes[0].bend is None
