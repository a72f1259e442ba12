"""The samplers of a curved mode: its density where it is straight, draws, interruptions."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.inference import Settings, evaluate, find, keys, laplace, proposing
from specfit.inference.journal import Journal
from specfit.inference.laplace import gaussian, measured_evidence
from specfit.inference.nuts import Plan, starts
from specfit.inference.search import polish
from specfit.inference.straight import sampled, spherical, straightened
from specfit.inference.transport import learned

from .test_bend import NAMES, WIDTHS, ridge


@pytest.fixture
def bent(toy):
    """A problem whose mode is bent, and the shape there with a map that is learned."""
    problem = toy.density_problem(NAMES, ridge)
    (peak,) = polish(problem, [np.array([0.3, 0.0, 0.0])])
    (shape,), _ = measured_evidence(problem, [gaussian(peak)], keys.seeded(1), None)
    u = np.random.default_rng(3).normal(size=(3000, 3))
    u[:, 2] = 0.7 * u[:, 2] + 0.2 * u[:, 0] * u[:, 1]
    bend = replace(shape.bend, learned=learned(u, np.zeros(3000)))
    return problem, replace(shape, bend=bend)


def test_the_density_is_that_of_the_problem_times_the_volume(bent):
    problem, shape = bent
    straight = straightened(problem, shape, shape.bend)
    v = 1.5 * np.random.default_rng(4).normal(size=(40, 3))
    away, volume = shape.bend.away(v)
    known = evaluate.log_densities(problem, shape.mean + away) + volume
    np.testing.assert_allclose(evaluate.log_densities(straight, v), known, atol=1e-9)

    def place(row):
        return shape.bend.away(row[None])[0][0]

    for row, told in zip(v[:5], volume[:5], strict=True):
        steps = 1e-5 * np.eye(3)
        slopes = [(place(row + s) - place(row - s)) / 2e-5 for s in steps]
        whole = told + np.linalg.slogdet(shape.bend.basis)[1]
        assert np.linalg.slogdet(np.array(slopes))[1] == pytest.approx(whole, abs=1e-5)


def test_chains_in_straight_coordinates_have_the_moments(bent):
    problem, shape = bent
    plan = Plan((150,), False, False, 500, 0.8, 250, lambda share: None)
    chains = sampled(problem, shape, keys.seeded(5), 4, plan)
    assert not chains.statistics["diverging"].any()
    z = chains.positions.reshape(-1, 3)
    height = jax.vmap(lambda row: ridge(row, {}))(jnp.asarray(z))
    np.testing.assert_allclose(chains.statistics["lp"].ravel(), height, atol=1e-9)
    assert abs(z[:, 0].mean()) < 0.12
    assert z[:, 0].std() == pytest.approx(1.0, abs=0.1)
    assert z[:, 1].mean() == pytest.approx(0.2, abs=0.04)  # E[0.2 z²]
    across = z[:, 1] - 0.2 * z[:, 0] ** 2
    assert across.std() == pytest.approx(WIDTHS[1], rel=0.1)


def test_starts_stay_in_the_valley(bent):
    problem, shape = bent
    z = starts(problem, shape, keys.seeded(6), 16)
    near = np.abs(z[:, 0]) < 3.0
    off = (z[near, 1] - 0.2 * z[near, 0] ** 2) / WIDTHS[1]
    assert near.any()
    assert np.abs(off).max() < 20.0
    assert spherical(shape).factor.shape == (3, 3)


def test_what_chose_a_shape_is_not_what_judges_it(toy, monkeypatch):
    """The evidence comes from draws of its own, whichever round had the best weights."""
    problem = toy.density_problem(NAMES, ridge)
    (peak,) = polish(problem, [np.array([0.3, 0.0, 0.0])])
    seen, drawn = [], laplace._drawn

    def noted(*arguments):
        seen.append(drawn(*arguments))
        return seen[-1]

    monkeypatch.setattr(laplace, "_drawn", noted)
    shapes, found = measured_evidence(problem, [gaussian(peak)], keys.seeded(1), None)
    assert shapes[0].bend is not None
    assert found.value == laplace._summed(seen[-1]).value
    assert all(
        not np.array_equal(seen[-1].positions, one.positions) for one in seen[:-1]
    )


def test_draws_are_kept_when_learning_anew_is_interrupted(toy, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(proposing, "TAIL", frozenset({"rhat", "pareto_k"}))
    monkeypatch.setattr(proposing, "failed", lambda gates: ["pareto_k"])
    monkeypatch.setattr(proposing, "relearned", interrupted)
    asked = Settings(prior_draws=200, replicates=4, thinned=8, draws=500)
    fit = find(toy.density_problem(NAMES, ridge), asked, None, Journal())
    assert fit.settings["sampler"] == "independence"
    assert "interrupted" in {name for name, *_, passed in fit.gates if not passed}
    assert fit.draws["along"].shape[1] == 500
