"""A set of phases fitted to one spectrum: mode, curvature, evidence; NumPy alone.

    N(v) = N0 (1 + a u + b u²) (1 − (1 − exp(−κ d)) / κ),  u = v / max |v|
    d(v) = Σ_p A_p Σ_j s_pj L_j(v),  s the shares of the sites of a phase

Unknown are log N0, the calibration's nuisances, the ratio x of the second to the third
line of all sextets, the saturation κ of a thick absorber (0 where it is thin; the source
is taken to be sharp, which is enough to tell thickness from a further phase), a, b, and
of each phase those of its `Block`.  Thousands of sets are fitted, each for a few
milliseconds: compiling them would take longer than fitting them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum, parts
from specfit.identify.layout import HALF_LOG_2PI, Layout, layout_of
from specfit.identify.patterns import PhasePattern

STEPS, ENOUGH, LONGEST = 40, 1e-2, 3.0
ROUNDING = 1e-12
"""Added to a curvature of unit diagonal, which rounding may leave not quite positive."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Phases fitted together; `theta` in the order of `Layout`.

    hessian: of the negative log posterior.  log_evidence: Laplace's.  curve: expected
    counts.  design: derivatives of the curve over its square root (n_channels, size).
    weight: what a further dip would take from the counts, over the same root.
    """

    phases: tuple[PhasePattern, ...]
    layout: Layout
    theta: FloatArray
    hessian: FloatArray
    log_posterior: float
    log_evidence: float
    log_likelihood: float
    curve: FloatArray
    design: FloatArray
    weight: FloatArray

    @property
    def names(self) -> frozenset[str]:
        """The phases, by name."""
        return frozenset(phase.name for phase in self.phases)

    @cached_property
    def covariance(self) -> FloatArray:
        """Of the unknowns, as the curvature at the mode says."""
        return np.asarray(np.linalg.pinv(self.hessian), dtype=float)

    @cached_property
    def deviations(self) -> FloatArray:
        """Standard deviations of the unknowns."""
        found: FloatArray = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return found

    @property
    def areas(self) -> FloatArray:
        """Resonant area of each phase, mm/s."""
        found: FloatArray = np.exp(self.theta[self.layout.area])
        return found


class Curve(NamedTuple):
    """Expected counts, their derivatives (size, n_channels), and by a further dip."""

    expected: FloatArray
    change: FloatArray
    by_dip: FloatArray


def curve(spectrum: Spectrum, layout: Layout, theta: FloatArray) -> Curve:
    """The expected counts."""
    if spectrum.half_offset == 0.0:
        return _curve(spectrum, layout, theta, 0.0)
    one, other = (
        _curve(spectrum, layout, theta, sign * spectrum.half_offset)
        for sign in (1.0, -1.0)
    )
    return Curve(*(0.5 * (a + b) for a, b in zip(one, other, strict=True)))


def _curve(
    spectrum: Spectrum, layout: Layout, theta: FloatArray, offset: float
) -> Curve:
    moved = spectrum.jacobian @ theta[1 : 1 + layout.nuisances]
    velocity = spectrum.velocity + moved + offset
    shares, heights = _heights(layout, theta)
    own, turn = parts(layout.ratio, float(theta[layout.texture]))
    fwhm = np.exp(theta[layout.width])[layout.of_line]
    far = velocity - (layout.moves @ theta)[:, None]
    q = 1.0 / (far**2 + (0.25 * fwhm**2)[:, None])
    height = heights[layout.site] * own * 0.5 * fwhm / np.pi
    dips = height[:, None] * q
    slope = -2.0 * far * q * dips  # d dip / d velocity
    sites = np.add.reduceat(dips, layout.first_line)
    wholes = np.add.reduceat(sites, layout.first_site)
    # d log(dip) / d log(width) = 1 − w² q / 2
    wider = dips * (1.0 - (0.5 * fwhm**2)[:, None] * q)
    change = -(layout.moves.T @ slope)
    change[layout.texture] = turn @ dips
    change[layout.width] = np.add.reduceat(wider, layout.first_line[layout.first_site])
    change[layout.area] = wholes
    change[layout.share] = sites - shares[:, None] * wholes[layout.of_site]
    change[1 : 1 + layout.nuisances] = spectrum.jacobian.T * slope.sum(axis=0)
    dip = wholes.sum(axis=0)
    kappa = float(theta[layout.saturation])
    passed, taken, bend = _saturated(dip, kappa)
    powers = spectrum.powers
    base = np.exp(theta[0]) * (1.0 + theta[layout.base] @ powers)
    expected = base * (1.0 - taken)
    by_dip = base * passed
    change *= -by_dip
    change[0] = expected
    change[layout.saturation] = -base * bend
    change[layout.base] = np.exp(theta[0]) * powers * (1.0 - taken)
    return Curve(expected, change, by_dip)


def _saturated(
    dip: FloatArray, kappa: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """exp(−κ d), (1 − exp(−κ d)) / κ, and the derivative of this by κ."""
    passed = np.exp(-kappa * dip)
    if abs(kappa) < 1e-3:
        taken = dip * (1.0 - 0.5 * kappa * dip)
        return passed, taken, dip**2 * (kappa * dip / 3.0 - 0.5)
    taken = (1.0 - passed) / kappa
    return passed, taken, (dip * passed - taken) / kappa


def _heights(layout: Layout, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each site's share of its phase, and its area in mm/s."""
    logs = layout.shares + theta[layout.share]
    top = np.maximum.reduceat(logs, layout.first_site)
    shares = np.exp(logs - top[layout.of_site])
    shares = shares / np.add.reduceat(shares, layout.first_site)[layout.of_site]
    return shares, shares * np.exp(theta[layout.area])[layout.of_site]


