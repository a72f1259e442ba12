"""The thickness drawn by its dip: a map like any other, along which the dip stays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from density_models import (
    definition,
    dist,
    make_model,
    measurement,
    parameter,
    quick,
    site,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ive

from specfit.constants import NATURAL_FWHM
from specfit.density import build
from specfit.density.dip import Dip

ONE = Dip("thickness", 0, None, None, ("f", "b"), "s", (("I", "w", 1.0),), NATURAL_FWHM)
VALUES = {"f": 0.8, "b": 0.3, "s": 0.11, "I": 1.0, "w": 0.11 + NATURAL_FWHM}
thicknesses = st.floats(2e-3, 190.0)


def bounded(low, high):
    return Dip(
        ONE.name, 0, low, high, ONE.resonant, ONE.source_width, ONE.sites, ONE.natural
    )


@given(
    thicknesses, st.floats(0.0, 0.99), st.sampled_from([(None, None), (1e-3, 200.0)])
)
def test_coordinate_and_thickness_correspond(thickness, background, bounds):
    """There and back, with the Jacobian of a difference; well inside the bounds."""
    one, scope = bounded(*bounds), VALUES | {"b": background}
    z = one.inverse(jnp.asarray(thickness), scope, 0.0)
    found, log_slope = one.forward(z[None], scope)
    assert found == pytest.approx(thickness, rel=1e-9)
    up, down = (one.forward(z[None] + step, scope)[0] for step in (1e-5, -1e-5))
    assert float(log_slope) == pytest.approx(np.log((up - down) / 2e-5), abs=1e-5)


@given(st.floats(-700.0, 700.0))
def test_no_coordinate_leaves_the_bounds(z):
    found, log_slope = bounded(0.5, 40.0).forward(jnp.array([z]), VALUES)
    assert 0.5 < found < 40.0
    assert np.isfinite(log_slope)


def test_a_thickness_on_a_bound_has_a_coordinate():
    one = bounded(1e-3, 200.0)
    for end in (1e-3, 200.0):
        assert np.isfinite(one.inverse(jnp.asarray(end), VALUES, 0.0))


@pytest.mark.parametrize("background", [0.0, 1.0])
def test_a_beam_without_resonant_part_leaves_numbers(background):
    one, scope = bounded(1e-3, 200.0), VALUES | {"b": background}
    z = one.inverse(jnp.asarray(3.0), scope, 0.0)
    found, log_slope = one.forward(z[None], scope)
    assert found == pytest.approx(3.0)
    assert np.isfinite(log_slope)


@pytest.mark.parametrize("thickness", [0.05, 1.0, 5.0, 30.0])
def test_the_dip_is_about_that_of_one_line(thickness):
    """Against R t e^(−t/2) [I0(t/2) + I1(t/2)]; exact to the first order."""
    half = 0.5 * thickness
    known = 0.8 * 0.7 * thickness * (ive(0, half) + ive(1, half))
    found = np.exp(ONE.inverse(jnp.asarray(thickness), VALUES, 0.0))
    assert found == pytest.approx(known, rel=1e-4 if thickness < 0.1 else 0.26)
    assert 0.8 * 0.7 * thickness * (1.0 - 0.25 * thickness) < found


def foil(**changed):
    """A model of a thick sextet; `changed` are definitions in place of unknowns."""
    centres = {
        "N0": 1e6, "source_width": 0.11, "background": 0.3, "A.IS": 0.1, "A.QS": 0.05,
        "A.Bint": 33.0, "A.width": 0.23,
    }  # fmt: skip
    free = [
        parameter(name, dist("normal", v, 0.2 * v))
        for name, v in centres.items()
        if name not in changed
    ]
    free.append(parameter("thickness", dist("lognormal", 2.0, 0.5)))
    fixed = {"A.x": 2.0, "A.I": 1.0, "f_source": 0.75} | changed
    amounts = ("N0", "thickness", "source_width", "background", "f_source")
    model = make_model(
        [site("A", "sextet")],
        free,
        [definition(name, value) for name, value in fixed.items()],
        scalars=[{name: name for name in amounts}],
    )
    model = model.model_copy(update={"settings": {"absorber": "thick"}})
    return build(model, [measurement(n_channels=128)])


def slope_of_the_dip(problem):
    """d log(dip) / d(coordinate of the background), the other coordinates held."""
    values = {
        "N0": 1e6, "source_width": 0.11, "background": 0.3, "A.IS": 0.1, "A.QS": 0.05,
        "A.Bint": 33.0, "A.width": 0.23, "thickness": 9.0,
    }  # fmt: skip
    z = problem.unconstrain(values, problem.data)["z"]
    at = problem.names.index("background")
    predict = quick(problem).predict

    def dip(step):
        moved = {"z": z.at[at].add(step)}
        return float(np.sum(1e6 - predict(moved, problem.data)))

    return (np.log(dip(1e-3)) - np.log(dip(-1e-3))) / 2e-3


def test_the_dip_stays_where_it_is_when_the_background_changes():
    by_dip = foil()
    by_itself = foil(**{"A.width": ("+", "source_width", 0.12)})
    assert abs(slope_of_the_dip(by_dip)) < 0.1 * abs(slope_of_the_dip(by_itself))


def test_gradients_are_those_of_differences():
    problem = foil()
    draws = problem.sample_prior(jax.random.key(1), 5, problem.data)
    z = jax.vmap(lambda v: problem.unconstrain(v, problem.data)["z"])(draws)
    value = jax.jit(lambda z: problem.logprior({"z": z}, problem.data))
    for at in np.asarray(z):
        slope = np.asarray(jax.grad(value)(at))
        for i, step in enumerate(1e-5 * np.eye(len(at))):
            difference = float(value(at + step) - value(at - step)) / 2e-5
            assert slope[i] == pytest.approx(difference, rel=1e-4, abs=1e-4)
