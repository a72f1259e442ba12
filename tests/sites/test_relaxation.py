"""Two-state relaxation against its limits and the eigenvalues of a stochastic matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.sites import SITES
from specfit.sites.relaxation import JUMPS_PER_VELOCITY

SLOPES = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
AT = np.linspace(-14.0, 14.0, 28_001)


@pytest.fixture
def profile():
    return jax.jit(SITES["relaxing"].profile)


def values(**changes):
    given = {
        "IS": 0.4, "QS": -0.2, "Bint": 50.0, "x": 2.3, "log_rate": 8.6,
        "polarisation": 0.0, "width": 0.3, "I": 1.0,
    }  # fmt: skip
    return {name: jnp.asarray(value) for name, value in (given | changes).items()}


def lorentzians(positions, areas, fwhm):
    lines = fwhm / (2.0 * np.pi) / ((AT[:, None] - positions) ** 2 + 0.25 * fwhm**2)
    return lines @ areas


def slow_arithmetic(given):
    """⟨1| (p − W)⁻¹ |populations⟩ of the two-state Markov process, line by line."""
    total = np.zeros_like(AT)
    both = 2.0 * 10.0 ** float(given["log_rate"]) / JUMPS_PER_VELOCITY
    share = (
        np.array(
            [1.0 + float(given["polarisation"]), 1.0 - float(given["polarisation"])]
        )
        / 2.0
    )
    jumps = both * np.array([[-share[1], share[0]], [share[1], -share[0]]])
    weights = np.array([3.0, float(given["x"]), 1.0]) / (8.0 + 2.0 * float(given["x"]))
    for weight, slope, sign in zip(weights, SLOPES, (1.0, -1.0, -1.0), strict=True):
        centre = float(given["IS"]) + sign * float(given["QS"]) / 2.0
        for direction in (-1.0, 1.0):
            stand = direction * slope * float(given["Bint"]) * np.array([1.0, -1.0])
            for k, v in enumerate(AT):
                p = 0.5 * float(given["width"]) + 1j * (v - centre)
                system = np.diag(p - 1j * stand) - jumps
                total[k] += weight * np.sum(np.linalg.solve(system, share)).real / np.pi
    return total


@pytest.mark.parametrize("polarisation", [0.0, 0.6])
def test_it_is_the_markov_process_of_two_states(profile, polarisation, monkeypatch):
    monkeypatch.setitem(globals(), "AT", np.linspace(-9.0, 9.0, 61))
    given = values(polarisation=polarisation)
    found = profile(given, SLOPES, AT)
    np.testing.assert_allclose(found, slow_arithmetic(given), rtol=1e-10)


def test_slow_jumps_leave_the_sextet_and_fast_ones_its_mean(profile):
    still = SITES["relaxing"].lines(values(), SLOPES)
    slow = profile(values(log_rate=3.0), SLOPES, AT)
    np.testing.assert_allclose(
        slow,
        lorentzians(np.asarray(still.position), np.asarray(still.area), 0.3),
        atol=1e-4,
    )
    fast = profile(values(log_rate=13.0, polarisation=0.5), SLOPES, AT)
    mean = SITES["relaxing"].lines(values(Bint=25.0), SLOPES)
    known = lorentzians(np.asarray(mean.position), np.asarray(mean.area), 0.3)
    np.testing.assert_allclose(fast, known, atol=2e-3)


@pytest.mark.parametrize("log_rate", [6.0, 8.6, 11.0])
def test_its_area_is_one(profile, log_rate):
    far = np.tan(np.linspace(-1.5707, 1.5707, 400_001))
    found = np.trapezoid(
        np.asarray(profile(values(log_rate=log_rate), SLOPES, far)), far
    )
    assert found == pytest.approx(1.0, abs=2e-4)


def test_gradients_are_finite_where_lines_merge():
    def height(given):
        return jnp.sum(
            SITES["relaxing"].profile(given, SLOPES, jnp.linspace(-9.0, 9.0, 50)) ** 2
        )

    slope = jax.jit(jax.grad(height))
    for changes in ({}, {"Bint": 0.0}, {"log_rate": 9.25}, {"polarisation": 1.0}):
        assert all(np.isfinite(part) for part in slope(values(**changes)).values())
