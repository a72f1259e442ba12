"""Residuals of Student's law are held against a normal by their rank."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from specfit.contracts import Measurement
from specfit.features import Features
from specfit.model.expressions import to_text
from specfit.model.functions import WEIGHTED_SUM
from specfit.model.ir import Apply, Const, Noise, Ref, Spectrum
from specfit.rules.scores import near_normal, scores_of, sd_of

N = 20_000


def spectrum(family, *arguments):
    given = tuple(Const(value=a) for a in arguments)
    noise = Noise(family=family, arguments=given)
    return Spectrum(data="d", sites=(), scalars={}, noise=noise)


def scores(law, values):
    fit = SimpleNamespace(draws={})
    seen = Measurement(axis=np.arange(N), values=values)
    sd = sd_of(law, seen, np.zeros(N), fit)
    return scores_of(law, seen, np.zeros(N), sd, fit)(values)


@pytest.mark.parametrize("df", [1.0, 2.5, 8.0])
def test_student_noise_has_the_chi2_of_a_normal(df):
    """χ² of N = 20 000 normal scores is N ± 200: held to four of these."""
    values = 3.0 * np.random.default_rng(5).standard_t(df, N)
    law = spectrum("student_t", df, 3.0)
    assert near_normal("student_t", np.zeros(N))
    found = scores(law, values)
    assert abs(np.sum(found**2) - N) < 800
    quantiles = stats.norm.ppf(stats.t.cdf(values / 3.0, df))
    inner = np.abs(quantiles) < 5
    np.testing.assert_allclose(found[inner], quantiles[inner], atol=1e-6)


def test_other_noise_is_in_sd():
    values = np.random.default_rng(5).normal(0.0, 2.0, N)
    found = scores(spectrum("gaussian", 2.0), values)
    np.testing.assert_allclose(found, values / 2.0)


def test_noise_may_rest_on_statistics_and_columns_of_the_data():
    features = Features(np.arange(16.0).reshape(8, 2))
    seen = Measurement(
        axis=np.arange(8.0), values=np.ones(8), features=features,
        columns={"err": np.linspace(0.1, 0.8, 8)},
    )  # fmt: skip
    mean = Apply(function="mean", arguments=(Ref(name="d.y"),))
    parts = Ref(name="s"), Apply(function="*", arguments=(mean, Ref(name="d.err")))
    noise = Noise(family="gaussian", arguments=(Apply(function="+", arguments=parts),))
    law = Spectrum(data="d", sites=(), scalars={}, noise=noise)
    fit = SimpleNamespace(draws={"s": np.full((1, 5), 0.3)})
    for case in (seen, replace(seen, features=None)):
        found = sd_of(law, case, np.zeros(8), fit, {to_text(mean): 2.0})
        np.testing.assert_allclose(found, 0.3 + 2.0 * np.linspace(0.1, 0.8, 8))


def test_errors_of_features_widen_the_noise_that_residuals_are_counted_in():
    """Not at the mean of a coefficient: β² has a mean of its own."""
    generator = np.random.default_rng(6)
    x = generator.normal(size=(8, 2)) * [1.0, 30.0]
    factor = generator.normal(size=(8, 2, 2)) * [[1.0], [30.0]]
    covariance = factor @ factor.transpose(0, 2, 1)
    features = Features(
        x, sd=np.sqrt(np.diagonal(covariance, 0, 1, 2)), covariance=covariance
    )
    draws = {n: generator.normal(size=(2, 200)) for n in ("b[1]", "b[2]")}
    draws["s"] = generator.lognormal(size=(2, 200))
    column = Ref(name="d.feature")
    names = [Ref(name=name) for name in ("b[1]", "b[2]")]
    total = Apply(function=WEIGHTED_SUM, arguments=(column, *names))
    noise = Noise(family="gaussian", arguments=(Ref(name="s"),), mean=total)
    law = Spectrum(data="d", sites=(), scalars={}, noise=noise)
    seen = Measurement(axis=np.arange(8.0), values=np.zeros(8), features=features)
    found = sd_of(law, seen, np.zeros(8), SimpleNamespace(draws=draws))
    beta = np.stack([draws["b[1]"], draws["b[2]"]], axis=-1) / x.std(axis=0)
    off = np.einsum("abi,rij,abj->rab", beta, covariance, beta)
    expected = np.sqrt((draws["s"] ** 2 + off).mean(axis=(1, 2)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
