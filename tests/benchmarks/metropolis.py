"""The report's sampler: Metropolis, one unknown after another, compiled by JAX."""

from __future__ import annotations

WANTED = 0.44
"""Acceptance that the step lengths are tuned to (Roberts and Rosenthal 2001)."""


def metropolis(density, n: int, warmup: int, draws: int):
    """A compiled chain: (key, start (n,)) → positions (draws // n, n), one a sweep."""
    import jax
    import jax.numpy as jnp

    def step(state, inputs):
        theta, value, scale = state
        key, number = inputs
        one, two = jax.random.split(key)
        at = number % n
        trial = theta.at[at].add(jnp.exp(scale[at]) * jax.random.normal(one))
        new = density(trial)
        taken = jnp.log(jax.random.uniform(two)) < new - value
        theta, value = jnp.where(taken, trial, theta), jnp.where(taken, new, value)
        learn = jnp.where(number < warmup, 2.0 / (1.0 + number / n) ** 0.6, 0.0)
        return (theta, value, scale.at[at].add(learn * (taken - WANTED))), theta

    @jax.jit
    def chain(key, start):
        total = warmup + draws
        scale = jnp.log(1e-3 * (1.0 + jnp.abs(start)))
        keys = jax.random.split(key, total)
        begin = (start, density(start), scale)
        return jax.lax.scan(step, begin, (keys, jnp.arange(total)))[1][warmup::n]

    return chain
