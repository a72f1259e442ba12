"""The stacked density against the slow interpreter, over random models."""

from __future__ import annotations

import density_interpreter as slow
import jax
import numpy as np
import pytest
from density_random import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specfit.density import build

FEW = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def _everything(problem):
    def parts(position, data):
        terms = problem.terms(position, data)
        curve = problem.predict(position, data)
        gradient = jax.grad(problem.logdensity)(position, data)["z"]
        density = problem.logdensity(position, data)
        return terms, curve, density, gradient

    return jax.jit(parts)


@FEW
@given(models(), st.integers(0, 2**31))
def test_density_equals_the_slow_interpreter(drawn, seed):
    model, measurements = drawn
    problem = build(model, measurements)
    data = problem.data
    draws = problem.sample_prior(jax.random.key(seed), 3, data)
    parts = _everything(problem)
    for i in range(3):
        values = {name: x[i] for name, x in draws.items()}
        known = slow.environment(model, measurements, values)
        position = problem.unconstrain(values, data)
        terms, curve, density, gradient = parts(position, data)
        assert np.isfinite(gradient).all()
        prior = sum(
            value
            for name, value in terms.items()
            if name.startswith(("prior of", "expect line"))
        )
        likelihood = terms_of(terms, "likelihood of")
        assert prior == pytest.approx(slow.log_prior(model, known), rel=1e-10)
        said = slow.log_likelihood(model, measurements, known)
        assert likelihood == pytest.approx(said, rel=1e-10)
        extra = terms["change of variables"] + terms["prior mass"]
        assert density == pytest.approx(float(prior + likelihood + extra), rel=1e-12)
        for row, counts in zip(
            curve, slow.expected(model, measurements, known), strict=True
        ):
            np.testing.assert_allclose(row[: len(counts)], counts, rtol=1e-11)


def terms_of(terms, start):
    return sum(value for name, value in terms.items() if name.startswith(start))
