"""The sum over all lines of one spectrum: the hot spot of every gradient.

Any line shape is summed as it is.  The Lorentzian has a sum of its own, a / (d² + b)
with its weight folded in and its derivative written by hand (a rule for `jvp`, so that
forward, reverse and second derivatives all work): the gradient of the density takes
two thirds of the time.  Its value alone, which importance weights ask for by the
million, takes a quarter.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from specfit.contracts import Array
from specfit.shapes import SHAPES


def absorption(
    shape: str, at: Array, position: Array, weight: Array, fwhm: Array, sigma: Array
) -> Array:
    """Σ weight × profile (n_velocities,) of lines (n_lines,) at velocities `at`."""
    if shape == "lorentzian":
        return _lorentzians(
            at, position, weight * fwhm * (0.5 / math.pi), 0.25 * fwhm**2
        )
    profile = SHAPES[shape].profile
    each = profile(at - position[:, None], fwhm[:, None], sigma[:, None])
    return jnp.sum(weight[:, None] * each, axis=0)


FEW = 24
"""Lines up to which their sum is written out: more take long to compile."""


@jax.custom_jvp
def _lorentzians(at: Array, position: Array, a: Array, b: Array) -> Array:
    if len(position) <= FEW:
        return _written_out(at, position, a, b)
    offset = at - position[:, None]
    return jnp.sum(a[:, None] / (offset * offset + b[:, None]), axis=0)


def _written_out(at: Array, position: Array, a: Array, b: Array) -> Array:
    """The same, term after term, which a processor does for several channels at once.

    Two lines share one division, the dearest part.  The sum is kept from being merged
    into what is made of it, where it would be computed again for each.
    """
    squares = [(at - x) * (at - x) + y for x, y in zip(position, b, strict=True)]
    pairs = len(squares) // 2
    terms = [
        (a[i] * squares[i + pairs] + a[i + pairs] * squares[i])
        / (squares[i] * squares[i + pairs])
        for i in range(pairs)
    ]
    alone = [a[-1] / squares[-1]] if len(squares) % 2 else []
    total = sum([*terms, *alone], jnp.zeros_like(at))
    kept: Array = jax.lax.optimization_barrier(total)  # type: ignore[no-untyped-call]
    return kept


def _derivative(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """With q = 1 / (d² + b): q da − a q² db + 2 a q² d (dposition − dat).

    Written as products with the tangents, so that many tangents share one matrix.
    """
    at, position, a, b = primals
    d_at, d_position, d_a, d_b = (
        jnp.zeros(t.shape, t.dtype) if isinstance(t, SymbolicZero) and i else t
        for i, t in enumerate(tangents)
    )
    offset = at - position[:, None]
    q = 1.0 / (offset * offset + b[:, None])
    aq = a[:, None] * q
    steep = 2.0 * aq * q * offset
    rows = jnp.concatenate([q, steep, aq * q])
    change = jnp.concatenate([d_a, d_position, -d_b]) @ rows
    if not isinstance(d_at, SymbolicZero):
        change = change - jnp.sum(steep, axis=0) * d_at
    return jnp.sum(aq, axis=0), change


_lorentzians.defjvp(_derivative, symbolic_zeros=True)
