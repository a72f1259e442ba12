"""R-hat, effective sizes, E-BFMI and Pareto k against ArviZ."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from specfit.inference.gates import sampling_gates
from specfit.inference.loo import loo
from specfit.inference.mixing import energy_fraction, mixing
from specfit.inference.pareto import pareto_k


@pytest.fixture(scope="module")
def az():
    """ArviZ, which takes seconds to import: only by whoever compares with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("arviz")


def chains(seed, n_chains, n_draws, memory, shift):
    """Autoregressive chains, the last of them displaced."""
    noise = np.random.default_rng(seed).standard_normal((n_chains, n_draws))
    draws = noise.copy()
    for t in range(1, n_draws):
        draws[:, t] = memory * draws[:, t - 1] + noise[:, t]
    draws[-1] += shift
    return draws


@given(
    seed=st.integers(0, 2**31),
    n_chains=st.integers(2, 5),
    n_draws=st.integers(20, 300),
    memory=st.floats(-0.8, 0.97),
    shift=st.sampled_from([0.0, 0.5, 5.0]),
    rounded=st.booleans(),
)
@settings(max_examples=40, deadline=None, derandomize=True, report_multiple_bugs=False)
def test_figures_are_those_of_arviz(
    az, seed, n_chains, n_draws, memory, shift, rounded
):
    # a quantile that falls on a draw is a matter of rounding
    assume((n_chains * n_draws - 1) % 20 != 0)
    draws = chains(seed, n_chains, n_draws, memory, shift)
    draws = np.round(draws) if rounded else draws  # ties
    found = mixing({"x": draws})
    assert found.rhat["x"] == pytest.approx(float(az.rhat(draws)), rel=1e-9)
    assert found.ess_bulk["x"] == pytest.approx(float(az.ess(draws)), rel=1e-9)
    assert found.ess_tail["x"] == pytest.approx(
        float(az.ess(draws, method="tail")), rel=1e-9
    )
    assert np.allclose(energy_fraction(draws), az.bfmi(draws))


@pytest.mark.parametrize("freedom", [1.5, 3.0, 30.0])
def test_pareto_k_is_that_of_arviz(az, freedom):
    logs = np.abs(np.random.default_rng(3).standard_t(freedom, 4000))
    logs = np.log(logs)
    assert pareto_k(logs) == pytest.approx(float(az.psislw(logs)[1]), abs=0.02)


def test_what_does_not_vary_is_left_out_and_what_is_not_finite_fails():
    good = chains(0, 4, 1000, 0.0, 0.0)
    bad = good.copy()
    bad[0, 3] = np.nan
    statistics = {"diverging": 0 * good, "energy": good, "non_finite": 0 * good}
    constant = {"x": good, "one": 1.0 + 1e-15 * good}
    assert mixing(constant).varying == ("x",)
    kept = sampling_gates({"x": good}, mixing(constant), statistics)
    assert all(passed for *_, passed in kept)
    spoilt = sampling_gates({"x": bad}, mixing({"x": good, "y": bad}), statistics)
    assert {n for n, *_, passed in spoilt if not passed} >= {"rhat", "ess_bulk"}
    stuck = np.vstack([good[:3], 0 * good[:1]])
    gates = sampling_gates({"x": stuck}, mixing({"x": stuck}), statistics)
    assert "constant_chains" in {n for n, *_, passed in gates if not passed}


@pytest.mark.parametrize("spread", [0.05, 1.0, 3.0])
def test_leave_one_out_is_that_of_arviz(az, spread):
    generator = np.random.default_rng(5)
    pointwise = generator.normal(-3.0, spread, (4, 250, 1, 40))
    found = loo(pointwise)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = az.from_dict(
                posterior={"x": pointwise[..., 0, 0]},
                log_likelihood={"y": pointwise[..., 0, :]},
            )
        except TypeError:  # ArviZ 1.x takes one dictionary of groups
            groups = {
                "posterior": {"x": pointwise[..., 0, 0]},
                "log_likelihood": {"y": pointwise[..., 0, :]},
            }
            data = az.from_dict(groups)
        theirs = az.loo(data, pointwise=True, reff=1.0)
    elpd = getattr(theirs, "elpd_loo", None) or theirs.elpd
    size = getattr(theirs, "p_loo", None) or theirs.p
    assert found.elpd == pytest.approx(float(elpd), abs=0.01 * spread)
    assert found.parameters == pytest.approx(float(size), abs=0.01 * spread)
    assert np.allclose(found.pareto_k, np.asarray(theirs.pareto_k), atol=0.02)
