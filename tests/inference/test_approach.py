"""Steps with the curvature of another spectrum never end below where they began."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from specfit.inference.levenberg import approach


@pytest.mark.parametrize(("start", "spread"), [(0.3, 100.0), (1.0, 30.0), (3.0, 9.0)])
def test_a_first_step_that_is_too_long_is_not_taken(start, spread):
    def heavy(position, data):
        return -jnp.sum(jnp.log1p(position["z"] ** 2))

    with jax.enable_x64(True):
        problem = SimpleNamespace(logdensity=heavy)
        begin = jnp.asarray([start])
        end = approach(problem, begin, spread * jnp.eye(1), {})
        assert heavy({"z": end}, {}) >= heavy({"z": begin}, {}) - 1e-12
