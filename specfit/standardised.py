"""The features of a table as a regression takes them: standardised, with their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from specfit.contracts import FloatArray
from specfit.features import Features

Rows = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.int_]]


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


def errors_of(data: str) -> tuple[str, str]:
    """The names of two columns: errors of the features of a data block, and their places."""
    return f"{data}.feature_errors", f"{data}.feature_blocks"


def entry_errors(features: Features) -> FloatArray | None:
    """The sd (n, p) of each entry: as said, of its covariance, or of its imputations."""
    if features.sd is None and features.covariance is not None:
        return np.sqrt(np.diagonal(features.covariance, 0, 1, 2))
    if features.sd is None and features.imputations is not None:
        return np.asarray(features.imputations.std(axis=0))
    return features.sd


def feature_columns(
    name: str, features: Features, rows: Rows | None = None
) -> dict[str, Any]:
    """The columns of a data block: its features (p, n), and their errors if known.

    A column that does not vary says nothing, and its errors are no noise.
    Features whose errors hang together stand in one block, of `places` (n_blocks, b), which
    are filled with p; errors are (n_blocks, b, b, n): with R = errors[k, :, :, i] what the
    entries of a row and block are off by has the covariance R Rᵀ.  rows: those that say
    what mean and sd are; all by default.
    """
    values, unit = standardised(features.values, rows)
    known = _blocks(features)
    found: dict[str, Any] = {f"{name}.feature": values.T.copy()}
    if known is not None:
        places, covariance = known
        share = np.append(np.any(values, axis=0) / unit, 0.0)[places][..., None]
        errors, column = errors_of(name)
        found[errors] = np.moveaxis(share * _root(covariance), 0, -1)
        found[column] = places
    return found


def _blocks(features: Features) -> tuple[Places, FloatArray] | None:
    """Places (n_blocks, b) of features that hang together, and covariances (n, n_blocks, b, b).

    None where there are no errors.  The places are the same whatever rows are left out.
    """
    p, covariance = features.count, features.covariance
    if covariance is None:
        sd = entry_errors(features)
        return None if sd is None else (np.arange(p)[:, None], sd[..., None, None] ** 2)
    _, block = connected_components(np.any(covariance != 0.0, axis=0))
    members = [np.flatnonzero(block == k).tolist() for k in range(block.max() + 1)]
    rows = _packed(members)
    places = np.full((len(rows), max(map(len, rows))), p)
    for row, own in zip(places, rows, strict=True):
        row[: len(own)] = own
    filled = np.pad(covariance, ((0, 0), (0, 1), (0, 1)))
    return places, filled[:, places[:, :, None], places[:, None, :]]


def _packed(members: list[list[int]]) -> list[list[int]]:
    """Blocks put together as far as none becomes longer than the longest is."""
    longest, rows = max(map(len, members)), list[list[int]]()
    for own in sorted(members, key=len, reverse=True):
        room = (row for row in rows if len(row) + len(own) <= longest)
        if (row := next(room, None)) is None:
            rows.append(list(own))
        else:
            row += own
    return rows


def _root(covariance: FloatArray) -> FloatArray:
    """R with R Rᵀ the covariance (…, b, b)."""
    squares, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.maximum(squares, 0.0))[..., None, :])