def log_prior(
    layout: Layout, theta: FloatArray, spectrum: Spectrum
) -> tuple[float, FloatArray, FloatArray]:
    """Log prior, its gradient, and a diagonal of positive curvatures."""
    slope, bend = np.zeros(layout.size), np.zeros(layout.size)
    far = theta[layout.normal] - layout.mean
    far[0] -= np.log(spectrum.level)
    far /= layout.spread
    slope[layout.normal], bend[layout.normal] = -far / layout.spread, layout.spread**-2
    logs, first, second = layout.densities.log(theta[layout.values])
    slope[layout.values], bend[layout.values] = first, second
    value = float(np.sum(logs)) - 0.5 * float(far @ far) - layout.norm
    return value, slope, bend


def fitted(
    spectrum: Spectrum,
    phases: Sequence[PhasePattern],
    start: FloatArray,
    steps: int = STEPS,
) -> Mixture | None:
    """The mode above `start`, or `steps` towards it; None where the curve is not positive."""
    layout = layout_of(spectrum, phases)
    at = _local(spectrum, layout, start)
    if at is None:
        return None
    theta, damping = start, 1e-3
    for _ in range(steps):
        value, gradient, hessian = at[:3]
        step, gain = _step(gradient, hessian, damping)
        if gain < ENOUGH or damping > 1e8:
            break
        trial = theta + step
        there = _local(spectrum, layout, trial)
        if there is not None and there[0] >= value:
            theta, at, damping = trial, there, max(0.1 * damping, 1e-8)
        else:
            damping = max(10.0 * damping, 1e-3)
    value, _, hessian, likelihood, expected, design, weight = at
    sign, size = np.linalg.slogdet(hessian)
    evidence = value + layout.size * HALF_LOG_2PI - 0.5 * size
    if sign <= 0.0 or not np.isfinite(evidence):
        return None
    return Mixture(
        tuple(phases), layout, theta, hessian, value, float(evidence),
        likelihood, expected, design, weight,
    )  # fmt: skip


Local = tuple[float, FloatArray, FloatArray, float, FloatArray, FloatArray, FloatArray]


def _local(spectrum: Spectrum, layout: Layout, theta: FloatArray) -> Local | None:
    """Log posterior, gradient, curvature, log-likelihood, curve, design, weight."""
    expected, slopes, by_dip = curve(spectrum, layout, theta)
    if not (expected > 0.0).all():
        return None
    counts = spectrum.counts
    safe = np.maximum(counts, 1.0)
    # up to what the counts alone decide: half the deviance
    likelihood = float(np.sum(counts * np.log(expected / safe) - (expected - counts)))
    prior, own, bend = log_prior(layout, theta, spectrum)
    root = np.sqrt(expected)
    slopes /= root
    gradient = slopes @ ((counts - expected) / root) + own
    hessian = slopes @ slopes.T
    hessian.flat[:: layout.size + 1] += bend
    value = likelihood + prior
    return value, gradient, hessian, likelihood, expected, slopes.T, by_dip / root


def _step(
    gradient: FloatArray, hessian: FloatArray, damping: float
) -> tuple[FloatArray, float]:
    """The damped step, and what the whole, undamped one promises.

    A strongly damped step promises little anywhere.
    """
    scale = 1.0 / np.sqrt(np.diag(hessian))
    scaled, pull = hessian * scale * scale[:, None], scale * gradient
    scaled.flat[:: len(scale) + 1] += ROUNDING
    whole = cho_factor(scaled, lower=True, check_finite=False)
    gain = 0.5 * float(pull @ cho_solve(whole, pull, check_finite=False))
    scaled.flat[:: len(scale) + 1] += damping
    damped = cho_factor(scaled, lower=True, check_finite=False)
    step = scale * cho_solve(damped, pull, check_finite=False)
    longest = float(np.max(np.abs(step)))
    return step * min(1.0, LONGEST / longest), gain
