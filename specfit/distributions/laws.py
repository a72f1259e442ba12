"""The formulas of the prior families.

Each is written once, against the namespace of `mathematics.py`, so that the density
that is sampled and the numbers a prior is drawn with cannot disagree.  Tail
probabilities are logarithms, one for each side: a prior may be cut off far from its
centre.

Source: N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions,
2nd edition, Wiley (1994, 1995).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from specfit.distributions.mathematics import Mathematics

M = Mathematics

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_LOG_2 = math.log(2.0)
_SMALL = 1e-150  # its inverse squared is still a number


class Law(NamedTuple):
    """A family in either namespace: log density and log tails of (m, x, *arguments).

    `density` need only be right inside the support; `below` is log P(X ≤ x) and `above`
    log P(X > x), right for any x of the closed support.
    """

    density: Callable[..., Any]
    below: Callable[..., Any]
    above: Callable[..., Any]


def _normal(m: M, x: Any, location: Any, scale: Any) -> Any:
    t = (x - location) / scale
    return -0.5 * t * t - m.array.log(scale) - _HALF_LOG_2PI


def _lognormal(m: M, x: Any, location: Any, scale: Any) -> Any:
    t = m.array.log(m.array.where(x > 0, x, 1.0))
    return m.array.where(x > 0, _normal(m, t, location, scale) - t, -math.inf)


def _lognormal_tail(m: M, x: Any, location: Any, scale: Any, sign: float) -> Any:
    """Log P on the side of `sign`: below for +1, above for −1."""
    t = (m.array.log(m.array.where(x > 0, x, 1.0)) - location) / scale
    limit = -math.inf if sign > 0 else 0.0
    return m.array.where(x > 0, m.special.log_ndtr(sign * t), limit)


def _student(m: M, x: Any, df: Any, location: Any, scale: Any) -> Any:
    t = (x - location) / scale
    constant = -m.log_beta(0.5 * df, 0.5) - 0.5 * m.array.log(df)
    return constant - m.array.log(scale) - 0.5 * (df + 1.0) * m.array.log1p(t * t / df)


def _student_below(m: M, x: Any, df: Any, location: Any, scale: Any) -> Any:
    """Log P(T ≤ t), with a tangent near t = 0 where the derivative is 0 · ∞."""
    t = (x - location) / scale
    near = abs(t) < 1e-6
    far = m.array.where(near, 1.0, t)
    tail = 0.5 * m.special.betainc(0.5 * df, 0.5, df / (df + far * far))

    def tangent() -> Any:
        return 0.5 - abs(t) * m.array.exp(_student(m, 0.0, df, 0.0, 1.0))

    tail = m.choose(near, tangent, tail)
    return m.array.where(t < 0, m.log(tail), m.array.log1p(-tail))


def _gamma(m: M, x: Any, shape: Any, scale: Any) -> Any:
    t = x / scale
    constant = -m.special.gammaln(shape) - m.array.log(scale)
    return constant + m.power_log(shape - 1.0, t) - t


def _inverse(m: M, x: Any, scale: Any) -> Any:
    return scale / m.array.where(x > _SMALL, x, _SMALL)


def _inverse_gamma(m: M, x: Any, shape: Any, scale: Any) -> Any:
    t = _inverse(m, x, scale)
    value = (shape + 1.0) * m.array.log(t) - t - m.special.gammaln(shape)
    return m.array.where(x > 0, value - m.array.log(scale), -math.inf)


def _beta(m: M, x: Any, a: Any, b: Any) -> Any:
    powers = m.power_log(a - 1.0, x) + m.power_log(b - 1.0, 1.0 - x)
    return powers - m.log_beta(a, b)


def _halfcauchy(m: M, x: Any, scale: Any) -> Any:
    t = x / scale
    return math.log(2.0 / math.pi) - m.array.log(scale) - m.array.log1p(t * t)


LAWS: dict[str, Law] = {
    "normal": Law(
        _normal,
        lambda m, x, mu, s: m.special.log_ndtr((x - mu) / s),
        lambda m, x, mu, s: m.special.log_ndtr((mu - x) / s),
    ),
    "lognormal": Law(
        _lognormal,
        lambda m, x, mu, s: _lognormal_tail(m, x, mu, s, 1.0),
        lambda m, x, mu, s: _lognormal_tail(m, x, mu, s, -1.0),
    ),
    "halfnormal": Law(
        lambda m, x, s: _normal(m, x, 0.0, s) + _LOG_2,
        lambda m, x, s: m.log(m.special.erf(x / s * math.sqrt(0.5))),
        lambda m, x, s: m.special.log_ndtr(-x / s) + _LOG_2,
    ),
    "student_t": Law(
        _student,
        _student_below,
        lambda m, x, df, mu, s: _student_below(m, 2.0 * mu - x, df, mu, s),
    ),
    "gamma": Law(
        _gamma,
        lambda m, x, a, s: m.log(m.special.gammainc(a, x / s)),
        lambda m, x, a, s: m.log(m.special.gammaincc(a, x / s)),
    ),
    "inverse_gamma": Law(
        _inverse_gamma,
        lambda m, x, a, s: m.log(m.special.gammaincc(a, _inverse(m, x, s))),
        lambda m, x, a, s: m.log(m.special.gammainc(a, _inverse(m, x, s))),
    ),
    "beta": Law(
        _beta,
        lambda m, x, a, b: m.log(m.special.betainc(a, b, x)),
        lambda m, x, a, b: m.log(m.special.betainc(b, a, 1.0 - x)),
    ),
    "exponential": Law(
        lambda m, x, mean: -x / mean - m.array.log(mean),
        lambda m, x, mean: m.log(-m.array.expm1(-x / mean)),
        lambda m, x, mean: -x / mean,
    ),
    "halfcauchy": Law(
        _halfcauchy,
        lambda m, x, s: m.log(m.array.arctan(x / s) * (2.0 / math.pi)),
        lambda m, x, s: m.log(m.array.arctan2(s, x) * (2.0 / math.pi)),
    ),
    "uniform": Law(
        lambda m, x, low, high: -m.array.log(high - low) + 0.0 * x,
        lambda m, x, low, high: m.log((x - low) / (high - low)),
        lambda m, x, low, high: m.log((high - x) / (high - low)),
    ),
}
"""The formulas of each family by its name."""
