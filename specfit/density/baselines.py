"""Baselines of patterns: known curves, each scaled by one coefficient or shaped by more.

Chebyshev polynomials of the axis mapped to [−1, 1]; an exponential and a power law from
the lower end of the axis; a step widened by a Gaussian; and the baseline of D. A. Shirley,
Phys. Rev. B 5, 4709 (1972), doi:10.1103/PhysRevB.5.4709, which rises with the area of
peaks below: here of the fitted peaks, so that nothing is subtracted beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from specfit.constants import SIGMA_FWHM
from specfit.contracts import Array
from specfit.model.peak_kinds import MOST_ORDER

POLYNOMIAL = tuple(f"c{k}" for k in range(MOST_ORDER + 1))


def chebyshev(x: Array, low: Array, high: Array, order: int) -> list[Array]:
    """T_0 … T_order over [low, high]."""
    u = 2.0 * (x - low) / (high - low) - 1.0
    rows = [jnp.ones_like(u), u]
    for _ in range(order - 1):
        rows.append(2.0 * u * rows[-1] - rows[-2])
    return rows[: order + 1]


def unit_curve(
    kind: str, given: Mapping[str, Array], x: Array, low: Array
) -> tuple[str, Array] | None:
    """The coefficient and the curve that it scales, of a baseline with a shape."""
    if kind == "exponential":
        return "b", jnp.exp(-(x - low) / given["decay"])
    if kind == "powerlaw":
        ratio = jnp.maximum(x, 1e-12) / jnp.maximum(low, 1e-12)
        return "b", jnp.exp(-given["r"] * jnp.log(ratio))
    if kind == "step":
        sigma = jnp.maximum(given["edge_width"], 1e-9) / SIGMA_FWHM
        return "step", jax.scipy.stats.norm.cdf((x - given["edge"]) / sigma)
    return None


def risen(curve: Array, x: Array) -> Array:
    """The area of a curve up to each x, by trapezoids; x rises along the last axis."""
    steps = 0.5 * (curve[..., 1:] + curve[..., :-1]) * (x[..., 1:] - x[..., :-1])
    return jnp.concatenate(
        [jnp.zeros_like(curve[..., :1]), jnp.cumsum(steps, axis=-1)], axis=-1
    )
