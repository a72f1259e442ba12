"""The prior families: what each is, how it is drawn, and the table of them.

An argument with a dimension has that of the variable (`"self"`), so that the unit
after the bracket, `gamma(4, 0.1) mm/s`, belongs to every one of them; hence `gamma` has
a scale and not a rate, `exponential` a mean.  Where a family has a dimensionless
argument too, that is of dimension `"number"`.  `lognormal` is the exception: its
location is the logarithm of a number in the unit of the variable, its scale a plain
number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from specfit.contracts import Array, Family, FloatArray, ParameterSignature, Signature
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import JAX, Mathematics
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

Support = Literal["real", "positive", "unit", "interval"]
Generator = np.random.Generator
Size = int | tuple[int, ...]

_FARTHEST = 1e140  # a density is evaluated no further out: its square is a number
SELF = "self"
"""Dimension of an argument: that of the variable whose prior it is."""


def edges(support: Support, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """The ends of the support, None where it has none."""
    if support == "interval":
        return arguments[0], arguments[1]
    return {"real": (None, None), "positive": (0.0, None), "unit": (0.0, 1.0)}[support]


def clip(m: Mathematics, x: Any, low: Any, high: Any) -> Any:
    """`x` moved into [low, high]; None is no bound."""
    x = x if low is None else m.array.where(x > low, x, low)
    return x if high is None else m.array.where(x < high, x, high)


def as_arrays(*values: Any) -> tuple[Any, ...]:
    """The values as JAX arrays of the working precision, whatever numbers they were."""
    return tuple(jnp.asarray(value, dtype=float) for value in values)


def _log_density(name: str, support: Support) -> Callable[..., Array]:
    def log_density(x: Array, *arguments: Any) -> Array:
        point, *given = as_arrays(x, *arguments)
        inside = clip(JAX, point, *edges(support, tuple(given)))
        finite = clip(JAX, inside, -_FARTHEST, _FARTHEST)
        value = LAWS[name].density(JAX, finite, *given)
        return jnp.where(inside == point, value, -jnp.inf)

    return log_density


def _cdf(name: str, support: Support) -> Callable[..., Array]:
    def cdf(x: Array, *arguments: Any) -> Array:
        point, *given = as_arrays(x, *arguments)
        inside = clip(JAX, point, *edges(support, tuple(given)))
        result: Array = jnp.exp(LAWS[name].below(JAX, inside, *given))
        return result

    return cdf


def _argument(
    symbol: str, dimension: str, meaning: str, low: float | None = None
) -> Any:
    return ParameterSignature(symbol, dimension, "", meaning, low)


_LOCATION = _argument("location", SELF, "centre")
_SCALE = _argument("scale", SELF, "standard deviation", 0.0)
_WIDTH = _argument("scale", SELF, "scale", 0.0)
_SHAPE = _argument("shape", "number", "shape", 0.0)


def _family(
    name: str,
    title: str,
    support: Support,
    sample: Callable[..., FloatArray],
    *arguments: ParameterSignature,
) -> Family:
    return Family(
        signature=Signature(
            name=name,
            title=title,
            parameters=arguments,
            source="N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate "
            "Distributions, 2nd edition, Wiley (1994, 1995)",
        ),
        support=support,
        log_density=_log_density(name, support),
        cdf=_cdf(name, support),
        sample=sample,
    )


_ENTRIES = (
    _family(
        "normal",
        "normal",
        "real",
        lambda g, size, location, scale: g.normal(location, scale, size),
        _LOCATION,
        _SCALE,
    ),
    _family(
        "lognormal",
        "log-normal; the median is exp(location)",
        "positive",
        lambda g, size, location, scale: g.lognormal(location, scale, size),
        _argument(
            "location", "number", "mean of the logarithm, in the variable's unit"
        ),
        _argument("scale", "number", "standard deviation of the logarithm", 0.0),
    ),
    _family(
        "halfnormal",
        "half-normal, from 0 up",
        "positive",
        lambda g, size, scale: np.abs(g.normal(0.0, scale, size)),
        _argument("scale", SELF, "standard deviation of the whole normal", 0.0),
    ),
    _family(
        "student_t",
        "Student's t",
        "real",
        lambda g, size, df, location, scale: location + scale * g.standard_t(df, size),
        _argument("df", "number", "degrees of freedom", 0.0),
        _LOCATION,
        _WIDTH,
    ),
    _family(
        "gamma",
        "gamma; the mean is shape × scale",
        "positive",
        lambda g, size, shape, scale: g.gamma(shape, scale, size),
        _SHAPE,
        _argument("scale", SELF, "scale, the inverse of the rate", 0.0),
    ),
    _family(
        "inverse_gamma",
        "inverse gamma; the mode is scale / (shape + 1)",
        "positive",
        lambda g, size, shape, scale: scale / g.gamma(shape, 1.0, size),
        _SHAPE,
        _WIDTH,
    ),
    _family(
        "beta",
        "beta, on 0 to 1",
        "unit",
        lambda g, size, a, b: g.beta(a, b, size),
        _argument("a", "number", "first shape, pulls towards 1", 0.0),
        _argument("b", "number", "second shape, pulls towards 0", 0.0),
    ),
    _family(
        "exponential",
        "exponential",
        "positive",
        lambda g, size, mean: g.exponential(mean, size),
        _argument("mean", SELF, "mean, the inverse of the rate", 0.0),
    ),
    _family(
        "halfcauchy",
        "half-Cauchy, from 0 up",
        "positive",
        lambda g, size, scale: scale * np.abs(g.standard_cauchy(size)),
        _argument("scale", SELF, "median", 0.0),
    ),
    _family(
        "uniform",
        "uniform",
        "interval",
        lambda g, size, low, high: g.uniform(low, high, size),
        _argument("low", SELF, "lower end"),
        _argument("high", SELF, "upper end"),
    ),
)

FAMILIES: dict[str, Family] = {entry.signature.name: entry for entry in _ENTRIES}
"""Every univariate prior family by its name in the language."""

if len(FAMILIES) != len(_ENTRIES):
    raise ValueError("two prior families share a name")
