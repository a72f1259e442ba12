"""A set of phases fitted to one spectrum: mode, curvature, evidence; NumPy alone.

    N(v) = N0 (1 − Σ_p A_p Σ_j s_pj L_j(v)),  s the shares of the sites of a phase

Unknown are log N0, the calibration's nuisances, the ratio x of the second to the third
line of all sextets, and of each phase log A and the logarithm of its line width, of each
site the deviation of its share and IS, QS, Bint.  Thousands of sets are fitted, each for
a few milliseconds: compiling them would take longer than fitting them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum, absorbed, lines
from specfit.identify.densities import Densities
from specfit.identify.patterns import WIDTHS, PhasePattern

TEXTURE = (2.0, 0.25)
"""Ratio of the second to the third line: 2 for a powder, and its spread."""
AREA = (np.log(0.15), 1.5)
"""log of a phase's area in mm/s, and its spread: any thin absorber."""
LEVEL = 0.1
"""Spread of log N0 about the largest counts."""
STEPS, ENOUGH, LONGEST = 30, 1e-2, 3.0
HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class Mixture:
    """Phases fitted together; `theta` in the order of `_Layout`.

    log_evidence: Laplace's.  areas: mm/s of each phase.  curve: expected counts.
    design: derivatives of the curve (n_channels, n_unknowns), weighted.
    """

    phases: tuple[PhasePattern, ...]
    theta: FloatArray
    covariance: FloatArray
    log_posterior: float
    log_evidence: float
    log_likelihood: float
    curve: FloatArray
    design: FloatArray

    @property
    def names(self) -> frozenset[str]:
        """The phases, by name."""
        return frozenset(phase.name for phase in self.phases)

    @property
    def layout(self) -> Layout:
        """Where the unknowns stand."""
        return Layout(self.phases, self.theta.size - _size(self.phases) - 2)

    @property
    def areas(self) -> FloatArray:
        """Resonant area of each phase, mm/s."""
        return np.exp(self.theta[self.layout.area])


def _size(phases: Sequence[PhasePattern]) -> int:
    return sum(2 + sum(1 + len(s.priors) for s in phase.sites) for phase in phases)


class Layout:
    """Where the unknowns of some phases stand in one vector."""

    def __init__(self, phases: Sequence[PhasePattern], nuisances: int) -> None:
        self.phases, self.nuisances = phases, nuisances
        self.texture = 1 + nuisances
        at = 2 + nuisances
        self.area, self.width = [], []
        self.share: list[list[int]] = []
        self.values: list[list[list[int]]] = []
        for phase in phases:
            self.area.append(at)
            self.width.append(at + 1)
            at += 2
            shares, values = [], []
            for site in phase.sites:
                shares.append(at)
                values.append(list(range(at + 1, at + 1 + len(site.priors))))
                at += 1 + len(site.priors)
            self.share.append(shares)
            self.values.append(values)
        self.size = at
        self.densities = Densities.of(
            [
                (place, density)
                for phase, rows in zip(phases, self.values, strict=True)
                for site, places in zip(phase.sites, rows, strict=True)
                for place, density in zip(places, site.priors, strict=True)
            ]
        )
        self.shares = np.array([i for row in self.share for i in row], dtype=int)
        self.spreads = np.concatenate([phase.spreads for phase in phases])
        self.widths = np.log([phase.width for phase in phases])

    def start(self, spectrum: Spectrum) -> FloatArray:
        """Every phase as its records say, all of one area."""
        theta = np.zeros(self.size)
        theta[0] = np.log(spectrum.level)
        theta[self.texture] = TEXTURE[0]
        for p, phase in enumerate(self.phases):
            theta[self.area[p]] = AREA[0] - 1.0
            theta[self.width[p]] = np.log(phase.width)
            for site, places in zip(phase.sites, self.values[p], strict=True):
                theta[places] = site.middle[: len(places)]
        return theta


