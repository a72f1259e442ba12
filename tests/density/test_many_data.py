"""Data of many spectra: when what the rules leave of the prior moves with the counts."""

import sys
from pathlib import Path

import numpy as np
import pytest

from specfit import pipeline
from specfit.density.many import many_data, mass_moves
from specfit.density.problem import problem_data

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))
import spectra

SITE = """  N0 ~ normal(max(spectrum.counts), 500) counts
  area ~ free in [0.001, 2.0] mm/s
  site D : doublet
"""
PLAIN = SITE + '  require D.QS > 0.1 mm/s because "apart"'
LINKED = (
    SITE
    + '  expect N0 ~ normal(mean(spectrum.counts), 900) counts because "no absorption"'
)


@pytest.mark.parametrize(("body", "moves"), [(PLAIN, False), (LINKED, True)])
def test_the_prior_mass_is_taken_anew_only_where_it_moves(tmp_path, body, moves):
    lines = spectra.doublet(0.35, 0.8, 0.2)
    path = spectra.spec(tmp_path, body, lines, channels=64, limit=3.0)
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    first = pipeline.measure(model, checked)
    spectra.write(tmp_path / "spectrum.csv", lines, counts=3e5, seed=2, channels=64)
    other = pipeline.measure(model, checked)
    assert mass_moves(model) is moves
    with pipeline.float64():
        like = problem_data(model, first)
        stacked = many_data(model, [first[0], other[0]], 64, like)
        alone = problem_data(model, other)
    assert stacked["log_prior_mass"][1] == pytest.approx(float(alone["log_prior_mass"]))
    for name, value in alone["constants"].items():
        assert stacked["constants"][name][1] == pytest.approx(float(value))
    np.testing.assert_array_equal(stacked["counts"][1], alone["counts"])
