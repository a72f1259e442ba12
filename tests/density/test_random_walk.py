"""Random walks over levels: the density, its coordinates, and what neighbours teach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from specfit import pipeline
from specfit.density.coordinates import coordinates
from specfit.density.walk import Walk
from specfit.model.levels_apart import apart
from specfit.model.support import plan

LEVELS, POINTS = 6, 4
SD = np.array([0.1, 0.1, 0.1, 5.0, 0.1, 0.1])
SPEC = f"""specfit 1
data d[stage = 1..{LEVELS}] : table {{
  file = "d_{{stage}}.txt"; x = column(1); y = column(2); e = column(3)
}}
model fit : curve on d {{
  STATEMENTS
  observe d.y ~ normal(a * d.x + b, d.e)
}}
"""
OPEN = """a0 ~ 2.0 ± 0.5
  t ~ halfnormal(0.3)
  a ~ random_walk(a0, t) per stage
  b ~ random_walk(0.5, 2 * t) in [-1, 2] per stage"""
KNOWN = "a ~ random_walk(2.0, 0.2) per stage\n  b = 0"


@pytest.fixture
def built(tmp_path):
    def make(statements):
        generator = np.random.default_rng(4)
        for k in range(LEVELS):
            x = np.linspace(1.0, 2.0, POINTS)
            y = 2.0 * x + SD[k] * generator.normal(size=POINTS)
            table = np.column_stack([x, y, np.full(POINTS, SD[k])])
            np.savetxt(tmp_path / f"d_{k + 1}.txt", table, fmt="%.6f")
        path = tmp_path / "m.spec"
        path.write_text(SPEC.replace("STATEMENTS", statements), encoding="utf-8")
        checked = pipeline.check_with_data(path)
        assert not checked.errors, checked.errors
        model = checked.require().models[0]
        measured = pipeline.measure(model, checked)
        return model, pipeline.build(model, measured)

    return make


def column(values, name):
    return np.array([float(values[f"{name}[{k + 1}]"]) for k in range(LEVELS)])


def log_prior(v):
    """The steps written out; of a step with bounds, over what these leave of it."""
    a0, t, a, b = float(v["a0"]), float(v["t"]), column(v, "a"), column(v, "b")
    total = stats.norm.logpdf(a0, 2.0, 0.5) + stats.halfnorm.logpdf(t, scale=0.3)
    before = a0
    for value in a:
        total += stats.norm.logpdf(value, before, t)
        before = value
    before = 0.5
    for value in b:
        step = stats.norm(before, 2.0 * t)
        total += step.logpdf(value) - np.log(step.cdf(2.0) - step.cdf(-1.0))
        before = value
    return total


def test_the_density_is_that_of_its_steps(built):
    model, problem = built(OPEN)
    assert apart(model) == {}
    names, data = problem.names, problem.data

    def chosen(z):
        found = problem.constrain({"z": z}, data)
        return jnp.stack([found[name] for name in names]), found

    both = jax.jit(jax.jacfwd(chosen, has_aux=True))
    prior = jax.jit(jax.value_and_grad(lambda z: problem.logprior({"z": z}, data)))
    back = jax.jit(lambda values: problem.unconstrain(values, data)["z"])
    for z in np.random.default_rng(1).normal(0.0, 0.7, (8, len(names))):
        jacobian, values = both(z)
        _, volume = np.linalg.slogdet(np.asarray(jacobian))
        found, slope = prior(z)
        assert float(found) == pytest.approx(log_prior(values) + volume, rel=1e-9)
        assert np.isfinite(np.asarray(slope)).all()
        assert np.asarray(back(values)) == pytest.approx(z, abs=1e-6)


def test_a_chain_of_any_length_is_one_step_of_the_coordinates(built):
    """Each written out by itself would take minutes to compile at sixteen levels."""
    model, _ = built(OPEN)
    walks = coordinates(model, plan(model)).standards
    assert [type(one) for one in walks] == [Walk, Walk]
    assert [len(one.names) for one in walks] == [LEVELS, LEVELS]


def test_a_stage_that_its_data_leave_open_is_known_by_its_neighbours(built):
    """The normal matrix of steps and data, written out; exact, for all is linear."""
    _, problem = built(KNOWN)
    weight = np.sum(np.linspace(1.0, 2.0, POINTS) ** 2) / SD**2
    difference = np.eye(LEVELS) - np.eye(LEVELS, k=-1)
    precision = difference.T @ difference / 0.2**2 + np.diag(weight)
    expected = np.sqrt(np.diag(np.linalg.inv(precision)))

    def values(z):
        found = problem.constrain({"z": z}, problem.data)
        return jnp.stack([found[f"a[{k + 1}]"] for k in range(LEVELS)])

    start = jnp.zeros(problem.dimension)
    bend = jax.hessian(lambda z: problem.logdensity({"z": z}, problem.data))(start)
    slope = np.asarray(jax.jacfwd(values)(start))
    sd = np.sqrt(np.diag(slope @ np.linalg.inv(-np.asarray(bend)) @ slope.T))
    assert sd == pytest.approx(expected, rel=1e-6)
    alone = 1.0 / np.sqrt(weight)
    assert sd[3] < 0.15 * alone[3]
    assert (sd <= alone).all()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("a ~ random_walk(2.0, 0.2)\n  b = 0", "walk-levels"),
        ("a ~ random_walk(2.0, 0) per stage\n  b = 0", "spread-not-positive"),
        ("a ~ random_walk(2.0) per stage\n  b = 0", "argument-count"),
        (KNOWN + '\n  expect a[1] ~ random_walk(1, 2) because "x"', "walk-levels"),
    ],
)
def test_what_is_no_walk_is_told(tmp_path, statement, code):
    path = tmp_path / "m.spec"
    path.write_text(SPEC.replace("STATEMENTS", statement), encoding="utf-8")
    assert code in {fault.code for fault in pipeline.check(path).errors}
