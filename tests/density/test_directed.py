"""A profile whose derivatives are products with a matrix is the same profile."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.density.directed import directed
from specfit.sites import SITES

VELOCITY = jnp.linspace(-8.0, 8.0, 12)
SLOPES = jnp.array([0.161, 0.0931, 0.0254])
VALUES = {
    "IS": 0.3, "QS": -0.1, "Bint": 45.0, "x": 2.1, "log_rate": 8.6,
    "polarisation": 0.2, "width": 0.26, "I": 1.0,
}  # fmt: skip
HEIGHT = jnp.sin(jnp.arange(12.0))


def misfit(profile):
    def of(at):
        values = dict(zip(VALUES, at[1:], strict=True))
        seen = profile(values, SLOPES, VELOCITY * at[0])
        return jnp.sum(HEIGHT * jnp.log(seen))

    return of


def test_its_derivatives_are_those_of_differences():
    """By the values of the site and by a factor of the velocities."""
    of = misfit(directed(SITES["relaxing"].profile))
    at = jnp.array([1.01, *VALUES.values()])
    value = jax.jit(misfit(SITES["relaxing"].profile))
    found = np.array(jax.jit(jax.grad(of))(at))
    for i, unit in enumerate(jnp.eye(len(at))):
        step = 1e-5 * unit * jnp.maximum(at[i], 0.1)
        apart = float(value(at + step) - value(at - step))
        slope = apart / (2.0 * float(step[i]))
        assert found[i] == pytest.approx(slope, rel=1e-5, abs=1e-6)
