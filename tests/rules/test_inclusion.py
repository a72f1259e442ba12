"""Inclusion probabilities against the shrinkage factor worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from specfit.features import Features
from specfit.model.expressions import evaluate
from specfit.model.functions import HORSESHOE
from specfit.model.ir import Apply, Const, Ref
from specfit.rules import residuals
from specfit.rules.inclusion import inclusion

N = 16


@pytest.mark.parametrize("error", [0.0, 0.6])
def test_errors_of_features_ask_more_of_a_coefficient(error):
    generator = np.random.default_rng(4)
    values = generator.normal(size=(N, 2)) * [1.0, 50.0]
    features = Features(values, sd=np.full((N, 2), error) * values.std(axis=0))
    draws = {
        name: generator.lognormal(-1.0, 1.0, (2, 200))
        for name in ("τ", "λ[1]", "λ[2]", "slab", "σ")
    }
    draws |= {f"β[{i}]": generator.normal(size=(2, 200)) for i in (1, 2)}
    known = {name: np.ravel(value) for name, value in draws.items()}

    def coefficient(i, z):
        own = (z, Ref(name="τ"), Ref(name=f"λ[{i}]"), Ref(name="slab"))
        return Apply(function=HORSESHOE, arguments=own)

    made = [
        SimpleNamespace(name=f"β[{i}]", value=coefficient(i, Const(value=2.0)))
        for i in (1, 2)
    ]
    noise = SimpleNamespace(data="d", noise=SimpleNamespace(arguments=(Ref(name="σ"),)))
    model = SimpleNamespace(definitions=made, spectra=(noise,))
    measured = SimpleNamespace(features=features, values=np.zeros(N))
    found = inclusion(model, measured, draws, draws, {})
    wide = known["σ"] ** 2 + error**2 * (known["β[1]"] ** 2 + known["β[2]"] ** 2)
    for i in (1, 2):
        prior_sd = evaluate(coefficient(i, Const(value=1.0)), known, np)
        assert found.features[i - 1] == np.mean(N * prior_sd**2 / wide > 1.0)
    assert 0.0 < found.features.min() < 1.0


def test_coefficients_that_shrink_are_counted_as_far_as_they_are_learned():
    generator = np.random.default_rng(0)
    x, noise = generator.normal(size=(N, 44)), 0.3
    hat = x @ np.linalg.solve(x.T @ x + 30.0 * np.eye(44), x.T)
    root = np.linalg.cholesky(hat + 1e-12 * np.eye(N))
    curves = noise * generator.normal(size=(4000, N)) @ root.T
    band = np.quantile(curves, (0.05, 0.95), axis=0)
    counted = residuals._learned(band, np.full(N, noise))
    assert counted == pytest.approx(np.trace(hat), rel=0.05)
