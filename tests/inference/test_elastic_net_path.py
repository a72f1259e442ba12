"""The path of the elastic net against its optimality conditions and coordinate descent."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import enet_path

from specfit.inference.estimators.path import elastic_net_path

ALPHAS = np.geomspace(3.0, 1e-4, 40)


def centred(seed, n, p, alike):
    """Features that are partly sums of others, as weights are that add up to one."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p)) + 3.0 * alike * generator.normal(size=(n, 1))
    if alike and p > 2:
        x[:, -1] = -x[:, :-1].sum(axis=1)
    y = x @ generator.normal(size=p) + generator.normal(size=n)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, (y - y.mean()) / y.std()


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(3, 30),
    p=st.integers(1, 40),
    ratio=st.sampled_from([1.0, 0.9, 0.5, 0.05]),
    alike=st.booleans(),
)
def test_no_gradient_passes_its_penalty(seed, n, p, ratio, alike):
    x, y = centred(seed, n, p, alike)
    path, final = elastic_net_path(x, y, ratio, ALPHAS)
    assert final.all()
    for w, alpha in zip(path, ALPHAS, strict=True):
        slope = x.T @ (y - x @ w) / n - alpha * (1.0 - ratio) * w
        on = w != 0.0
        assert np.abs(slope).max() <= alpha * ratio * (1.0 + 1e-6) + 1e-8
        np.testing.assert_allclose(
            slope[on], alpha * ratio * np.sign(w[on]), rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_coordinate_descent_arrives_at_the_same(ratio):
    x, y = centred(3, 16, 30, alike=True)
    path, _ = elastic_net_path(x, y, ratio, ALPHAS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        *_, theirs, _ = enet_path(
            np.asfortranarray(x), y, l1_ratio=ratio, alphas=ALPHAS, tol=1e-10,
            max_iter=100_000, precompute=False,
        )  # fmt: skip
    for w, other, alpha in zip(path, theirs.T, ALPHAS, strict=True):
        own, their = (
            np.sum((y - x @ v) ** 2) / 32
            + alpha * (ratio * np.abs(v).sum() + 0.5 * (1 - ratio) * np.sum(v**2))
            for v in (w, other)
        )
        assert own <= their + 1e-12
        np.testing.assert_allclose(x @ w, x @ other, atol=1e-4)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_units_of_features_may_differ_by_any_factor(ratio):
    x, y = centred(2, 12, 3, alike=False)
    x *= [1e5, 1e-3, 1.0]
    y = 2000.0 * x[:, 1]
    path, final = elastic_net_path(x, y, ratio, np.array([1e-9]))
    assert final.all()
    assert path[0, 1] == pytest.approx(2000.0, rel=0.01)


def test_a_feature_that_does_not_vary_stays_out():
    x, y = centred(1, 10, 4, alike=False)
    x[:, 2] = 0.0
    path, final = elastic_net_path(x, y, 1.0, ALPHAS)
    assert final.all()
    assert not path[:, 2].any()
