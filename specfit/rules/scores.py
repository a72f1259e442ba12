"""Residuals on the scale of a normal: in sd of the noise law, or as ranks of Student's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from specfit.contracts import Fit, FloatArray, Measurement
from specfit.distributions import NOISES
from specfit.features import Features
from specfit.model.expressions import evaluate
from specfit.model.ir import Spectrum
from specfit.model.row_errors import widened
from specfit.standardised import errors_of, feature_columns

Constants = Mapping[str, float]

MANY = 400
"""Draws over which a variance is averaged."""
FEW = 5.0  # counts, from which a Poisson law is near a normal one


def near_normal(family: str, expected: FloatArray) -> bool:
    """Whether the noise is so near a normal one that χ² has its own law."""
    return family in ("gaussian", "student_t") or float(expected.min()) > FEW


def scores_of(
    spectrum: Spectrum,
    measurement: Measurement,
    expected: FloatArray,
    sd: FloatArray,
    fit: Fit,
    constants: Constants = MappingProxyType({}),
) -> Callable[[FloatArray], FloatArray]:
    """Data (…, n_channels) in sd; of Student's law, as normal scores of their rank.

    Its χ² has no law of its own, and below two degrees of freedom no mean: what is as
    rare as two sd of a normal counts as two.
    """
    if spectrum.noise.family != "student_t":
        return lambda values: np.asarray((values - expected) / sd)
    from scipy.special import ndtri, stdtr

    df, scale = _arguments(spectrum, measurement, fit, constants)

    def ranked(values: FloatArray) -> FloatArray:
        away = (values - expected) / scale
        return np.asarray(-np.sign(away) * ndtri(stdtr(df, -np.abs(away))))

    return ranked


def _arguments(
    spectrum: Spectrum, measurement: Measurement, fit: Fit, constants: Constants
) -> list[Any]:
    """The arguments of the noise law at their means."""
    means = {n: float(np.mean(x)) for n, x in fit.draws.items()}
    known = {**constants, **means, **_columns(spectrum, measurement)}
    return [evaluate(a, known, np) for a in spectrum.noise.arguments]


def _columns(spectrum: Spectrum, measurement: Measurement) -> dict[str, Any]:
    """What was measured beside the data, by the names it has in expressions."""
    label = f"[{spectrum.label}]" if spectrum.label else ""
    name = f"{spectrum.data}{label}"
    return {f"{name}.{column}": x for column, x in measurement.columns.items()}


def sd_of(
    spectrum: Spectrum,
    measurement: Measurement,
    expected: FloatArray,
    fit: Fit,
    constants: Constants = MappingProxyType({}),
) -> FloatArray:
    """Standard deviation of each datum by the noise law, its arguments at their means.

    Where features have errors, of the mean variance of the draws: it is no line in them.
    constants: conditions and statistics of the data, by name.
    """
    if measurement.features is not None:
        known = {**constants, **_columns(spectrum, measurement)}
        return _with_features(spectrum, measurement.features, fit, known)
    given = _arguments(spectrum, measurement, fit, constants)
    variance = NOISES[spectrum.noise.family].variance(expected, *given)
    return np.asarray(np.sqrt(np.maximum(variance, 1e-24)))


def _with_features(
    spectrum: Spectrum, features: Features, fit: Fit, known: Mapping[str, Any]
) -> FloatArray:
    columns = {**known, **feature_columns(spectrum.data, features)}
    if errors_of(spectrum.data)[0] in columns:
        spectrum = widened(spectrum)
    draws = {name: np.ravel(values) for name, values in fit.draws.items()}
    places = np.linspace(0, len(next(iter(draws.values()))) - 1, MANY).astype(int)
    squares = np.zeros(len(features.values))
    for place in places:
        own = {name: values[place] for name, values in draws.items()}
        squares += evaluate(spectrum.noise.arguments[0], {**columns, **own}, np) ** 2
    return np.asarray(np.sqrt(squares / len(places)))
