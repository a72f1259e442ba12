"""Is the posterior of a horseshoe calibrated, its coefficients integrated out?"""

import numpy as np
import pytest

from specfit import pipeline
from specfit.contracts import Measurement
from specfit.features import Features

from .cases import model_of
from .test_sbc import calibrate

pytestmark = pytest.mark.slow

TEXT = """specfit 1
data d : table {
  file = "none.csv"
  target = column(5) V
  feature = columns(1..4)
}
model m : regression on d {
  a ~ normal(3.8, 0.5) V
  σ ~ lognormal(log(0.1), 0.4) V
  τ ~ halfnormal(0.2) V
  slab ~ inverse_gamma(2, 2)
  β[d.feature] ~ regularized_horseshoe(τ, slab) V
  observe d.target ~ normal(a + sum(β[feature] * standardized(d.feature) over feature), σ)
}
"""
NAMES = ("a", "σ", "τ", "slab", "β[1]", "β[2]", "β[4]", "β_local[1]")


def table(errors: bool) -> Measurement:
    """Correlated features of eight rows, their target still to come."""
    generator = np.random.default_rng(17)
    x = generator.normal(size=(8, 4))
    x[:, 1] += 1.5 * x[:, 0]
    sd = np.full(x.shape, 0.3) if errors else None
    axis = np.arange(1.0, 9.0)
    return Measurement(axis, np.full(8, 3.8), "", "V", features=Features(x, sd=sd))


@pytest.mark.parametrize("errors", [False, True])
def test_a_horseshoe(errors: bool, tmp_path) -> None:
    path = tmp_path / "m.spec"
    path.write_text(TEXT, encoding="utf-8")
    with pipeline.float64():
        problem = pipeline.build(model_of(path), (table(errors),))
        found = calibrate(problem, NAMES, seed=20290 + errors, n=N)
    print(found.table())
    assert found.passes()


N = 100
