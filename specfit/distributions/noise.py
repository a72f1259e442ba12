"""Noise laws: the log-likelihood of each datum given its expected value, and draws.

Counts are compared through the deviance, and the rest of the log probability is a
function of the datum alone in its Stirling form: at 10⁶ counts the plain sum
y log μ − μ − log y! loses the seven digits in which two models differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import Array, FloatArray, ParameterSignature, Signature
from specfit.distributions.families import FAMILIES, SELF, Generator, as_arrays
from specfit.distributions.mathematics import JAX
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")


_ODD = tuple(1.0 / (2 * k + 1) for k in range(17))
"""artanh(s) / s by powers of s²: the next term is 2e-18 of the first at s = 1/3."""


@dataclass(frozen=True)
class Noise:
    """A noise law.

    `log_likelihood(y, mu, *arguments)`: of each datum, normalised over y, in JAX.
    `sample(generator, mu, *arguments)`: draws shaped like `mu`, by NumPy.
    `counts`: whether it is a law of counts, refused where the data are not counts.
    `variance(mu, *arguments)`: of each datum, its core's where there is none.
    """

    signature: Signature
    counts: bool
    log_likelihood: Callable[..., Array]
    sample: Callable[..., FloatArray]
    variance: Callable[..., Any]


def _saturated(y: Array) -> Array:
    """The Poisson log probability of `y` at its own mean: −log y! + y log y − y."""
    safe = jnp.where(y > 0, y, 1.0)
    value = -JAX.stirling(safe) - 0.5 * jnp.log(2.0 * math.pi * safe)
    return jnp.where(y > 0, value, 0.0)


def _log_ratio(mu: Array, y: Array) -> Array:
    """The term y log(μ / y), exact where the two are close; 0 at y = 0."""
    mu, y = jnp.broadcast_arrays(mu, y)
    safe = jnp.where(y > 0, y, 1.0)
    return jnp.where(y > 0, y * _log_quotient()(mu, safe), 0.0)


@lru_cache(maxsize=1)
def _log_quotient() -> Callable[[Array, Array], Array]:
    """log(μ / y) of positive numbers, exact where they are close.

    2 artanh(s), s = (μ − y) / (μ + y), as a polynomial while the two are within a factor
    of two: a processor computes that for several channels at once, a logarithm for one.
    The logarithm itself is computed only where some are further apart.  The derivative
    is 1 / μ, which no part of the above need be followed through for.
    """
    import jax

    def value(mu: Array, y: Array) -> Array:
        s = (mu - y) / (mu + y)
        far = jnp.abs(s) > 1.0 / 3.0
        square = jnp.where(far, 0.0, s * s)
        series = jnp.full_like(square, _ODD[-1])
        for coefficient in _ODD[-2::-1]:
            series = series * square + coefficient
        apart = jnp.where(far, mu / y, 1.0)
        return jnp.asarray(JAX.choose(far, lambda: jnp.log(apart), 2.0 * s * series))

    quotient = jax.custom_jvp(value)
    quotient.defjvps(
        lambda change, _, mu, y: change / mu, lambda change, _, mu, y: -change / y
    )
    return quotient


def _guarded(y: Array, mu: Array, of: Callable[[Array], Array]) -> Array:
    """`of(mu)` where `mu` can be a mean; else −inf with derivative 0."""
    positive = mu > 0
    nothing = (mu == 0) & (y == 0)
    value = of(jnp.where(positive, mu, 1.0))
    return jnp.where(positive, value, jnp.where(nothing, 0.0, -jnp.inf))


def _poisson(y: Array, mu: Array) -> Array:
    """The Poisson log probability: −½ deviance + what `y` alone decides."""
    datum, mean = as_arrays(y, mu)
    saturated = _saturated(datum)
    return _guarded(
        datum, mean, lambda m: saturated + _log_ratio(m, datum) - (m - datum)
    )


def _negative_binomial(y: Array, mu: Array, excess: Array) -> Array:
    """Counts of variance μ + (excess · μ)²; exactly Poisson, smoothly, at excess = 0.

    With a = excess² the log probability is that of the datum at its own mean less half
    the deviance; 1 / a, the usual shape parameter, appears nowhere.
    """
    datum, mean, relative = as_arrays(y, mu, excess)
    a = relative * relative
    spread = 1.0 + a * datum
    datum_part = _saturated(datum) - 0.5 * jnp.log(spread) + _stirling_change(a, datum)

    def at(m: Array) -> Array:
        distance = (datum - m) / (1.0 + a * m)
        pull = spread * distance * _log1p_over(a * distance)
        value: Array = datum_part + _log_ratio(m, datum) + pull
        return value

    return _guarded(datum, mean, at)


def _stirling_change(a: Array, y: Array) -> Array:
    """Stirling remainder of y + 1/a less that of 1/a, 0 at a = 0."""
    safe = jnp.where(a > 1e-30, a, 1.0)
    change = JAX.stirling(y + 1.0 / safe) - JAX.stirling(1.0 / safe)
    return jnp.where(a > 1e-30, change, -a * a * y / 12.0)


def _log1p_over(q: Array) -> Array:
    """log(1 + q) / q, smooth through q = 0."""
    small = jnp.abs(q) < 1e-3
    safe = jnp.where(small, 1.0, q)
    series = 1 + q * (-1 / 2 + q * (1 / 3 + q * (-1 / 4 + q * (1 / 5 - q * (1 / 6)))))
    return jnp.where(small, series, jnp.log1p(safe) / safe)


def _gaussian(y: Array, mu: Array, sd: Array) -> Array:
    return FAMILIES["normal"].log_density(y, mu, sd)


def _student(y: Array, mu: Array, df: Array, sd: Array) -> Array:
    return FAMILIES["student_t"].log_density(y, df, mu, sd)


def _student_variance(mu: Any, df: Any, sd: Any) -> Any:
    """That of its core where there is none: df / (df − 2) times it, for df > 2."""
    wider = (df > 2.0) * (2.0 / (abs(df - 2.0) + (df <= 2.0)))
    return 0.0 * mu + sd * sd * (1.0 + wider)


def _sample_negative_binomial(g: Generator, mu: FloatArray, excess: Any) -> FloatArray:
    a = np.maximum(np.asarray(excess, dtype=float) ** 2, 1e-18)
    mean = mu * a * g.gamma(1.0 / a, size=np.shape(mu))
    draws: FloatArray = g.poisson(mean).astype(float)
    return draws


_SCALE = ParameterSignature("sd", SELF, "", "standard deviation", low=0.0)

NOISES: dict[str, Noise] = {
    "poisson": Noise(
        Signature("poisson", "Poisson counts", (), "S. D. Poisson (1837)"),
        True,
        _poisson,
        lambda g, mu: g.poisson(mu).astype(float),
        lambda mu: mu,
    ),
    "negative_binomial": Noise(
        Signature(
            "negative_binomial",
            "over-dispersed counts, variance μ + (excess μ)²",
            (
                ParameterSignature(
                    "excess", "number", "", "relative extra standard deviation", 0.0
                ),
            ),
            "J. F. Lawless, Can. J. Stat. 15, 209 (1987), doi:10.2307/3314912",
        ),
        True,
        _negative_binomial,
        _sample_negative_binomial,
        lambda mu, excess: mu + (excess * mu) ** 2,
    ),
    "gaussian": Noise(
        Signature("gaussian", "Gaussian noise", (_SCALE,), "C. F. Gauss (1809)"),
        False,
        _gaussian,
        lambda g, mu, sd: g.normal(mu, sd),
        lambda mu, sd: 0.0 * mu + sd * sd,
    ),
    "student_t": Noise(
        Signature(
            "student_t",
            "Student's t noise, for data with outliers",
            (
                ParameterSignature("df", "number", "", "degrees of freedom", 0.0),
                ParameterSignature("sd", SELF, "", "scale; the sd of its core", 0.0),
            ),
            "Student, Biometrika 6, 1 (1908), doi:10.1093/biomet/6.1.1",
        ),
        False,
        _student,
        lambda g, mu, df, sd: mu + sd * g.standard_t(df, np.shape(mu)),
        _student_variance,
    ),
}
"""Every noise law by its name in the language."""
