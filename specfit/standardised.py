"""The features of a table as a regression takes them: standardised, with their errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.features import Features

Rows = np.ndarray[Any, np.dtype[np.bool_]]


def scale(x: FloatArray) -> tuple[FloatArray, FloatArray, Rows]:
    """Mean and unit of every column (n, p), and which do not vary: these have the unit 1."""
    mean, sd = x.mean(axis=0), x.std(axis=0)
    still = sd <= 1e-12 * np.maximum(np.abs(mean), 1e-300)
    return mean, np.where(still, 1.0, sd), still


def standardised(
    features: FloatArray, rows: Rows | None = None
) -> tuple[FloatArray, FloatArray]:
    """Features (n, p) about their mean over `rows` in units of their sd there, and the sd.

    rows: all by default.  A column that does not vary there is 0 everywhere.
    """
    mean, unit, still = scale(features if rows is None else features[rows])
    return np.where(still, 0.0, (features - mean) / unit), unit


def errors_of(data: str) -> str:
    """The name of the column of errors of the features of a data block."""
    return f"{data}.feature_errors"


def entry_errors(features: Features) -> FloatArray | None:
    """The sd (n, p) of each entry: as said, or that of its imputations."""
    if features.sd is None and features.imputations is not None:
        return np.asarray(features.imputations.std(axis=0))
    return features.sd


def feature_columns(
    name: str, features: Features, rows: Rows | None = None
) -> dict[str, FloatArray]:
    """The columns of a data block: its features (p, n), and their errors if known.

    A column that does not vary says nothing, and its errors are no noise.
    Errors are (p, p, n): with R = errors[:, :, i], what a row's entries are off by has the
    covariance R Rᵀ.  rows: those that say what mean and sd are; all by default.
    """
    values, unit = standardised(features.values, rows)
    errors = _roots(features)
    found = {f"{name}.feature": values.T.copy()}
    if errors is not None:
        varies = np.any(values, axis=0, keepdims=True).T
        found[errors_of(name)] = np.moveaxis(varies * errors / unit[:, None], 0, -1)
    return found


def _roots(features: Features) -> FloatArray | None:
    """A square root (n, p, p) of the covariance of each row, None where there are no errors."""
    if features.covariance is None:
        sd = entry_errors(features)
        return None if sd is None else sd[:, :, None] * np.eye(features.count)
    squares, axes = np.linalg.eigh(features.covariance)
    return np.asarray(axes * np.sqrt(np.maximum(squares, 0.0))[:, None, :])
