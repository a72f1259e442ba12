"""JAX's random keys, derived on the host: the same bits, and nothing to compile.

Splitting a key is a hundred integer operations, for which XLA would compile a program
of its own for every number of parts.

Source: Salmon et al. 2011, doi:10.1145/2063384.2063405 (Threefry-2x32, 20 rounds), used
as `jax.random` does; the tests compare with it.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from specfit.contracts import Array

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def seeded(seed: int) -> Array:
    """The key of a seed, `jax.random.key(seed)`."""
    return _key(_seed(seed))


def split(key: Array, count: int = 2) -> tuple[Array, ...]:
    """`count` new keys, one by one."""
    return tuple(_key(row) for row in _split(key, count))


def stacked(key: Array, count: int) -> Array:
    """`count` new keys in one array."""
    return _key(_split(key, count))


def fold_in(key: Array, number: int) -> Array:
    """The key for a number."""
    return _key(_threefry(_words(key), _seed(number)))


def _key(words: Any) -> Array:
    key: Array = jax.random.wrap_key_data(words)
    return key


def _words(key: Array) -> Any:
    return np.asarray(jax.random.key_data(key))


def _seed(number: int) -> Any:
    return np.array([number >> 32 & 0xFFFFFFFF, number & 0xFFFFFFFF], np.uint32)


def _split(key: Array, count: int) -> Any:
    counts = np.stack([np.zeros(count, np.uint32), np.arange(count, dtype=np.uint32)])
    return np.ascontiguousarray(_threefry(_words(key), counts).T)


def _threefry(key: Any, counts: Any) -> Any:
    """The words `counts` (2, …), enciphered by the two words of the key."""
    parity = np.uint32(0x1BD11BDA)
    schedule = [key[0], key[1], key[0] ^ key[1] ^ parity]
    with np.errstate(over="ignore"):
        x, y = counts[0] + schedule[0], counts[1] + schedule[1]
        for turn in range(5):
            for rotation in _ROTATIONS[turn % 2]:
                x = x + y
                y = (y << np.uint32(rotation)) | (y >> np.uint32(32 - rotation))
                y = y ^ x
            x = x + schedule[(turn + 1) % 3]
            y = y + schedule[(turn + 2) % 3] + np.uint32(turn + 1)
    return np.stack([x, y])
