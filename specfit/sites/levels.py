"""Energy levels of a small Hermitian matrix, with derivatives where levels cross.

The derivative of a level's state is divided by its distance to every other.  Where two
levels meet, each state has no derivative, but what is observed has one: what one line
loses the other gains, at the same place.  So the quotient is kept finite there, and the
sums over lines come out right (tested against the resolvent, which knows no levels).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from specfit.contracts import Array
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
else:
    jax = LazyModule("jax")
    jnp = LazyModule("jax.numpy")

MEETING = 1e-10
"""Distance (mm/s) of two levels at which they count as one: 1e-9 of a linewidth."""


def levels(matrix: Array) -> tuple[Array, Array]:
    """Energies (n,), rising, and states (n, n), a column each, of a Hermitian matrix."""
    found: tuple[Array, Array] = _differentiable()(matrix)
    return found


@cache
def _differentiable() -> Any:
    """Made on the first call: whoever only reads a .spec does not import JAX."""
    known = jax.custom_jvp(_solved)
    known.defjvp(_derivative)
    return known


def _solved(matrix: Array) -> tuple[Array, Array]:
    energy, state = jnp.linalg.eigh(matrix, symmetrize_input=False)
    return energy, state


def _derivative(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """dE_i = ⟨i|dH|i⟩, d|i⟩ = Σ_j |j⟩ ⟨j|dH|i⟩ / (E_i − E_j), in the phase of |i⟩."""
    (matrix,), (change,) = primals, tangents
    energy, state = levels(matrix)
    inside = jnp.conj(state).T @ change @ state
    apart = energy[None, :] - energy[:, None]
    mixing = apart / (apart**2 + MEETING**2)
    d_state = state @ (mixing.astype(state.dtype) * inside)
    return (energy, state), (jnp.real(jnp.diagonal(inside)), d_state)
