"""What is concluded from evidences, some of them missing."""

from types import SimpleNamespace

import numpy as np

from specfit.comparison import Comparison, Entry
from specfit.inference.loo import Loo


def entry(name, evidence, converged=True):
    fit = SimpleNamespace(log_evidence=evidence)
    found = Loo(np.zeros(3), np.zeros(3), 1.0) if converged else None
    return Entry(name, SimpleNamespace(fit=fit), found)


def test_a_model_without_evidence_leaves_the_ranking_open():
    best, second = entry("two", (-10.0, 0.01)), entry("one", (-30.0, 0.01))
    ranked = Comparison((best, second, entry("three", None)))
    assert ranked.probability(best) is None
    assert "Not among them: three" in ranked.words()
    whole = Comparison((best, second, entry("four", None, converged=False)))
    assert whole.probability(best) == 1.0 / (1.0 + np.exp(-20.0))
    assert "two is the most probable" in whole.words()
    assert Comparison((best,)).probability(best) is None


def test_a_difference_within_its_error_decides_nothing():
    ranked = Comparison((entry("two", (-10.0, 1.0)), entry("one", (-12.0, 1.0))))
    assert "do not decide" in ranked.words()
