"""The derivative of a site's profile as a product with one matrix.

Backwards through a profile of several terms, every parameter of every term is summed over
all velocities by itself, which is slow and long to compile.  The derivatives along the
few parameters of a site, one row each, are as cheap as the profile; what is asked for,
forwards or backwards, is then one product with these rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from specfit.contracts import Array

Profile = Callable[[Mapping[str, Array], Array, Array], Array]


def directed(profile: Profile) -> Profile:
    """The same profile; `slopes` are taken as constants, as they are of the data."""

    def seen(given: Mapping[str, Array], slopes: Array, velocity: Array) -> Array:
        names = tuple(name for name in given if name != "I")
        values = jnp.stack([given[name] for name in names])
        found: Array = _seen(profile, names, values, slopes, velocity)
        return found

    return seen


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _seen(
    profile: Profile,
    names: tuple[str, ...],
    values: Array,
    slopes: Array,
    velocity: Array,
) -> Array:
    return profile(dict(zip(names, values, strict=True)), slopes, velocity)


def _derivative(
    profile: Profile,
    names: tuple[str, ...],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
) -> tuple[Array, Array]:
    values, slopes, velocity = primals
    d_values, _, d_velocity = tangents
    seen = partial(_seen, profile, names)

    def along(direction: Array) -> Array:
        def plain(x: Array) -> Array:
            return profile(dict(zip(names, x, strict=True)), slopes, velocity)

        row: Array = jax.jvp(plain, (values,), (direction,))[1]
        return row

    change = jnp.zeros_like(velocity)
    if not isinstance(d_values, SymbolicZero):
        change = change + d_values @ jax.vmap(along)(jnp.eye(len(names)))
    if not isinstance(d_velocity, SymbolicZero):
        given = dict(zip(names, values, strict=True))
        _, steep = jax.jvp(
            lambda at: profile(given, slopes, at),
            (velocity,),
            (jnp.ones_like(velocity),),
        )
        change = change + steep * d_velocity
    return seen(values, slopes, velocity), change


_seen.defjvp(_derivative, symbolic_zeros=True)