def curve(
    spectrum: Spectrum, layout: Layout, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Expected counts and their derivatives (n_channels, n_unknowns)."""
    if spectrum.half_offset == 0.0:
        return _curve(spectrum, layout, theta, 0.0)
    sides = [
        _curve(spectrum, layout, theta, sign * spectrum.half_offset)
        for sign in (1.0, -1.0)
    ]
    return 0.5 * (sides[0][0] + sides[1][0]), 0.5 * (sides[0][1] + sides[1][1])


def _curve(
    spectrum: Spectrum, layout: Layout, theta: FloatArray, offset: float
) -> tuple[FloatArray, FloatArray]:
    moved = spectrum.jacobian @ theta[1 : 1 + layout.nuisances]
    velocity = spectrum.velocity + moved + offset
    dip = np.zeros_like(velocity)
    change = np.zeros((layout.size, velocity.size))
    steep = np.zeros_like(velocity)  # d dip / d velocity
    texture = float(theta[layout.texture])
    for p, phase in enumerate(layout.phases):
        area, width = np.exp(theta[layout.area[p]]), np.exp(theta[layout.width[p]])
        logs = phase.shares + theta[layout.share[p]]
        shares = np.exp(logs - logs.max())
        shares /= shares.sum()
        sites = []
        for j, site in enumerate(phase.sites):
            places, height = layout.values[p][j], area * shares[j]
            at = lines(site.kind, theta[places], texture, spectrum.slopes)
            found = absorbed(velocity, width, at)
            slope = height * found.slope
            steep += slope.sum(axis=0)
            change[places] -= at[2].T @ slope
            change[layout.texture] += height * found.by_texture
            change[layout.width[p]] += height * found.by_width
            sites.append(found.curve)
        whole = shares @ np.array(sites)
        dip += area * whole
        change[layout.area[p]] = area * whole
        for j, own in enumerate(sites):
            change[layout.share[p][j]] = area * shares[j] * (own - whole)
    change[1 : 1 + layout.nuisances] = spectrum.jacobian.T * steep
    level = np.exp(theta[0])
    expected = level * (1.0 - dip)
    change *= -level
    change[0] = expected
    return expected, change.T


def log_prior(
    layout: Layout, theta: FloatArray, spectrum: Spectrum
) -> tuple[float, FloatArray, FloatArray]:
    """Log prior, its gradient, and a diagonal of positive curvatures."""
    slope, bend = np.zeros(layout.size), np.zeros(layout.size)
    total = 0.0
    nuisances = np.arange(1, 1 + layout.nuisances)
    for places, mean, sd in (
        (np.zeros(1, int), np.log(spectrum.level), LEVEL),
        (nuisances, 0.0, 1.0),
        (np.array([layout.texture]), *TEXTURE),
        (np.array(layout.area), *AREA),
        (np.array(layout.width), layout.widths, WIDTHS),
        (layout.shares, 0.0, layout.spreads),
    ):
        far = (theta[places] - mean) / sd
        ones = np.ones(len(places))
        total -= float(np.sum(0.5 * far**2 + ones * (np.log(sd) + HALF_LOG_2PI)))
        slope[places], bend[places] = -far / sd, ones / sd**2
    every = layout.densities
    value, first, second = every.log(theta)
    slope[every.places], bend[every.places] = first, second
    return total + value, slope, bend


def fitted(
    spectrum: Spectrum,
    phases: Sequence[PhasePattern],
    start: FloatArray,
    steps: int = STEPS,
) -> Mixture | None:
    """The mode above `start`, or `steps` towards it; None where the curve is not positive."""
    layout = Layout(tuple(phases), spectrum.jacobian.shape[1])
    at = _local(spectrum, layout, start)
    if at is None:
        return None
    theta, damping = start, 1e-2
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
            damping *= 10.0
    value, _, hessian, likelihood, expected, design = at
    sign, size = np.linalg.slogdet(hessian)
    covariance: FloatArray = np.asarray(np.linalg.pinv(hessian), dtype=float)
    evidence = value + 0.5 * layout.size * np.log(2.0 * np.pi) - 0.5 * size
    if sign <= 0.0 or not np.isfinite(evidence):
        return None
    return Mixture(
        tuple(phases), theta, covariance, value, float(evidence),
        likelihood, expected, design,
    )  # fmt: skip


Local = tuple[float, FloatArray, FloatArray, float, FloatArray, FloatArray]


def _local(spectrum: Spectrum, layout: Layout, theta: FloatArray) -> Local | None:
    """Log posterior, gradient, curvature, log-likelihood, curve, weighted design."""
    expected, slopes = curve(spectrum, layout, theta)
    if not (expected > 0.0).all():
        return None
    counts = spectrum.counts
    safe = np.maximum(counts, 1.0)
    # up to what the counts alone decide: half the deviance
    likelihood = float(np.sum(counts * np.log(expected / safe) - (expected - counts)))
    prior, own, bend = log_prior(layout, theta, spectrum)
    design = slopes / np.sqrt(expected)[:, None]
    gradient = slopes.T @ (counts / expected - 1.0) + own
    hessian = design.T @ design + np.diag(bend)
    return likelihood + prior, gradient, hessian, likelihood, expected, design


def _step(
    gradient: FloatArray, hessian: FloatArray, damping: float
) -> tuple[FloatArray, float]:
    scale = 1.0 / np.sqrt(np.diag(hessian))
    scaled = hessian * scale * scale[:, None]
    factor = np.linalg.cholesky(scaled + damping * np.eye(len(scale)))
    half = np.linalg.solve(factor, scale * gradient)
    step = scale * np.linalg.solve(factor.T, half)
    longest = float(np.max(np.abs(step)))
    return step * min(1.0, LONGEST / longest), 0.5 * float(half @ half)
