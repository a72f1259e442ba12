"""Bounds of flat priors that decide an answer are told from those that only keep it."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats

from specfit import pipeline, rules
from specfit.contracts import Fit
from specfit.model.rule_library import thresholds_of
from specfit.rules.block import FAILED, PASSED, Block
from specfit.rules.cut_off import NAME, grown

N = 4000
CURVE = """specfit 1
data d : table {{ file = "d.txt"; y = column(1); x = column(2) }}
model m : curve on d {{
  b ~ {prior}
  σ ~ lognormal(0, 1)
  observe d.y ~ normal(b * d.x, σ)
}}
"""
PEAK = """specfit 1
data d : pattern {{ file = "d.txt"; x = column(1); y = column(2) }}
model m : peaks on d {{
  baseline bg : constant
  peak p : pseudo_voigt {{ xc ~ 5 ± 1; FWHM ~ halfnormal(1); eta ~ {prior} }}
  observe d.y ~ gaussian(sd = 1)
}}
"""


def judged(folder, text, name, draws):
    """Outcomes of the rule for these draws of one unknown; a block says the same."""
    path = folder / "m.spec"
    path.write_text(text, encoding="utf-8")
    model = pipeline.check(path).require().models[0]
    generator = np.random.default_rng(4)
    every = {p.name: 1 + 1e-3 * generator.standard_normal(N) for p in model.parameters}
    every[name] = draws
    given = {f.name: {} for f in fields(Fit)}
    given |= {"draws": {n: d.reshape(4, -1) for n, d in every.items()}, "gates": ()}
    (entry,) = [entry for entry in rules.RULES if entry.name == NAME]
    found = list(entry.judge(model, (), Fit(**given)))
    block = Block(model, [None], {n: d[None] for n, d in every.items()}, None, 2)
    failed = [f for f in found if f.outcome == "failed"]
    assert entry.outcomes(block).tolist() == [FAILED if failed else PASSED]
    return failed


def plateau(generator, end):
    """A peak at 0.6 that nine tenths are in, and a plateau up to the end."""
    core = 0.6 + 0.1 * generator.standard_normal(N)
    flat = generator.uniform(0.0, end, N)
    return np.where(generator.uniform(size=N) < 0.9, core, flat)


@pytest.fixture
def generator():
    return np.random.default_rng(20)


@pytest.mark.parametrize("end", [10.0, 1000.0])
def test_a_plateau_up_to_the_end_is_refused_however_far_the_end(
    end, tmp_path, generator
):
    text = CURVE.format(prior=f"free in [0, {end}]")
    (found,) = judged(tmp_path, text, "b", plateau(generator, end))
    assert "do not decide `b`" in found.text
    assert found.severity == ""  # the library's is put in by the judge of all rules


def test_a_ridge_that_piles_up_at_the_end_is_refused(tmp_path, generator):
    draws = 10.0 * np.sqrt(generator.uniform(size=N))  # density as x
    text = CURVE.format(prior="free in [0, 10]")
    (found,) = judged(tmp_path, text, "b", draws)
    assert "as dense there as on average" in found.text


def test_what_the_data_say_nothing_of_is_refused_at_either_end(tmp_path, generator):
    text = CURVE.format(prior="free in [-3, 7]")
    draws = generator.uniform(-3.0, 7.0, N)
    assert len(judged(tmp_path, text, "b", draws)) == 2


@pytest.mark.parametrize(
    "draws",
    [
        stats.norm(5.0, 1.0),  # well inside
        stats.norm(5.0, 2.0),  # the ends are 2.5 sd away
        stats.truncnorm(-np.inf, 0.0, 10.0, 0.2),  # a narrow peak that the end cuts
        stats.halfnorm(0.0, 0.5),  # an upper limit, from zero up
        stats.t(3, 5.0, 0.2),
    ],
)
def test_what_ends_inside_is_not(draws, tmp_path):
    rows = draws.rvs(2 * N, random_state=7)
    inside = rows[(rows > 0.0) & (rows < 10.0)][:N]
    text = CURVE.format(prior="free in [0, 10]")
    assert judged(tmp_path, text, "b", inside) == []


def test_a_prior_of_any_other_shape_and_a_bound_with_a_reason_are_knowledge(
    tmp_path, generator
):
    draws = plateau(generator, 10.0)
    for prior in (
        "lognormal(0, 1)",
        "normal(0, 10) in [0, 10]",
        'free in [0, 10] because "the counter ends there"',
    ):
        assert judged(tmp_path, CURVE.format(prior=prior), "b", draws) == []


def test_the_ends_that_a_kind_has_are_not_asked(tmp_path, generator):
    text = PEAK.format(prior="free in [0, 1]")
    assert judged(tmp_path, text, "p.eta", generator.uniform(size=N)) == []
    text = PEAK.format(prior="free in [0, 0.5]")
    (found,) = judged(tmp_path, text, "p.eta", generator.uniform(0.0, 0.5, N))
    assert "0.5" in found.text


@pytest.mark.parametrize("cut", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_a_normal_that_is_cut_grows_by_less_than_the_threshold(cut):
    rows = stats.truncnorm.rvs(-np.inf, cut, size=100_000, random_state=3)
    assert grown(rows, cut) < thresholds_of(NAME)["growth"] - 0.03


def test_a_constant_density_grows_as_arithmetic_says(generator):
    """With the far bound twice as far from the middle, sd of length 1 is that of 1.5."""
    assert grown(generator.uniform(size=100_000), 1.0) == pytest.approx(1.5, abs=0.02)
