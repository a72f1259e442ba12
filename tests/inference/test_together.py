"""Several components placed at once, against all sets tried one by one."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specfit.inference.stock import LABELS, apart
from specfit.inference.together import Pool, _best_sets, _distinct

N_ATOMS, N_DATA = 9, 30


def pool_of(seed: int, room: tuple[int, ...] = (3,)) -> tuple[Pool, np.ndarray]:
    """Random unit curves in as many classes as `room` has, and a residual."""
    generator = np.random.default_rng(seed)
    unit = np.abs(generator.normal(size=(N_ATOMS, N_DATA)))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    residual = generator.normal(size=N_DATA) - unit[:3].sum(axis=0)
    member = np.arange(N_ATOMS) % len(room)
    candidates = [(0, 0, i) for i in range(N_ATOMS)]
    pool = Pool(
        candidates, member, np.array(room), unit, unit @ unit.T, -unit @ residual
    )
    return pool, residual


def explained(pool: Pool, residual: np.ndarray, chosen: tuple[int, ...]) -> float:
    """χ² that the chosen atoms take away; zero where one would have to be negative."""
    columns = pool.unit[list(chosen)].T
    amplitude = np.linalg.lstsq(columns, -residual, rcond=None)[0]
    left = residual + columns @ amplitude
    return float(residual @ residual - left @ left) if (amplitude > 0.0).all() else 0.0


@given(st.integers(0, 10_000), st.integers(1, 2))
def test_no_other_set_explains_more(seed, size):
    pool, residual = pool_of(seed)
    every = {
        chosen: explained(pool, residual, chosen)
        for chosen in itertools.combinations(range(N_ATOMS), size)
    }
    found = [every[tuple(chosen)] for chosen in _best_sets(pool, size).tolist()]
    able = sorted((gain for gain in every.values() if gain > 0.0), reverse=True)
    np.testing.assert_allclose(found, able, rtol=1e-9)


@given(st.integers(0, 10_000))
def test_of_three_all_take_part(seed):
    pool, residual = pool_of(seed)
    for chosen in _best_sets(pool, 3).tolist():
        assert explained(pool, residual, tuple(chosen)) > 0.0


@given(st.integers(0, 10_000))
def test_a_class_gives_no_more_than_it_has_room_for(seed):
    pool, _ = pool_of(seed, room=(1, 2))
    for chosen in _best_sets(pool, 3):
        assert np.sum(pool.member[chosen] == 0) == 1


def test_sets_that_are_alike_in_all_members_are_one():
    pool, _ = pool_of(1)
    unit = np.eye(N_ATOMS, N_DATA)
    unit[1] = unit[0]  # atom 1 is atom 0 again
    twins = Pool(pool.candidates, pool.member, pool.room, unit, pool.gram, pool.pull)
    sets = np.array([[0, 5], [1, 5], [0, 6]])
    kept = _distinct(twins, sets, np.zeros((0, 0)), 3)
    assert kept.tolist() == [[0, 5], [0, 6]]
    kept = _distinct(twins, sets, unit[[5, 0]], 3)
    assert kept.tolist() == [[0, 6]]


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_chosen_places_lie_apart(seed, count):
    generator = np.random.default_rng(seed)
    curves = np.abs(generator.normal(size=(40, 3)))
    curves /= np.linalg.norm(curves, axis=1, keepdims=True)
    owner = generator.integers(0, 3, 40)
    taken = apart(curves, owner, 0.95, count)
    near = (curves @ curves.T)[np.ix_(taken, taken)] > 0.95
    assert taken[0] == 0
    assert len(taken) <= count
    assert (np.tril(near, -1).sum(axis=1) < LABELS).all()  # of those taken before
    same_owner = owner[taken][:, None] == owner[taken]
    np.testing.assert_array_equal(near & same_owner, np.eye(len(taken), dtype=bool))
