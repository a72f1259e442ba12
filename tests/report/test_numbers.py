from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specfit.report.numbers import Summary, concise, interval, plus_minus, summarise


def summary(mean, sd):
    return Summary(mean, sd, mean, mean, mean, mean - 2 * sd, mean + 2 * sd)


@pytest.mark.parametrize(
    ("mean", "sd", "text"),
    [
        (44.4, 0.046, "44.40(5)"),
        (0.67, 0.01, "0.670(10)"),
        (0.67, 0.0099, "0.670(10)"),
        (0.68, 0.006, "0.680(6)"),
        (-0.001, 0.0354, "-0.001(35)"),
        (-0.0001, 0.0355, "0.00(4)"),
        (999998.4, 99.2, "1000000(100)"),
        (999998.4, 405.0, "1000000(400)"),
        (12.3, 3.0, "12.3(30)"),
        (33.0, 0.0, "33"),
    ],
)
def test_digits_follow_the_uncertainty(mean, sd, text):
    assert concise(summary(mean, sd)) == text


def test_other_forms():
    assert plus_minus(summary(44.4, 0.046)) == "44.40 ± 0.05"
    assert plus_minus(summary(44.4, 0.046), 3) == "44.400 ± 0.046"
    assert interval(summary(44.4, 0.046)) == "[44.31, 44.49]"
    assert interval(summary(44.4, 0.0)) == ""


def test_summary_of_draws_and_of_a_constant():
    draws = np.random.default_rng(0).normal(5, 2, (4, 5000))
    found = summarise(draws)
    assert found.mean == pytest.approx(5, abs=0.1)
    assert found.q95 - found.q05 == pytest.approx(2 * 1.645 * 2, rel=0.03)
    assert summarise(np.full((4, 10), 3.3)).fixed
    assert summarise(np.array([1.0])).fixed


@given(st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-9, 1e6, allow_nan=False))
def test_the_written_value_is_within_a_tenth_of_an_sd(mean, sd):
    value, _, spread = plus_minus(summary(mean, sd)).partition(" ± ")
    assert abs(float(value) - mean) <= 0.15 * sd
    assert abs(float(spread) - sd) <= 0.15 * sd
