"""Densities cut off at bounds and mixed, renormalised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from specfit.contracts import Array
from specfit.distributions.families import FAMILIES, as_arrays, clip, edges
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import JAX, Mathematics
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")


Bound = Any  # a number, an array or None (unbounded)
Component = tuple[Any, str, Sequence[Any]]  # weight, family, arguments


def log_mass(
    m: Mathematics, family: str, arguments: Sequence[Any], low: Bound, high: Bound
) -> Any:
    """Log P(low ≤ X ≤ high), formed in the nearer tail.

    Bounds that the support already has are left out, so that the shape parameters of
    `beta` and `student_t`, along which the incomplete beta function has no derivative
    here, may be unknown as long as nothing is cut off.
    """
    given = tuple(arguments)
    bottom, top = edges(FAMILIES[family].support, given)
    low = None if _implied(low, bottom, 1.0) else low
    high = None if _implied(high, top, -1.0) else high
    law = LAWS[family]
    low = None if low is None else clip(m, low, bottom, top)
    high = None if high is None else clip(m, high, bottom, top)
    if low is None:
        return 0.0 if high is None else law.below(m, high, *given)
    above = law.above(m, low, *given)
    if high is None:
        return above
    upper = m.log_difference(above, law.above(m, high, *given))
    lower = m.log_difference(law.below(m, high, *given), law.below(m, low, *given))
    return m.array.where(above < math.log(0.5), upper, lower)


def _implied(bound: Bound, edge: Bound, sign: float) -> bool:
    """Whether a bound known now says no more than the end of the support does."""
    if bound is None:
        return True
    if not isinstance(bound, int | float):
        return False
    if math.isinf(bound):
        return True
    return isinstance(edge, int | float) and sign * bound <= sign * edge


def log_density(
    family: str,
    x: Array,
    arguments: Sequence[Any],
    low: Bound = None,
    high: Bound = None,
) -> Array:
    """The log density of a family, renormalised to [low, high]; −inf outside.

    `x` and the arguments broadcast; bounds are numbers, arrays or None.
    """
    return mixture_log_density(x, [(1.0, family, arguments)], low, high)


def mixture_log_density(
    x: Array, components: Sequence[Component], low: Bound = None, high: Bound = None
) -> Array:
    """The log density of a mixture, renormalised to [low, high] as a whole.

    Weights need not sum to one.
    """
    (point,) = as_arrays(x)
    parts = [
        (as_arrays(w)[0], name, as_arrays(*given)) for w, name, given in components
    ]
    densities = [
        JAX.log(w) + FAMILIES[name].log_density(point, *given)
        for w, name, given in parts
    ]
    masses = [
        JAX.log(w) + log_mass(JAX, name, given, low, high) for w, name, given in parts
    ]
    value = _log_total(densities) - _log_total(masses)
    return jnp.where(clip(JAX, point, low, high) == point, value, -jnp.inf)


def _log_total(terms: Sequence[Array]) -> Array:
    """The logarithm of the sum of exponentials."""
    if len(terms) == 1:
        return terms[0]
    stack = jnp.stack(jnp.broadcast_arrays(*terms))
    possible = jnp.any(stack > -jnp.inf, axis=0)
    total = JAX.special.logsumexp(jnp.where(possible, stack, 0.0), axis=0)
    return jnp.where(possible, total, -jnp.inf)
