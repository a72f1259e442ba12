"""A ridge that is curved: coordinates in which it is straight to second order.

Where data fix a combination of unknowns far better than each alone, the posterior
follows a curve, and the normal at its mode is right only near by.  The third derivatives
at the mode tell how every stiff direction moves with the softer ones; along the softest
of all, where the way is long, the bottom of the valley is followed itself.  Taking that
off coordinate by coordinate, soft ones first, is a triangular map of unit Jacobian, whose
inverse is as easy (maps of this kind: El Moselhy and Marzouk 2012,
doi:10.1016/j.jcp.2012.07.022).  What that leaves is learned from draws (`transport`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.transport import FAR, Transport, unmoved

STEP = 0.3
"""Distance, in standard deviations, over which the curvature's change is taken."""
KNOTS = np.arange(-5.0, 6.0)
"""Standard deviations along the softest direction at which the valley is looked for."""
DESCENTS = 4
"""Newton's steps across the valley at each of them, at most."""
ROUNDING = 1e-12
"""Least curvature, relative to the largest, that is told from none."""
MOST = 64
"""Unknowns up to which third derivatives are asked for: two Hessians each."""


@dataclass(frozen=True)
class Bend:
    """z = mean + basis @ (w + moved(w)), w = learned(v): v spherical, the softest first.

    basis: (d, d), columns the axes of the curvature times their standard deviations.
    third: (d, d, d), zero but for [i, j, k] with j, k < i: what moves coordinate i;
    valley: (n_knots, d), where the others are lowest at each of `KNOTS` of the first.
    """

    basis: FloatArray
    third: FloatArray
    valley: FloatArray
    learned: Transport

    def away(self, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Z − mean of the rows of `v` (n, d), and log |dw/dv|: all but the basis's own."""
        w, volume = self.learned.forward(v)
        near = np.clip(w, -FAR, FAR)
        pairs = np.einsum("ijk,nj,nk->ni", self.third, near, near)
        return (w + self._along(w[:, 0]) - 0.5 * pairs) @ self.basis.T, volume

    def spherical(self, away: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The inverse of `away`, row by row, and the same logarithm."""
        return self.learned.inverse(self.unbent(away))

    def unbent(self, away: FloatArray) -> FloatArray:
        """W of the rows z − mean: what `learned` is learned from."""
        bent = np.linalg.solve(self.basis, away.T).T
        w: FloatArray = bent - self._along(bent[:, 0])
        for i in range(1, bent.shape[1]):
            near = np.clip(w[:, :i], -FAR, FAR)
            pairs = near @ self.third[i, :i, :i]
            w[:, i] += 0.5 * np.sum(pairs * near, axis=1)
        return w

    @property
    def spline(self) -> CubicSpline:
        """The bottom of the valley against the softest coordinate."""
        return CubicSpline(KNOTS, self.valley)

    def _along(self, first: Any) -> FloatArray:
        places: FloatArray = self.spline(np.clip(first, KNOTS[0], KNOTS[-1]))
        return places


def bend_of(problem: Problem, mean: FloatArray, factor: FloatArray) -> Bend | None:
    """The bend at a mode of covariance `factor @ factor.T`; None where it is not known."""
    if len(mean) > MOST:
        return None
    axes, spread, _ = np.linalg.svd(factor)
    basis = axes * spread  # by falling spread: the softest first
    change = [
        _curvature(problem, mean + STEP * axis, basis)
        - _curvature(problem, mean - STEP * axis, basis)
        for axis in basis.T
    ]
    third = np.stack(change, axis=-1) / (2.0 * STEP)
    if not np.isfinite(third).all():
        return None
    softer = np.tri(len(mean), k=-1, dtype=bool)  # [i, j]: j < i
    third = third * (softer[:, :, None] & softer[:, None, :])
    valley = _valley(problem, mean, basis, third[:, 0, 0])
    third[:, 0, 0] = 0.0  # what the valley says instead
    usable = np.isfinite(valley).all()
    return Bend(basis, third, valley, unmoved(len(mean))) if usable else None


def _valley(
    problem: Problem, mean: FloatArray, basis: FloatArray, third: FloatArray
) -> FloatArray:
    """The bottom of the valley at each of `KNOTS`, found from the mode outwards."""
    found = np.zeros((len(KNOTS), len(mean)))
    for side in (np.flatnonzero(KNOTS > 0.0), np.flatnonzero(KNOTS < 0.0)[::-1]):
        last, before = np.zeros(len(mean)), 0.0
        for place in side:
            at = KNOTS[place]
            guess = last - 0.5 * third * (at**2 - before**2)
            last, before = _lowest(problem, mean, basis, guess, at), at
            found[place] = last
    return found


def _lowest(
    problem: Problem, mean: FloatArray, basis: FloatArray, w: FloatArray, at: float
) -> FloatArray:
    """Where the density is highest across the softest direction, `at` along it."""
    w = np.where(np.arange(len(w)) > 0, w, 0.0)
    for _ in range(DESCENTS):
        place = mean + basis @ (w + at * np.eye(len(w))[0])
        _, gradient, hessian = evaluate.curvature(problem, place)
        slope, stiff = (basis.T @ gradient)[1:], (basis.T @ hessian @ basis)[1:, 1:]
        if not _certain(stiff):
            break
        step = np.linalg.solve(stiff, slope)
        w[1:] += step
        if float(slope @ step) < 1e-4:
            break
    return w


def _certain(stiff: FloatArray) -> bool:
    """Whether it is a curvature whose inverse means something: positive, beyond rounding."""
    if not np.isfinite(stiff).all():
        return False
    curvatures = np.linalg.eigvalsh(stiff)
    return bool(curvatures[0] > ROUNDING * curvatures[-1])


def _curvature(problem: Problem, z: FloatArray, basis: FloatArray) -> FloatArray:
    inside: FloatArray = basis.T @ evaluate.curvature(problem, z)[2] @ basis
    return inside
