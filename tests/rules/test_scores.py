"""Residuals of Student's law are held against a normal by their rank."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from specfit.contracts import Measurement
from specfit.model.ir import Const, Noise, Spectrum
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
