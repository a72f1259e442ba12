"""Certified nonlinear regressions (NIST StRD): found without a start, to many digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit import pipeline
from specfit.inference.likeliest import likeliest
from specfit.inference.newton import CLOSE

from .certified import FORMULAS, certified, digits, write

QUICK = ("DanWood", "Gauss1", "Misra1a")
SLOW = tuple(name for name in FORMULAS if name not in QUICK)
SHORT = ("BoxBOD", "DanWood", "Misra1a", "Rat43", "Eckerle4")
"""Problems whose ascents take a second or two; those of the others are slow tests."""


def found(name, tmp_path):
    problem = certified(name)
    path = write(problem, tmp_path, "run likelihood { seed = 1 }")
    run = pipeline.run(pipeline.check_with_data(path), pipeline.Options())
    return problem, {n: float(run.fit.draws[n].mean()) for n in problem.names}


@pytest.mark.parametrize("name", QUICK)
def test_the_certified_values_without_a_start(name, tmp_path):
    assert digits(*found(name, tmp_path)) > 6


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_certified_values_of_the_others(name, tmp_path):
    assert digits(*found(name, tmp_path)) > 6


@pytest.mark.parametrize(
    "name",
    [n if n in SHORT else pytest.param(n, marks=pytest.mark.slow) for n in FORMULAS],
)
def test_the_certified_values_from_both_starts(name, tmp_path):
    problem = certified(name)
    checked = pipeline.check_with_data(write(problem, tmp_path))
    model = checked.require().models[0]
    with jax.enable_x64(True):
        built = pipeline.build(model, pipeline.measure(model, checked))
        for start in problem.starts:
            values = dict(zip(problem.names, map(float, start), strict=True))
            z = built.unconstrain(_arrays({**values, "σ": 1.0}), built.data)
            left = np.asarray(built.data["counts"] - built.predict(z, built.data))
            spread = {"σ": float(np.sqrt(np.mean(left**2)))}
            z = built.unconstrain(_arrays({**values, **spread}), built.data)["z"]
            end = likeliest(built, np.asarray(z))
            known = built.constrain({"z": jnp.asarray(end.position)}, built.data)
            assert digits(problem, {n: float(known[n]) for n in problem.names}) > 6
            assert end.gain < CLOSE


def _arrays(values):
    return {name: jnp.asarray(value) for name, value in values.items()}
