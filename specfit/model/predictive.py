"""From published values of one quantity to a density for a new sample.

Each value y_i has its own sample: y_i ~ N(θ_i, u_i²), θ_i ~ N(μ, τ²), μ flat,
τ ~ HalfNormal(s).  The predictive of a new θ is a normal N(μ̂(τ), 1/Σw + τ²), with
w_i = 1/(u_i² + τ²), averaged over the posterior of τ, which is integrated on a grid.
It is handed on as the Student-t that has the same median, quartiles and 2.5 % and
97.5 % points: the inner points set the scale, their ratio the degrees of freedom.

Source: A. Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4 (the normal
hierarchical model) and section 5.7 (half-normal priors for a scatter).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma, log, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specfit.contracts import FloatArray
from specfit.model.ir import Const, Dist

MIN_CLUSTER = 2
CLUSTER_MARGIN = 3.0
"""ln Bayes factor by which two clusters must beat one: "strong" on the scale of
R. E. Kass, A. E. Raftery, J. Am. Stat. Assoc. 90, 773 (1995)."""

_T_POINTS = np.array(
    [  # degrees of freedom, 75 % point, 97.5 % point of the standard Student-t
        (2.0, 0.816497, 4.302653),
        (2.5, 0.785014, 3.574655),
        (3.0, 0.764892, 3.182446),
        (4.0, 0.740697, 2.776445),
        (5.0, 0.726687, 2.570582),
        (6.0, 0.717558, 2.446912),
        (8.0, 0.706387, 2.306004),
        (10.0, 0.699812, 2.228139),
        (15.0, 0.691197, 2.131450),
        (20.0, 0.686954, 2.085963),
        (30.0, 0.682756, 2.042272),
        (50.0, 0.679428, 2.008559),
        (100.0, 0.676951, 1.983972),
    ]
)


class Predictive(NamedTuple):
    """A Student-t for a new sample; `scatter` is the posterior mean of τ."""

    location: float
    scale: float
    degrees: float
    scatter: float

    def dist(self, widen: float = 1.0) -> Dist:
        """The density, its scale multiplied by `widen`."""
        arguments = (self.degrees, self.location, self.scale * widen)
        return Dist(
            family="student_t",
            arguments=tuple(Const(value=float(value)) for value in arguments),
        )


class _Grid(NamedTuple):
    tau: FloatArray
    log_weight: FloatArray  # log posterior of τ, unnormalised, times the step
    mean: FloatArray
    variance: FloatArray


def _grid(values: FloatArray, errors: FloatArray, scatter: float) -> _Grid:
    tau = 5.0 * scatter * np.linspace(0.0, 1.0, 151) ** 2  # dense near 0
    weight = 1.0 / (errors[None, :] ** 2 + tau[:, None] ** 2)
    total = weight.sum(axis=1)
    mean = (weight * values).sum(axis=1) / total
    misfit = (weight * (values - mean[:, None]) ** 2).sum(axis=1)
    n = values.size
    log_like = 0.5 * (np.log(weight).sum(axis=1) - np.log(total) - misfit)
    log_like -= 0.5 * (n - 1) * np.log(2.0 * np.pi)
    log_prior = -0.5 * (tau / scatter) ** 2 + 0.5 * np.log(2.0 / np.pi)
    step = np.gradient(tau)
    step[[0, -1]] /= 2.0
    log_weight = log_like + log_prior - np.log(scatter) + np.log(step)
    return _Grid(tau, log_weight, mean, 1.0 / total + tau**2)


def log_evidence(
    values: FloatArray, errors: FloatArray, scatter: float, width: float
) -> float:
    """Log marginal likelihood, with μ uniform over a range of `width`."""
    terms = _grid(values, errors, scatter).log_weight
    peak = float(terms.max())
    return peak + float(np.log(np.exp(terms - peak).sum())) - float(np.log(width))


def predictive(
    values: Sequence[float], errors: Sequence[float], scatter: float
) -> Predictive:
    """The Student-t for a new sample.

    Arguments: values and their standard errors u_i, in one unit; `scatter`, the scale s
    of the half-normal prior of τ.  Valid for one value or more.
    """
    grid = _grid(np.asarray(values, float), np.asarray(errors, float), scatter)
    weight = np.exp(grid.log_weight - grid.log_weight.max())
    weight /= weight.sum()
    low, q25, median, q75, high = _quantiles(grid, weight)
    ratio = (high - low) / (q75 - q25)
    # Ratios fall with the degrees of freedom; `interp` wants them rising.
    table = _T_POINTS[::-1]
    inverse = np.interp(ratio, table[:, 2] / table[:, 1], 1.0 / table[:, 0])
    quartile = np.interp(inverse, 1.0 / table[:, 0], table[:, 1])
    return Predictive(
        location=median,
        scale=float((q75 - q25) / (2.0 * quartile)),
        degrees=float(1.0 / inverse),
        scatter=float(weight @ grid.tau),
    )


def _quantiles(grid: _Grid, weight: FloatArray) -> tuple[float, ...]:
    """The 2.5, 25, 50, 75 and 97.5 % points of a mixture of normals."""
    sd = np.sqrt(grid.variance)
    centre = float(weight @ grid.mean)
    reach = 6.0 * float(np.sqrt(weight @ (grid.variance + (grid.mean - centre) ** 2)))
    x = np.linspace(centre - reach, centre + reach, 601)
    shape = np.exp(-0.5 * ((x[:, None] - grid.mean) / sd) ** 2) / sd
    density = shape @ weight
    mass = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    points = np.interp([0.025, 0.25, 0.5, 0.75, 0.975], mass / mass[-1], x)
    return tuple(float(point) for point in points)


def clusters(
    values: Sequence[float], errors: Sequence[float], scatter: float, width: float
) -> tuple[tuple[int, ...], ...]:
    """The indices of the values in one cluster, or in two where they disagree.

    Two clusters, each with a μ and τ of its own, are kept where their evidence beats
    that of one by `CLUSTER_MARGIN` after paying for the choice of the cut.
    """
    y, u = np.asarray(values, float), np.asarray(errors, float)
    order = np.argsort(y, kind="stable")
    whole = (tuple(int(i) for i in order),)
    cuts = range(MIN_CLUSTER, y.size - MIN_CLUSTER + 1)
    if not cuts:
        return whole

    def evidence(chosen: NDArray[np.intp]) -> float:
        return log_evidence(y[chosen], u[chosen], scatter, width)

    two = {cut: evidence(order[:cut]) + evidence(order[cut:]) for cut in cuts}
    best = max(two, key=lambda cut: two[cut])
    gain = two[best] - float(np.log(len(two))) - evidence(order)
    if gain <= CLUSTER_MARGIN:
        return whole
    return (
        tuple(int(i) for i in order[:best]),
        tuple(int(i) for i in order[best:]),
    )


# --------------------------------------------------------- evaluation in NumPy


def density(dist: Dist, x: FloatArray) -> FloatArray:
    """The density of a prior at `x`, bounds included, in plain NumPy.

    Families: normal, student_t, uniform and mixtures of them, with constant arguments.
    Bounds renormalise by quadrature.
    """
    raw = _raw(dist, x)
    if dist.low is None and dist.high is None:
        return raw
    low, high = support(dist)
    inside = np.where((x >= low) & (x <= high), raw, 0.0)
    grid = _nodes(dist, low, high)
    return np.asarray(inside / np.trapezoid(_raw(dist, grid), grid))


def support(dist: Dist) -> tuple[float, float]:
    """The bounds of a density; where there are none, 60 scales to either side."""
    centres = list(_centres(dist))
    low = dist.low if dist.low is not None else min(c - 60.0 * s for c, s in centres)
    high = dist.high if dist.high is not None else max(c + 60.0 * s for c, s in centres)
    return low, high


def quantile(dist: Dist, probability: float) -> float:
    """The point below which a share `probability` of the density lies."""
    low, high = support(dist)
    grid = _nodes(dist, low, high)
    value = _raw(dist, grid)
    mass = np.concatenate(
        [[0.0], np.cumsum(0.5 * (value[1:] + value[:-1]) * np.diff(grid))]
    )
    return float(np.interp(probability, mass / mass[-1], grid))


def _nodes(dist: Dist, low: float, high: float) -> FloatArray:
    """Points for quadrature: dense about every component, sparse between."""
    fine = np.sinh(np.linspace(-5.0, 5.0, 801))
    pieces = [np.linspace(low, high, 1001)]
    pieces += [centre + scale * fine for centre, scale in _centres(dist)]
    return np.unique(np.clip(np.concatenate(pieces), low, high))


def _constants(dist: Dist) -> list[float]:
    return [a.value for a in dist.arguments if isinstance(a, Const)]


def _centres(dist: Dist) -> Sequence[tuple[float, float]]:
    if dist.family == "mixture":
        return [pair for _, part in dist.components for pair in _centres(part)]
    arguments = _constants(dist)
    if dist.family == "uniform":
        low, high = arguments
        return [((low + high) / 2.0, (high - low) / 2.0)]
    return [(arguments[-2], arguments[-1])]


def _raw(dist: Dist, x: FloatArray) -> FloatArray:
    if dist.family == "mixture":
        parts = [weight * density(part, x) for weight, part in dist.components]
        return np.asarray(np.sum(parts, axis=0))
    arguments = _constants(dist)
    if dist.family == "uniform":
        low, high = arguments
        return np.where((x >= low) & (x <= high), 1.0 / (high - low), 0.0)
    z = (x - arguments[-2]) / arguments[-1]
    if dist.family == "normal":
        return np.asarray(np.exp(-0.5 * z**2) / (arguments[-1] * np.sqrt(2.0 * np.pi)))
    return np.asarray(_student_t(z, arguments[0]) / arguments[-1])


def _student_t(z: FloatArray, degrees: float) -> FloatArray:
    constant = lgamma((degrees + 1.0) / 2.0) - lgamma(degrees / 2.0)
    constant -= 0.5 * log(degrees * pi)
    body = -0.5 * (degrees + 1.0) * np.log1p(z**2 / degrees)
    return np.asarray(np.exp(constant + body))
