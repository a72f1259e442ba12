"""The map learned from weighted draws: exact inverse, determinant, and what it straightens."""

import jax
import numpy as np
import pytest

from specfit.inference.transport import Transport, learned, powers, unmoved


@pytest.fixture(scope="module")
def crooked():
    """Rows whose places and scales depend on the rows before, and their normal origins."""
    v = np.random.default_rng(1).normal(size=(4000, 4))
    u = v.copy()
    u[:, 1] = 0.6 * v[:, 0] ** 2 + 0.5 * v[:, 1]
    u[:, 2] = np.exp(0.3 * v[:, 0]) * v[:, 2] - v[:, 0] * v[:, 1]
    u[:, 3] = np.sinh(1.3 * np.arcsinh(v[:, 3]) + 0.4)
    return v, u


@pytest.fixture(scope="module")
def transport(crooked):
    return learned(crooked[1], np.zeros(4000))


def test_rows_come_back_as_normal_as_they_were(crooked, transport):
    origins, u = crooked
    v, _ = transport.inverse(u)
    np.testing.assert_allclose(v.std(axis=0), 1.0, atol=0.03)
    np.testing.assert_allclose(
        np.mean(v**4, axis=0), np.mean(origins**4, axis=0), atol=0.3
    )
    assert np.sqrt(np.mean((v - origins) ** 2)) < 0.12
    pairs = np.corrcoef(np.concatenate([v, v**2], axis=1).T)
    assert np.abs(pairs - np.eye(8)).max() < 0.06


def test_a_heavier_proposal_is_unlearned_by_its_weights(crooked):
    u = 1.5 * np.random.default_rng(2).normal(size=(20_000, 2))
    logs = -0.5 * np.sum(u**2, axis=1) * (1.0 - 1.5**-2)
    found = learned(u, logs)
    rows = np.random.default_rng(3).normal(size=(500, 2))
    np.testing.assert_allclose(found.forward(rows)[0], rows, atol=0.2)


@pytest.mark.parametrize("width", [8.0, 0.1])
def test_a_target_of_any_width_is_met(width):
    u = np.random.default_rng(7).standard_t(3.0, size=(20_000, 1))
    logs = 2.0 * np.log1p(u[:, 0] ** 2 / 3.0) - 0.5 * u[:, 0] ** 2
    found = learned(width * u, logs)
    v = np.random.default_rng(8).normal(size=(20_000, 1))
    assert np.std(found.forward(v)[0]) == pytest.approx(width, rel=0.04)


def test_forward_and_inverse_undo_each_other(transport):
    v = 2.0 * np.random.default_rng(4).normal(size=(60, 4))  # beyond the bounds too
    u, volume = transport.forward(v)
    back, same = transport.inverse(u)
    np.testing.assert_allclose(back, v, atol=1e-9)
    np.testing.assert_allclose(same, volume, atol=1e-9)


def test_the_traced_map_and_its_determinant(transport):
    v = np.random.default_rng(5).normal(size=(20, 4))
    u, volume = transport.forward(v)
    traced, told = jax.vmap(transport.traced)(v)
    np.testing.assert_allclose(traced, u, atol=1e-12)
    np.testing.assert_allclose(told, volume, atol=1e-12)
    slopes = jax.vmap(jax.jacfwd(lambda row: transport.traced(row)[0]))(v)
    np.testing.assert_allclose(np.linalg.slogdet(slopes)[1], volume, atol=1e-9)


def test_nothing_is_moved_by_the_first_map():
    v = np.random.default_rng(6).normal(size=(9, 3))
    u, volume = unmoved(3).forward(v)
    np.testing.assert_allclose(u, v, atol=1e-12)
    np.testing.assert_allclose(volume, 0.0, atol=1e-12)


def test_no_row_depends_on_a_later_coordinate(transport):
    last = np.where(powers(4) < 4, powers(4), -1).max(axis=1)
    for i in range(4):
        for matrix in (transport.place, transport.scale):
            assert not matrix[i, last >= i].any()
    assert isinstance(transport, Transport)
