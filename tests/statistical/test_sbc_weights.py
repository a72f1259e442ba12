"""Are the weights of spectra calibrated, in coordinates that each data set chooses?"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from specfit import pipeline
from specfit.inference.slicing import plain

from .sbc import LIKELIHOOD, Calibration
from .test_sbc import ranks_of, simulation

pytestmark = pytest.mark.slow
N = 200

SPEC = """specfit 1
data basis[k = ["a", "b", "c"]] : absorption {
  file = "{k}.xmu"; energy = column(1) eV; mu = column(2)
}
data x : absorption { file = "x.xmu"; energy = column(1) eV; mu = column(2) }
model mixed : linear_combination on x, basis {
  w[k] ~ dirichlet(0.5)
  dE ~ 0.0 ± 0.2 eV
  s ~ lognormal(log(0.01), 0.3)
  baseline bg : edge { post = 0 eV^-1 }
  observe x.mu ~ normal(sum(w[k] * shift(basis[k].mu, dE) over k), s)
}
"""
NAMES = ("w[a]", "w[b]", "w[c]", "dE", "s", "level", "step")


def edge(energy, start, white):
    step = 0.5 + np.arctan((energy - start) / 2.0) / np.pi
    return step + white * np.exp(-0.5 * ((energy - start - 6.0) / 3.0) ** 2)


@pytest.fixture
def mixed(tmp_path):
    wide, narrow = np.arange(8290.0, 8461.0), np.arange(8310.0, 8441.0)
    for name, start, white in (("a", 8344, 0.7), ("b", 8345.5, 0.5), ("c", 8347, 0.3)):
        np.savetxt(tmp_path / f"{name}.xmu", np.c_[wide, edge(wide, start, white)])
    np.savetxt(tmp_path / "x.xmu", np.c_[narrow, edge(narrow, 8345.0, 0.5)])
    path = tmp_path / "m.spec"
    path.write_text(SPEC, encoding="utf-8")
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    return model, pipeline.measure(model, checked)[0]


def test_weights_shift_and_normalisation(mixed):
    model, seen = mixed
    ranks, refused, told = [], 0, Counter()
    with pipeline.float64():
        problem = pipeline.build(model, (seen,))
        while len(ranks) < N:
            i = len(ranks) + refused
            truth, values = simulation(plain(problem), 20269, i)
            own = pipeline.build(model, (replace(seen, values=values[0]),))
            fresh = problem._replace(data=own.data)
            found = ranks_of(fresh, values, truth, NAMES, i, told)
            ranks += [found] if found else []
            refused += found is None
            assert refused < 20 + len(ranks) / 4, dict(told)
    found = Calibration((*NAMES, LIKELIHOOD), np.array(ranks), refused, told)
    print(found.table())
    assert found.passes()
