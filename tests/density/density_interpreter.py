"""A model read word by word: plain loops, explicit formulas and scipy, nothing stacked.

It shares with the package only the typed model; expressions, lines, shapes, priors and
noise are written out again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import mpmath
import numpy as np
from scipy import special, stats

from specfit.contracts import Measurement
from specfit.model.ir import Apply, Const, Dist, Expression, Model, Prior, Ref


def number(expression: Expression, known: Mapping[str, float]) -> float:
    if isinstance(expression, Const):
        return expression.value
    if isinstance(expression, Ref):
        return known[expression.name]
    assert isinstance(expression, Apply)
    name = expression.function
    inner = expression.arguments[0]
    if name in ("max", "mean") and isinstance(inner, Ref):
        return known[f"{name}({inner.name})"]
    a = [number(item, known) for item in expression.arguments]
    return {
        "+": lambda: a[0] + a[1],
        "-": lambda: a[0] - a[1],
        "*": lambda: a[0] * a[1],
        "/": lambda: a[0] / a[1],
        "^": lambda: a[0] ** a[1],
        "neg": lambda: -a[0],
        "log": lambda: math.log(a[0]),
        "exp": lambda: math.exp(a[0]),
        "sum": lambda: sum(a),
        "min": lambda: min(a),
        "max": lambda: max(a),
        "abs": lambda: abs(a[0]),
        "<": lambda: a[0] < a[1],
        "<=": lambda: a[0] <= a[1],
        ">": lambda: a[0] > a[1],
        ">=": lambda: a[0] >= a[1],
        "==": lambda: math.isclose(a[0], a[1], rel_tol=1e-9, abs_tol=1e-12),
        "and": lambda: all(a),
        "or": lambda: any(a),
        "not": lambda: not a[0],
        "within": lambda: a[1] <= a[0] <= a[2],
    }[name]()


def environment(
    model: Model[Prior],
    measurements: Sequence[Measurement],
    values: Mapping[str, float],
) -> dict[str, float]:
    """All names from those of unknowns; definitions are worked out one by one."""
    known = {k: float(v) for k, v in values.items()}
    counts = np.concatenate([m.values for m in measurements])
    known["max(spectrum.counts)"] = float(counts.max())
    known["mean(spectrum.counts)"] = float(counts.mean())
    waiting = list(model.definitions)
    for _ in range(len(waiting) + 1):
        for definition in list(waiting):
            try:
                known[definition.name] = number(definition.value, known)
            except KeyError:
                continue
            waiting.remove(definition)
    assert not waiting
    return known


FROZEN = {
    "normal": lambda mu, s: stats.norm(mu, s),
    "lognormal": lambda mu, s: stats.lognorm(s, scale=math.exp(mu)),
    "halfnormal": lambda s: stats.halfnorm(scale=s),
    "student_t": lambda df, mu, s: stats.t(df, mu, s),
    "gamma": lambda a, s: stats.gamma(a, scale=s),
    "exponential": lambda m: stats.expon(scale=m),
    "uniform": lambda a, b: stats.uniform(a, b - a),
}


def log_density(dist: Dist, x: float, known: Mapping[str, float]) -> float:
    parts = dist.components or ((1.0, dist),)
    density, mass = 0.0, 0.0
    low = -math.inf if dist.low is None else dist.low
    high = math.inf if dist.high is None else dist.high
    for weight, part in parts:
        law = FROZEN[part.family](*(number(a, known) for a in part.arguments))
        density += weight * law.pdf(x)
        mass += weight * (law.cdf(high) - law.cdf(low))
    return math.log(density) - math.log(mass)


def log_prior(model: Model[Prior], known: Mapping[str, float]) -> float:
    """Priors of parameters and joints, and expectations; unnormalised."""
    total = sum(
        log_density(p.prior.dist, known[p.name], known) for p in model.parameters
    )
    for joint in model.joints:
        x = np.array([known[name] for name in joint.names]) / joint.total
        total += stats.dirichlet(joint.concentrations).logpdf(x / x.sum())
        total -= (len(x) - 1) * math.log(joint.total)
    for rule in model.rules:
        if rule.kind == "expect":
            total += log_density(rule.dist, number(rule.expression, known), known)
    return total


def lines(kind: str, p: Mapping[str, float], slopes: Sequence[float]):
    """(position, area, sigma) of each line, written out."""
    if kind == "singlet":
        return [(p["IS"], 1.0, p["sigma_IS"])]
    if kind == "doublet":
        ratio = p["ratio"]
        sigma = math.hypot(p["sigma_IS"], 0.5 * p["sigma_QS"])
        assert p["IS_slope"] == p["texture"] == p["f_anisotropy"] == 0.0
        return [
            (p["IS"] - 0.5 * p["QS"], 1.0 / (1.0 + ratio), sigma),
            (p["IS"] + 0.5 * p["QS"], ratio / (1.0 + ratio), sigma),
        ]
    found = []
    k = [slopes[0], slopes[1], slopes[2], slopes[2], slopes[1], slopes[0]]
    weights = [3.0, p["x"], 1.0, 1.0, p["x"], 3.0]
    for i in range(6):
        sign = -1.0 if i < 3 else 1.0
        quadrupole = 1.0 if i in (0, 5) else -1.0
        position = p["IS"] + sign * k[i] * p["Bint"] + quadrupole * 0.5 * p["QS"]
        variance = p["sigma_IS"] ** 2 + (k[i] * p["sigma_Bint"]) ** 2
        variance += (0.5 * p["sigma_QS"]) ** 2
        found.append((position, weights[i] / sum(weights), math.sqrt(variance)))
    return found


def profile(offset: float, fwhm: float, sigma: float) -> float:
    if sigma == 0.0:
        return fwhm / (2.0 * math.pi) / (offset**2 + 0.25 * fwhm**2)
    z = (offset + 0.5j * fwhm) / (sigma * math.sqrt(2.0))
    return float(special.wofz(z).real) / (sigma * math.sqrt(2.0 * math.pi))


def expected(
    model: Model[Prior], measurements: Sequence[Measurement], known: Mapping[str, float]
) -> list[list[float]]:
    """Expected counts of each channel of each spectrum."""
    result = []
    for spectrum, measurement in zip(model.spectra, measurements, strict=True):
        p = {symbol: known[name] for symbol, name in spectrum.scalars.items()}
        limit = max(abs(v) for v in measurement.axis)
        counts = []
        for c in range(len(measurement.axis)):
            centre = float(measurement.axis[c])
            for k, name in enumerate(measurement.nuisance_names):
                centre += measurement.axis_jacobian[c, k] * p.get(name, 0.0)
            offsets = {measurement.half_offset, -measurement.half_offset}
            level = 0.0
            for offset in offsets:
                v = centre + offset
                u = v / limit
                height = 1.0
                if spectrum.baseline != "constant":
                    height += p["slope"] * u
                if spectrum.baseline == "parabola":
                    height += p["curvature"] * u * u
                if "geometry" in p:
                    stands = float(measurement.position[c])
                    height += p["geometry"] * stands
                    height += p.get("half_slope", 0.0) * (u if stands > 0 else -u)
                for site in spectrum.sites:
                    s = {q: known[name] for q, name in site.parameters.items()}
                    for position, area, sigma in lines(
                        site.kind, s, measurement.field_slopes
                    ):
                        dip = p["area"] * s["I"] * area
                        height -= dip * profile(v - position, s["width"], sigma)
                level += p["N0"] * height / len(offsets)
            counts.append(level)
        result.append(counts)
    return result


def negative_binomial(y: float, mu: float, excess: float) -> float:
    """In forty digits: for a small excess the terms are 10⁸ times their sum."""
    with mpmath.workdps(40):
        shape = 1 / mpmath.mpf(excess) ** 2
        value = mpmath.loggamma(y + shape) - mpmath.loggamma(shape)
        value -= mpmath.loggamma(y + 1)
        value += shape * mpmath.log(shape / (shape + mu)) + y * mpmath.log(
            mu / (shape + mu)
        )
        return float(value)


def log_likelihood(
    model: Model[Prior], measurements: Sequence[Measurement], known: Mapping[str, float]
) -> float:
    total = 0.0
    curves = expected(model, measurements, known)
    for spectrum, measurement, curve in zip(
        model.spectra, measurements, curves, strict=True
    ):
        for y, mu in zip(measurement.values, curve, strict=True):
            if spectrum.noise.family == "poisson":
                total += stats.poisson(mu).logpmf(y)
            else:
                excess = number(spectrum.noise.arguments[0], known)
                total += negative_binomial(float(y), mu, excess)
    return total
