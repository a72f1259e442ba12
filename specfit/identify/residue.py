"""What a set of phases leaves of a spectrum, and how far it could still give way.

To second order about the mode of what is there, the log posterior with a further signal
f (over √counts) is, its unknowns at their best response,

    −½ |e|² + ½ |Wᵀe + g|²,   e = e₀ − f,   W = D L⁻ᵀ,   L Lᵀ = DᵀD + B,

D the derivatives of what is there, B the curvature and L g the slope of its log prior.
A phase that others can stand in for therefore explains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from specfit.contracts import FloatArray
from specfit.identify.appearance import TEXTURE, Spectrum
from specfit.identify.layout import LEVEL
from specfit.identify.mixture import Mixture, log_prior


@dataclass(frozen=True, eq=False)
class Residue:
    """What is left, and the response of what is there.

    velocity: where the counts belong.  weight: what a dip takes from the counts, over
    their root.  left: e₀ (n_channels,).  response: W (n_channels, n_unknowns).  slope: g.
    evidence: of what is there, without the phases taken out, as far as they can be.
    """

    velocity: FloatArray
    half_offset: float
    weight: FloatArray
    left: FloatArray
    response: FloatArray
    slope: FloatArray
    texture: float

    @cached_property
    def pull(self) -> FloatArray:
        """What a small signal is multiplied with to give what it would explain."""
        return self.left - self.response @ (self.response.T @ self.left + self.slope)

    @cached_property
    def value(self) -> float:
        """The log posterior without a further signal, up to a constant."""
        moved = self.response.T @ self.left + self.slope
        return float(0.5 * moved @ moved - 0.5 * self.left @ self.left)


def of_nothing(spectrum: Spectrum) -> Residue:
    """The residue of a spectrum in which nothing has been found."""
    root = np.sqrt(spectrum.level)
    left = spectrum.counts / root - root
    bend = spectrum.counts.size * spectrum.level + LEVEL**-2
    response = np.full((left.size, 1), root / np.sqrt(bend))
    return Residue(
        spectrum.velocity, spectrum.half_offset, np.full(left.size, root),
        left, response, np.zeros(1), TEXTURE[0],
    )  # fmt: skip


def without(spectrum: Spectrum, found: Mixture, members: Sequence[int] = ()) -> Residue:
    """The residue of a set whose `members` are taken out, the others where they are."""
    layout = found.layout
    kept = np.ones(layout.size, dtype=bool)
    root = np.sqrt(found.curve)
    left = (spectrum.counts - found.curve) / root
    for index in members:
        kept[layout.own(index)] = False
        left = left + found.design[:, layout.area[index]]
    factor = cholesky(found.hessian[np.ix_(kept, kept)], lower=True)
    slope = log_prior(layout, found.theta, spectrum)[1][kept]
    moved = spectrum.jacobian @ found.theta[1 : 1 + layout.nuisances]
    return Residue(
        spectrum.velocity + moved,
        spectrum.half_offset,
        found.weight,
        left,
        solve_triangular(factor, found.design[:, kept].T, lower=True).T,
        solve_triangular(factor, slope, lower=True),
        float(found.theta[layout.texture]),
    )
