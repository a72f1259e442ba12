from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

sys.path.append(str(Path(__file__).parents[1] / "density"))

from density_models import (
    dist,
    expect,
    magnetite_iron,
    make_model,
    parameter,
    require,
    site,
)

from specfit.model.expressions import evaluate
from specfit.model.prior_draws import prior_draws, weighed
from specfit.model.support import PlanError, plan

P_VALUE = 1e-4  # of each comparison; seeds are fixed


def drawn(model, n=4000, seed=1, data=()):
    return prior_draws(model, plan(model), n, seed, dict(data))


def rejected(model, n, weigh=lambda known: 1.0):
    """Priors drawn one by one and thrown away where a rule is broken."""
    generator = np.random.default_rng(99)
    free = magnetite_iron()
    known = prior_draws(free, plan(free), n, 5, {}).values
    keep = np.ones(n, dtype=bool)
    for rule in model.rules:
        if rule.kind == "require":
            keep &= evaluate(rule.expression, known, np)
    weight = np.broadcast_to(weigh(known), n)
    keep &= generator.uniform(size=n) < weight / weight.max()
    return {name: x[keep] for name, x in known.items()}


RULES = {
    "ordered": [require((">", "A.Bint", "B.Bint")), require((">", "B.IS", "A.IS"))],
    "shares": [require((">", "A.I", ("*", 0.5, "B.I"))), require(("<", "Fe.I", 0.7))],
    "mixed": [
        require((">", ("+", "A.IS", "B.IS"), 0.8)),
        require(("<", ("*", "A.IS", "B.IS"), 0.6)),
    ],
}


@pytest.mark.parametrize("case", RULES)
def test_draws_are_those_of_plain_rejection(case):
    model = magnetite_iron(rules=RULES[case])
    found = drawn(model)
    plain = rejected(model, 40_000)
    for rule in model.rules:
        assert evaluate(rule.expression, found.values, np).all()
    for name in ("A.IS", "B.IS", "A.Bint", "B.Bint", "A.I", "B.I", "Fe.I", "width"):
        test = stats.ks_2samp(found.values[name], plain[name])
        assert test.pvalue > P_VALUE, name
    share = len(plain["N0"]) / 40_000
    assert np.exp(found.log_mass) == pytest.approx(share, abs=4 * np.sqrt(share / 4e4))
    assert not found.repeated


def test_an_expectation_weighs_the_draws():
    rule = expect(("/", "B.I", "A.I"), dist("normal", 1.88, 0.4))
    model = magnetite_iron(rules=[rule])
    found = drawn(model, 2000)

    def weigh(known):
        return stats.norm(1.88, 0.4).pdf(known["B.I"] / known["A.I"])

    plain = rejected(model, 100_000, weigh)
    for name in ("B.I", "A.I", "Fe.I"):
        assert stats.ks_2samp(found.values[name], plain[name]).pvalue > P_VALUE


def test_the_mass_of_an_ordering_is_one_over_its_permutations():
    names = [f"S{i}" for i in range(8)]
    pairs = pairwise(names)
    rules = [require(("<", f"{a}.Bint", f"{b}.Bint")) for a, b in pairs]
    found = drawn(magnetite_iron(names, rules), 2000)
    fields = np.stack([found.values[f"{name}.Bint"] for name in names])
    assert (np.diff(fields, axis=0) >= 0.0).all()
    exact = -np.log(np.arange(1, 9)).sum()
    assert found.log_mass == pytest.approx(exact, abs=5 * found.log_mass_sd)
    assert found.log_mass_sd < 0.1
    middle = (np.arange(8) + 1) / 9 * 48.0 + 12.0
    np.testing.assert_allclose(fields.mean(axis=1), middle, atol=0.6)


def test_a_tie_keeps_the_prior_of_what_it_computes():
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("A.width", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
        parameter("A.IS", dist("normal", 0.0, 1.0)),
        parameter("B.IS", dist("normal", 1.0, 1.0)),
        parameter("A.I", dist("uniform", 0.0, 2.0)),
    ]
    model = make_model(
        [site("A", "singlet")], parameters, rules=[require(("==", "A.IS", "B.IS"))]
    )
    found = drawn(model, 4000)
    np.testing.assert_array_equal(found.values["A.IS"], found.values["B.IS"])
    exact = stats.norm(0.5, np.sqrt(0.5))
    assert stats.kstest(found.values["A.IS"], exact.cdf).pvalue > P_VALUE
    assert found.log_mass == pytest.approx(
        stats.norm(0.0, np.sqrt(2.0)).logpdf(1.0), abs=5 * found.log_mass_sd
    )


def test_arguments_may_be_other_parameters_and_data():
    parameters = [
        parameter("N0", dist("lognormal", ("log", ("max", "spectrum.counts")), 0.1)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("A.width", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
        parameter("A.IS", dist("normal", "mean", "spread")),
        parameter("mean", dist("normal", 0.3, 0.1)),
        parameter("spread", dist("gamma", 4.0, 0.02)),
        parameter("A.I", dist("uniform", 0.0, 2.0)),
    ]
    model = make_model([site("A", "singlet")], parameters)
    found = drawn(model, 6000, data={"max(spectrum.counts)": 5e5})
    values = found.values
    pulled = (values["A.IS"] - values["mean"]) / values["spread"]
    assert stats.kstest(pulled, stats.norm.cdf).pvalue > P_VALUE
    assert np.median(values["N0"]) == pytest.approx(5e5, rel=0.01)
    assert found.log_mass == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(KeyError):
        drawn(model)


def test_each_rule_has_the_share_it_keeps_of_the_rest():
    rules = [
        require((">", "A.Bint", "B.Bint")),
        require((">", "B.Bint", "Fe.Bint")),
        require((">", "B.I", 0.0)),
        require((">", "N0", ("*", 0.5, ("max", "spectrum.counts")))),
    ]
    model = magnetite_iron(rules=rules)
    found = weighed(model, plan(model), {})
    assert [item.strategy for item in found][:3] == [
        "ordered",
        "ordered",
        "already true",
    ]
    assert found[0].mass_kept == pytest.approx(1.0 / 3.0, abs=0.03)
    assert found[1].mass_kept == pytest.approx(1.0 / 3.0, abs=0.03)
    assert found[2].mass_kept == 1.0
    assert np.isnan(found[3].mass_kept)
    known = weighed(model, plan(model), {"max(spectrum.counts)": 2e6})
    assert known[3].mass_kept == pytest.approx(0.5, abs=0.05)


def test_same_seed_same_draws():
    model = magnetite_iron(rules=RULES["ordered"])
    first, second, other = (drawn(model, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values["A.IS"], second.values["A.IS"])
    assert (first.values["A.IS"] != other.values["A.IS"]).all()


def test_rules_that_nothing_obeys_are_said_so():
    rule = require(
        (
            "or",
            (">", ("*", "A.IS", "B.IS"), 2.2499999),
            (">", ("*", "A.IS", "Fe.IS"), 2.2499999),
        )
    )
    with pytest.raises(PlanError, match="require-impossible"):
        drawn(magnetite_iron(rules=[rule]), 10)
