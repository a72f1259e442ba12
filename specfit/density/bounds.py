"""Values kept inside the bounds in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from specfit.contracts import Array


def folded(function: Callable[[Any, Any], Any], items: list[Any]) -> Any:
    """The tightest of several bounds, None without any."""
    if not items:
        return None
    result = items[0]
    for item in items[1:]:
        result = function(result, item)
    return result


def inside(x: Array, low: Any, high: Any, margin: float) -> Array:
    """`x` inside the bounds: the next number, or by `margin` of the interval."""
    width = high - low if low is not None and high is not None else 1.0
    if low is not None:
        edge = lax.stop_gradient(jnp.asarray(low, x.dtype))
        next_ = jnp.nextafter(edge, jnp.inf)
        x = jnp.maximum(x, jnp.maximum(next_, low + margin * width))
    if high is not None:
        edge = lax.stop_gradient(jnp.asarray(high, x.dtype))
        next_ = jnp.nextafter(edge, -jnp.inf)
        x = jnp.minimum(x, jnp.minimum(next_, high - margin * width))
    return x
