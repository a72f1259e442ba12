"""Errors of features by block: the same noise as with the covariance of all of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.features import Features
from specfit.model.functions import ERRORS, FUNCTIONS
from specfit.standardised import errors_of, feature_columns

N, P = 9, 6
TOGETHER = ([0, 3, 4], [1], [2, 5])  # not in the order of the columns


def covariance(generator):
    found = np.zeros((N, P, P))
    for members in TOGETHER:
        root = generator.normal(size=(N, len(members), len(members)))
        found[np.ix_(range(N), members, members)] = root @ root.transpose(0, 2, 1)
    return found


def widened(columns, sd, beta):
    """By NumPy, once JAX has said the same."""
    errors, places = (columns[name] for name in errors_of("d"))
    here = FUNCTIONS[ERRORS].meaning(np, sd, errors, places, *beta)
    with jax.enable_x64(True):
        given = map(jnp.asarray, (sd, errors, places, *beta))
        there = FUNCTIONS[ERRORS].meaning(jnp, *given)
    np.testing.assert_allclose(here, there, rtol=1e-13, atol=1e-15)
    return here


@pytest.mark.parametrize("rows", [None, np.arange(N) != 4])
def test_blocks_hold_all_of_the_covariance(rows):
    generator = np.random.default_rng(3)
    x, full = generator.normal(size=(N, P)), covariance(generator)
    columns = feature_columns("d", Features(x, covariance=full), rows)
    beta = generator.normal(size=P)
    unit = x.std(axis=0) if rows is None else x[rows].std(axis=0)
    expected = np.sqrt(0.3**2 + np.einsum("i,rij,j->r", beta / unit, full, beta / unit))
    np.testing.assert_allclose(widened(columns, 0.3, beta), expected, rtol=1e-12)
    assert columns["d.feature_blocks"].shape == (2, 3)  # the least two together


def test_errors_that_are_apart_make_blocks_of_one():
    generator = np.random.default_rng(4)
    x, sd = generator.normal(size=(N, P)), generator.uniform(size=(N, P))
    columns = feature_columns("d", Features(x, sd=sd))
    beta = generator.normal(size=P)
    expected = np.sqrt(0.3**2 + (sd / x.std(axis=0)) ** 2 @ beta**2)
    np.testing.assert_allclose(widened(columns, 0.3, beta), expected, rtol=1e-12)
    assert columns["d.feature_errors"].shape == (P, 1, 1, N)


def test_a_column_that_does_not_vary_makes_no_noise():
    x = np.column_stack([np.arange(N), np.full(N, 2.0)])
    full = np.tile([[1.0, 0.5], [0.5, 1.0]], (N, 1, 1))
    columns = feature_columns("d", Features(x, covariance=full))
    np.testing.assert_allclose(widened(columns, 0.0, [0.0, 5.0]), 0.0)
