"""Keys derived on the host are JAX's own."""

import jax
import numpy as np
import pytest

from specfit.inference import keys


def words(key):
    return np.asarray(jax.random.key_data(key)).tolist()


@pytest.mark.parametrize("seed", [0, 20190904, 2**31 + 5])
class TestKeys:
    def test_seed_and_number(self, seed):
        key, theirs = keys.seeded(seed), jax.random.key(seed)
        assert words(key) == words(theirs)
        for number in (0, 1, 77, 10**6):
            expected = jax.random.fold_in(theirs, number)
            assert words(keys.fold_in(key, number)) == words(expected)

    def test_split(self, seed):
        key = keys.seeded(seed)
        for count in (1, 2, 3, 4, 7):
            expected = words(jax.random.split(key, count))
            assert words(keys.stacked(key, count)) == expected
            assert [words(one) for one in keys.split(key, count)] == expected
