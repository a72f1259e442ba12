"""Positions ↔ values: round trips, log Jacobians, and what no rule may break."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from density_models import (
    QUICK,
    definition,
    dist,
    expect,
    magnetite_iron,
    make_model,
    measurement,
    parameter,
    require,
    site,
)

from specfit.density import build
from specfit.model.expressions import evaluate
from specfit.model.support import plan

CASES = {
    "none": [],
    "ordered chain": [
        require(("and", ("<", "Fe.Bint", "B.Bint"), ("<", "B.Bint", "A.Bint")))
    ],
    "tie": [require(("==", "A.IS", ("-", "B.IS", 0.3)))],
    "product tie": [require(("==", "A.QS", ("*", "B.IS", "B.QS")))],
    "interval": [require(("within", "B.IS", 0.5, 0.8)), require((">", "B.Bint", 20.0))],
    "share of a joint": [require((">", "A.I", ("*", 0.5, "B.I")))],
    "ratio of a joint": [require(("within", ("/", "B.I", "A.I"), 1.5, 2.05))],
    "tie in a joint": [require(("==", "B.I", ("*", 2.0, "A.I")))],
    "sum": [require(("==", ("+", ("+", "B.QS", "A.QS"), "Fe.QS"), 0.0))],
    "two sided": [
        require((">", "A.Bint", ("+", "B.Bint", 2.0))),
        require(("<", "A.Bint", ("+", ("*", 2.0, "Fe.Bint"), 5.0))),
        require((">", ("+", "A.IS", "B.IS"), 0.4)),
    ],
    "nonlinear bound": [require(("<", "B.QS", ("exp", "A.QS")))],
    "barrier": [require(("<", ("*", "A.IS", "B.IS"), 0.3))],
    "already true": [require(("==", ("sum", "A.I", "B.I", "Fe.I"), 1.0))],
    "expect": [expect(("/", "B.I", "A.I"), dist("normal", 1.88, 0.3))],
}
STRATEGIES = {
    "ordered chain": "ordered",
    "tie": "tie",
    "product tie": "tie",
    "interval": "interval",
    "share of a joint": "bound",
    "ratio of a joint": "bound",
    "tie in a joint": "tie",
    "sum": "fixed sum",
    "two sided": "bound",
    "nonlinear bound": "bound",
    "barrier": "barrier",
    "already true": "already true",
}


N_DRAWS, N_WILD = 20, 40


@lru_cache
def mapped(case):
    """A problem, draws of its prior, wild positions, and what the map says of them."""
    model = magnetite_iron(rules=CASES[case])
    problem = build(model, [measurement(n_channels=8)])
    data, free = problem.data, problem.names

    def one(z):
        def chosen(z):
            found = problem.constrain({"z": z}, data)
            return jnp.stack([found[name] for name in free]), found

        def prior(z):
            terms = problem.terms({"z": z}, data)
            return problem.logprior({"z": z}, data), terms["change of variables"]

        jacobian, values = jax.jacfwd(chosen, has_aux=True)(z)
        (value, log_jacobian), slope = jax.value_and_grad(prior, has_aux=True)(z)
        back = problem.unconstrain(values, data)["z"]
        return values, jacobian, value, slope, log_jacobian, back

    draws = problem.sample_prior(jax.random.key(3), N_DRAWS, data)
    unconstrain = jax.vmap(lambda v: problem.unconstrain(v, data)["z"])
    positions = jax.jit(unconstrain, compiler_options=QUICK)(draws)
    wild = np.random.default_rng(5).normal(0.0, 4.0, (N_WILD, problem.dimension))
    z = jnp.concatenate([positions, wild])
    return model, draws, z, jax.jit(jax.vmap(one), compiler_options=QUICK)(z)


@pytest.mark.parametrize("case", CASES)
def test_positions_and_values_correspond(case):
    _, draws, z, (values, *_, back) = mapped(case)
    assert set(values) == set(draws)
    for name, x in draws.items():
        np.testing.assert_allclose(values[name][:N_DRAWS], x, rtol=1e-12, atol=1e-12)
    near = np.abs(z).max(axis=1) < 8.0
    np.testing.assert_allclose(back[near], z[near], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_log_jacobian_is_that_of_the_map(case):
    _, _, _, (_, jacobian, _, _, log_jacobian, _) = mapped(case)
    sign, log_determinant = np.linalg.slogdet(jacobian)
    assert (sign != 0.0).all()
    np.testing.assert_allclose(log_jacobian, log_determinant, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_every_position_obeys_the_rules(case):
    model, _, _, (values, _, prior, slope, *_) = mapped(case)
    assert np.isfinite(prior).all()
    assert np.isfinite(slope).all()
    for rule in model.rules:
        if rule.kind == "require":
            holds = evaluate(rule.expression, values, np)
            assert holds[: N_DRAWS if case == "barrier" else None].all()


@pytest.mark.parametrize("case", STRATEGIES)
def test_the_dearest_strategy_is_named(case):
    named = plan(magnetite_iron(rules=CASES[case])).strategies
    assert STRATEGIES[case] in named.values()


def test_a_barrier_is_flat_inside_and_falls_smoothly_outside():
    model = magnetite_iron(rules=CASES["barrier"])
    problem = build(model, [measurement(n_channels=8)])
    data = problem.data
    centre = {
        name: x[0]
        for name, x in problem.sample_prior(jax.random.key(0), 1, data).items()
    }

    def term(b):
        position = problem.unconstrain({**centre, "A.IS": 0.6, "B.IS": b}, data)
        return problem.terms(position, data)["barrier of require line 1"]

    both = jax.jit(jax.vmap(jax.value_and_grad(term)), compiler_options=QUICK)
    (inside, just, far), slopes = both(jnp.array([0.49, 0.502, 0.6]))
    assert inside == 0.0
    assert far < just < 0.0
    assert slopes[0] == 0.0
    assert slopes[2] < slopes[1] < 0.0
    assert np.isfinite(slopes).all()


def test_fractions_that_nobody_drew_stay_physical():
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("A.IS", dist("normal", 0.3, 0.1)),
        parameter("B.IS", dist("normal", 1.1, 0.1)),
        parameter("C.IS", dist("normal", -0.1, 0.1)),
        parameter("A.I", dist("uniform", 0.0, 1.0)),
        parameter("B.I", dist("uniform", 0.0, 1.0)),
        parameter("w", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
    ]
    rest = definition("C.I", ("-", ("-", 1.0, "A.I"), "B.I"))
    sites = [site(name, "singlet", width="w") for name in "ABC"]
    problem = build(make_model(sites, parameters, [rest]), [measurement(n_channels=8)])
    z = np.random.default_rng(1).normal(0.0, 6.0, (500, problem.dimension))
    constrain = jax.vmap(lambda z: problem.constrain({"z": z}, problem.data))
    values = jax.jit(constrain, compiler_options=QUICK)(z)
    assert (values["C.I"] >= 0.0).all()
    flat = problem.sample_prior(jax.random.key(0), 4000, problem.data)
    assert np.mean(flat["C.I"]) == pytest.approx(1.0 / 3.0, abs=0.02)
    # Half of the unit square is left: the density of what is left doubles.
    assert float(problem.data["log_prior_mass"]) == pytest.approx(np.log(0.5), abs=0.05)
