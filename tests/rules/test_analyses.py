"""Warnings of an analysis: rows in order, features that are lost in their errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from specfit.features import Features
from specfit.rules.analyses import _drowned, _ordered


def result(target):
    target = np.asarray(target, dtype=float)
    folds = tuple((i,) for i in range(target.size))
    return SimpleNamespace(
        target=target, folds=folds, methods=(SimpleNamespace(shuffles=9),)
    )


@pytest.mark.parametrize("n", [6, 8, 16])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_target_that_rises_or_falls_with_its_row_is_warned_of(n, sign):
    (found,) = _ordered(result(sign * np.arange(n) ** 1.5))
    assert found.outcome == "warned"
    assert "follows the order of the rows" in found.detail


def test_rows_in_no_order_are_rarely_warned_of():
    generator = np.random.default_rng(1)
    told = [len(_ordered(result(generator.normal(size=12)))) for _ in range(100)]
    assert sum(told) <= 7  # two tests of one in a hundred


def test_features_that_vary_no_more_than_their_errors_are_named():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(12, 3)) * [1.0, 0.01, 5.0]
    sd = np.full((12, 3), 0.02)
    (found,) = _drowned(Features(x, ("a", "b", "c"), sd=sd))
    assert (found.outcome, found.text) == ("warned", "b")
    assert _drowned(Features(x, ("a", "b", "c"))) == []
    still = np.column_stack([x[:, 0], np.zeros(12)])
    assert _drowned(Features(still, sd=np.zeros((12, 2)))) == []
