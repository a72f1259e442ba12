"""Unknowns whose prior rests on others: the density is theirs, the coordinates easy."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from density_models import (
    QUICK,
    definition,
    dist,
    make_model,
    measurement,
    parameter,
    site,
)
from scipy import stats

from specfit.density import build

UNKNOWNS = ("mean", "spread", "A.IS", "B.IS", "C.IS", "A.width", "B.width", "D.IS")


@pytest.fixture(scope="module")
def problem():
    """Means and spreads that are inferred: free values, cut ones, nested and positive."""
    parameters = [
        parameter("N0", dist("normal", 10.0, 0.2)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("mean", dist("normal", 0.3, 0.1, low=0.05)),
        parameter("spread", dist("halfnormal", 0.1, low=0.0)),
        parameter("A.IS", dist("normal", "middle", "spread")),
        parameter("B.IS", dist("normal", "middle", "spread", low=0.2, high=0.7)),
        parameter("C.IS", dist("student_t", 4.0, "A.IS", ("*", 2.0, "spread"))),
        parameter("D.IS", dist("normal", "mean", "spread", high=0.5)),
        parameter("A.width", dist("lognormal", ("log", "mean"), "spread", low=0.0)),
        parameter("B.width", dist("exponential", "mean", low=0.0, high=1.0)),
    ]
    middle = definition("middle", ("+", "mean", 0.1))
    fixed = [definition(f"{name}.width", 0.3) for name in "CD"]
    fixed += [definition(f"{name}.I", 0.25) for name in "ABCD"]
    sites = [site(name, "singlet") for name in "ABCD"]
    model = make_model(sites, parameters, [middle, *fixed])
    with jax.enable_x64(True):
        yield build(model, [measurement(np.full(8, 10.0), 8)])


def log_prior(v):
    """Each density written out, cut ones divided by what is left of them."""
    m, t = v["mean"], v["spread"]
    total = stats.norm.logpdf(v["N0"], 10.0, 0.2) + stats.uniform.logpdf(
        v["area"], 0.001, 4.999
    )
    total += stats.norm.logpdf(m, 0.3, 0.1) + stats.halfnorm.logpdf(t, 0.0, 0.1)
    total += stats.norm.logpdf(v["A.IS"], m + 0.1, t)
    whole = stats.norm(m + 0.1, t)
    total += whole.logpdf(v["B.IS"]) - np.log(whole.cdf(0.7) - whole.cdf(0.2))
    total += stats.t.logpdf(v["C.IS"], 4.0, v["A.IS"], 2.0 * t)
    total += stats.norm.logpdf(v["D.IS"], m, t) - stats.norm.logcdf(0.5, m, t)
    total += stats.lognorm.logpdf(v["A.width"], t, scale=m)
    total += stats.expon.logpdf(v["B.width"], scale=m)
    return total - stats.expon.logcdf(1.0, scale=m)


RANDOM, STEP, FAR = 40, 1e-3, ("A.IS", "B.IS")
SPREADS = (1e-4, 0.02)
CURVED = ("A.IS", "B.IS", "C.IS")


@pytest.fixture(scope="module")
def mapped(problem):
    """All positions that are looked at, in one go: what the map says of each."""
    index = {name: i for i, name in enumerate(problem.names)}
    data = problem.data

    def one(z):
        def chosen(z):
            found = problem.constrain({"z": z}, data)
            return jnp.stack([found[name] for name in index]), found

        jacobian, values = jax.jacfwd(chosen, has_aux=True)(z)
        back = problem.unconstrain(values, data)["z"]
        return values, jacobian, problem.logprior({"z": z}, data), back

    z = np.random.default_rng(3).normal(0.0, 1.5, (RANDOM, problem.dimension))
    z[:, index["mean"]] = np.log(0.25) + 0.2 * z[:, index["mean"]]
    z[:, index["spread"]] = np.log(0.1) + 0.2 * z[:, index["spread"]]
    rows = [z]
    for spread in SPREADS:
        still = np.zeros(problem.dimension)
        still[[index["mean"], index["spread"]]] = np.log(0.25), np.log(spread)
        rows.append(still[None])
        rows += [
            still + STEP * s * np.eye(len(z.T))[[index[n]]]
            for n in CURVED
            for s in (-1, 1)
        ]
    far = np.zeros(problem.dimension)
    far[[index["mean"], index["spread"]]] = np.log(0.25), np.log(1e-3)
    far[[index[name] for name in FAR]] = 1.7
    z = np.concatenate([*rows, far[None]])
    return z, jax.jit(jax.vmap(one), compiler_options=QUICK)(z)


def test_the_density_is_that_of_the_values(problem, mapped):
    z, (values, jacobian, prior, back) = mapped
    assert set(UNKNOWNS) <= set(problem.names)
    np.testing.assert_allclose(back, z, rtol=1e-6, atol=1e-6)
    sign, log_determinant = np.linalg.slogdet(jacobian)
    assert (sign != 0).all()
    expected = [
        log_prior({k: float(v[i]) for k, v in values.items()}) + log_determinant[i]
        for i in range(RANDOM)
    ]
    offset = np.asarray(prior)[:RANDOM] - np.array(expected)
    np.testing.assert_allclose(offset, offset[0], rtol=0, atol=1e-7)
    assert (values["B.IS"] > 0.2).all()
    assert (values["B.IS"] < 0.7).all()
    assert (values["D.IS"] < 0.5).all()


def test_a_small_spread_narrows_no_coordinate(mapped):
    """The neck of a funnel: the density of a value is as wide in z as elsewhere."""
    prior = np.asarray(mapped[1][2])[RANDOM:-1].reshape(len(SPREADS), -1)
    middle, sides = prior[:, :1], prior[:, 1:].reshape(len(SPREADS), len(CURVED), 2)
    curvature = (sides.sum(axis=2) - 2.0 * middle) / STEP**2
    widths = 1.0 / np.sqrt(-curvature)
    np.testing.assert_allclose(widths[0], widths[1], rtol=0.05)
    # normal ones as wide as the unit; A carries C, of Student's law, along with it
    np.testing.assert_allclose(widths[:, 1], 1.0, rtol=0.05)


def test_far_from_its_bounds_a_value_is_mean_plus_spreads(mapped):
    values = {name: float(each[-1]) for name, each in mapped[1][0].items()}
    assert values["spread"] == pytest.approx(1e-3)
    expected = values["mean"] + 0.1 + 1.7e-3
    assert [values[name] for name in FAR] == pytest.approx([expected] * 2, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("counts", "by_themselves"), [(1e6, True), (10.0, False)])
def test_values_that_the_data_fix_are_drawn_by_themselves(counts, by_themselves):
    """Both coordinates have one density; which is used follows from the counts."""
    parameters = [
        parameter("N0", dist("normal", counts, 0.01 * counts)),
        parameter("area", dist("normal", 0.3, 0.05, low=0.1)),
        parameter("mean", dist("normal", 0.3, 0.1)),
        parameter("spread", dist("halfnormal", 0.02, low=0.0)),
        parameter("A.IS", dist("normal", "mean", "spread")),
    ]
    fixed = [definition("A.I", 1.0), definition("A.width", 0.3)]
    model = make_model([site("A", "singlet")], parameters, fixed)
    axis = np.linspace(-4.0, 4.0, 64)
    dip = 0.3 * 0.15 / np.pi / ((axis - 0.3) ** 2 + 0.15**2)
    seen = replace(measurement(n_channels=64), axis=axis, values=counts * (1.0 - dip))
    problem = build(model, [seen])
    z = np.zeros(problem.dimension)
    index = {name: i for i, name in enumerate(problem.names)}
    z[index["A.IS"]], z[index["spread"]] = 1.0, np.log(0.01)
    found = problem.constrain({"z": jnp.asarray(z)}, problem.data)
    moved = float(found["A.IS"] - found["mean"])
    if by_themselves:
        assert float(found["A.IS"]) == pytest.approx(1.0)
    else:
        assert moved == pytest.approx(0.01, rel=0.05)
