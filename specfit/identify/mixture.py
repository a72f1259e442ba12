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
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from specfit.contracts import FloatArray, Measurement
from specfit.identify.patterns import WIDTHS, Density, PhasePattern

TEXTURE = (2.0, 0.25)
"""Ratio of the second to the third line: 2 for a powder, and its spread."""
AREA = (np.log(0.15), 1.5)
"""log of a phase's area in mm/s, and its spread: any thin absorber."""
LEVEL = 0.1
"""Spread of log N0 about the largest counts."""
STEPS, ENOUGH, LONGEST = 30, 1e-2, 3.0
HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
SIGNS = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
OUTER = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Spectrum:
    """The counts of a measurement and where they were counted."""

    counts: FloatArray
    velocity: FloatArray
    half_offset: float
    jacobian: FloatArray  # (n_channels, n_nuisances)
    slopes: FloatArray  # (3,) mm/s/T

    @classmethod
    def of(cls, measured: Measurement) -> Spectrum:
        """The spectrum of a measurement."""
        size = measured.axis.size
        jacobian = measured.axis_jacobian
        if not measured.nuisance_names:
            jacobian = np.zeros((size, 0))
        return cls(
            measured.values, measured.axis, measured.half_offset, jacobian,
            np.array(measured.field_slopes),
        )  # fmt: skip

    @cached_property
    def level(self) -> float:
        """Counts off resonance, as far as the highest tenth says."""
        return float(np.quantile(self.counts, 0.9))


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


@dataclass(frozen=True)
class Densities:
    """The densities of many values, their parts side by side (n_values, n_parts)."""

    places: np.ndarray
    logs: FloatArray  # of weight, scale and norm; −inf where there is no such part
    location: FloatArray
    room: FloatArray  # freedom × scale²
    freedom: FloatArray

    @classmethod
    def of(cls, entries: Sequence[tuple[int, Density]]) -> Densities:
        """The densities of values at some places."""
        most = max(len(density.weight) for _, density in entries)
        logs = np.full((len(entries), most), -np.inf)
        location, room, freedom = (np.ones((len(entries), most)) for _ in range(3))
        for row, (_, one) in enumerate(entries):
            n = len(one.weight)
            logs[row, :n] = np.log(one.weight / one.scale) + _norm(one.freedom)
            location[row, :n], freedom[row, :n] = one.location, one.freedom
            room[row, :n] = one.freedom * one.scale**2
        places = np.array([place for place, _ in entries], dtype=int)
        return cls(places, logs, location, room, freedom)

    def log(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Their sum up to the cut at bounds, the slopes, and positive curvatures."""
        far = theta[self.places][:, None] - self.location
        span = self.room + far**2
        logs = self.logs - 0.5 * (self.freedom + 1.0) * np.log(span / self.room)
        top = logs.max(axis=1, keepdims=True)
        owned = np.exp(logs - top)
        total = owned.sum(axis=1, keepdims=True)
        bend = owned / total * (self.freedom + 1.0) / span
        value = float(np.sum(top + np.log(total)))
        return value, -np.sum(bend * far, axis=1), np.sum(bend, axis=1)


def _norm(freedom: FloatArray) -> FloatArray:
    found: FloatArray = gammaln(0.5 * (freedom + 1.0)) - gammaln(0.5 * freedom)
    return found - 0.5 * np.log(freedom * np.pi)


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


def lines(
    kind: str, values: FloatArray, texture: float, slopes: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Positions and areas of a site's lines, their slopes in IS, QS, Bint, and in x."""
    if kind == "sextet":
        move = np.stack(
            [np.ones(6), 0.5 * OUTER, SIGNS * slopes[[0, 1, 2, 2, 1, 0]]], axis=1
        )
        parts = np.array([3.0, texture, 1.0, 1.0, texture, 3.0])
        total = 8.0 + 2.0 * texture
        turn = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0]) / total - 2.0 * parts / total**2
        return move @ values, parts / total, move, turn
    if kind == "doublet":
        move = np.array([[1.0, -0.5], [1.0, 0.5]])
        return move @ values, np.full(2, 0.5), move, np.zeros(2)
    return values.copy(), np.ones(1), np.ones((1, 1)), np.zeros(1)


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
        whole = np.zeros_like(velocity)
        sites = []
        for j, site in enumerate(phase.sites):
            places = layout.values[p][j]
            at, parts, move, turn = lines(
                site.kind, theta[places], texture, spectrum.slopes
            )
            far = velocity - at[:, None]
            q = 1.0 / (far**2 + 0.25 * width**2)
            shape = 0.5 * width / np.pi * q
            height = area * shares[j]
            slope = -2.0 * far * q * shape * (height * parts)[:, None]
            steep += slope.sum(axis=0)
            change[places] -= move.T @ slope
            own = parts @ shape
            change[layout.texture] += height * (turn @ shape)
            # d log(shape) / d log(width) = 1 − w² q / 2
            change[layout.width[p]] += height * (
                parts @ (shape * (1.0 - 0.5 * width**2 * q))
            )
            sites.append(own)
            whole += shares[j] * own
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
    evidence = value + 0.5 * layout.size * np.log(2.0 * np.pi) - 0.5 * size
    if sign <= 0.0 or not np.isfinite(evidence):
        return None
    return Mixture(
        tuple(phases), theta, np.linalg.inv(hessian), value, float(evidence),
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
