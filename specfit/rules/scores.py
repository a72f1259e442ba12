"""Residuals on the scale of a normal: in sd of the noise law, or as ranks of Student's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from specfit.contracts import Fit, FloatArray, Measurement
from specfit.distributions import NOISES
from specfit.features import Features
from specfit.model.expressions import evaluate
from specfit.model.ir import Spectrum
from specfit.model.row_errors import widened
from specfit.standardised import errors_of, feature_columns

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
) -> Callable[[FloatArray], FloatArray]:
    """Data (…, n_channels) in sd; of Student's law, as normal scores of their rank.

    Its χ² has no law of its own, and below two degrees of freedom no mean: what is as
    rare as two sd of a normal counts as two.
    """
    if spectrum.noise.family != "student_t":
        return lambda values: np.asarray((values - expected) / sd)
    from scipy.special import ndtri, stdtr

    df, scale = _arguments(spectrum, measurement, fit)

    def ranked(values: FloatArray) -> FloatArray:
        away = (values - expected) / scale
        return np.asarray(-np.sign(away) * ndtri(stdtr(df, -np.abs(away))))

    return ranked


def _arguments(spectrum: Spectrum, measurement: Measurement, fit: Fit) -> list[Any]:
    """The arguments of the noise law at their means."""
    known: dict[str, Any] = {n: float(np.mean(x)) for n, x in fit.draws.items()}
    label = f"[{spectrum.label}]" if spectrum.label else ""
    for column, values in measurement.columns.items():
        known[f"{spectrum.data}{label}.{column}"] = values
    return [evaluate(a, known, np) for a in spectrum.noise.arguments]


def sd_of(
    spectrum: Spectrum, measurement: Measurement, expected: FloatArray, fit: Fit
) -> FloatArray:
    """Standard deviation of each datum by the noise law, its arguments at their means.

    Where features have errors, of the mean variance of the draws: it is no line in them.
    """
    if measurement.features is not None:
        return _with_features(spectrum, measurement, measurement.features, fit)
    given = _arguments(spectrum, measurement, fit)
    variance = NOISES[spectrum.noise.family].variance(expected, *given)
    return np.asarray(np.sqrt(np.maximum(variance, 1e-24)))


def _with_features(
    spectrum: Spectrum, measurement: Measurement, features: Features, fit: Fit
) -> FloatArray:
    columns = feature_columns(spectrum.data, features)
    if errors_of(spectrum.data) in columns:
        spectrum = widened(spectrum)
    draws = {name: np.ravel(values) for name, values in fit.draws.items()}
    places = np.linspace(0, len(next(iter(draws.values()))) - 1, MANY).astype(int)
    squares = np.zeros(measurement.values.size)
    for place in places:
        own = {name: values[place] for name, values in draws.items()}
        squares += evaluate(spectrum.noise.arguments[0], {**columns, **own}, np) ** 2
    return np.asarray(np.sqrt(squares / len(places)))
