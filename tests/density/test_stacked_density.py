"""The stacked density against the slow interpreter, over random models."""

from __future__ import annotations

import density_interpreter as slow
import jax
import numpy as np
import pytest
from density_models import QUICK
from density_random import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specfit.density import build


def some(n):
    return settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def _everything(problem, gradient):
    """Terms and curve, and the gradient where it is wanted, in one compilation."""

    def total(position, data):
        terms = problem.terms(position, data)
        density = sum(v for name, v in terms.items() if not name.startswith("N(v)"))
        return density, (terms, problem.predict(position, data))

    both = jax.value_and_grad(total, has_aux=True)
    without = lambda *given: (total(*given), {"z": 0.0})  # noqa: E731
    return jax.jit(both if gradient else without, compiler_options=QUICK)


@some(6)
@given(models(), st.integers(0, 2**31))
def test_density_equals_the_slow_interpreter(drawn, seed):
    compare(*drawn, seed, gradient=False)


@pytest.mark.slow
@some(100)
@given(models(), st.integers(0, 2**31))
def test_density_equals_the_slow_interpreter_on_many_models(drawn, seed):
    compare(*drawn, seed, gradient=True)


def compare(model, measurements, seed, gradient):
    problem = build(model, measurements)
    draws = problem.sample_prior(jax.random.key(seed), 3, problem.data)
    unconstrain = jax.jit(problem.unconstrain, compiler_options=QUICK)
    everything = _everything(problem, gradient)
    for i in range(3):
        values = {name: x[i] for name, x in draws.items()}
        known = slow.environment(model, measurements, values)
        position = unconstrain(values, problem.data)
        (_, (terms, curve)), slope = everything(position, problem.data)
        assert np.isfinite(slope["z"]).all()
        prior = _sum(terms, "prior of", "expect line")
        assert prior == pytest.approx(slow.log_prior(model, known), rel=1e-10)
        said = slow.log_likelihood(model, measurements, known)
        assert _sum(terms, "likelihood of") == pytest.approx(said, rel=1e-10)
        counts = slow.expected(model, measurements, known)
        for row, mean in zip(curve, counts, strict=True):
            np.testing.assert_allclose(row[: len(mean)], mean, rtol=1e-11)


def _sum(terms, *starts):
    return sum(float(v) for name, v in terms.items() if name.startswith(starts))
