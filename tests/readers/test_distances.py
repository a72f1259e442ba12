"""χ(k) between two distances: as many numbers as there are, independent of each other."""

import numpy as np
import pytest

from specfit.readers.distances import WHOLE, count, independent, white

K = np.arange(3.0, 12.51, 0.05)


def test_rows_are_orthonormal_and_as_many_as_there_are_points():
    for low, high in ((1.0, 2.2), (1.0, 3.3), (2.0, 6.0)):
        rows, places = independent(K, low, high)
        points = count(np.ptp(K), low, high)
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)
        assert points - 3 < len(rows) <= points + 0.5
        assert (np.diff(places) > 0).all()
        assert low < places[0]
        assert places[-1] < high


def test_a_wave_inside_is_seen_and_one_outside_is_not():
    rows, _ = independent(K, 1.0, 3.3)
    for R, least, most in ((2.1, 0.9, 1.0), (0.2, 0.0, 0.01), (4.5, 0.0, 0.01)):
        for wave in (np.sin(2 * K * R), np.cos(2 * K * R)):
            share = np.sum((rows @ wave) ** 2) / np.sum(wave**2)
            assert least <= share <= most + 1e-12


def test_each_row_lies_between_the_distances():
    """Its own transform, on a fine grid, holds the share that is promised there."""
    rows, _ = independent(K, 1.0, 3.3)
    end = 0.5 * np.pi / 0.05
    R = np.linspace(0.0, end, 6_001)
    for row in rows:
        power = np.abs(np.exp(2j * np.outer(R, K - 8.0)) @ row) ** 2
        inside = (R >= 1.0) & (R <= 3.3)
        assert power[inside].sum() / power.sum() >= WHOLE - 2e-3


def test_white_noise_stays_white():
    rows, _ = independent(K, 1.0, 3.3)
    noise = np.random.default_rng(4).normal(0.0, 0.3, (20_000, K.size))
    covariance = np.cov((noise @ rows.T).T)
    # each entry has a standard error below 0.3² √2 / √20000 = 0.0009
    np.testing.assert_allclose(covariance, 0.09 * np.eye(len(rows)), atol=0.0045)


def test_the_weight_has_mean_square_one():
    for power in (0.0, 1.0, 2.5):
        weight = white(K, power)
        assert np.mean(weight**2) == pytest.approx(1.0)
        np.testing.assert_allclose(weight / weight[0], (K / K[0]) ** power)
