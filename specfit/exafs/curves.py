"""χ(k) of paths over many draws of their values, and its numbers as a curve again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specfit.exafs.equation import PathValues, chi_of_path, tables_of
from specfit.scattering import FloatArray, Scattering


def path_curves(scattering: Scattering, values: Mapping[str, PathValues]) -> FloatArray:
    """χ of each path at each draw, (n_draws, n_paths, n_k).

    values: by the names of the paths, each field (n_draws,).
    """
    curves = [
        chi_of_path(
            np,
            scattering.k,
            tables_of(scattering.paths[name]),
            PathValues(*(np.asarray(value)[:, None] for value in one)),
        )
        for name, one in values.items()
    ]
    return np.stack(curves, axis=1)


def between(scattering: Scattering, chi: FloatArray) -> FloatArray:
    """The part of χ (…, n_k) that is compared, as a curve over k."""
    return again(scattering, (chi * scattering.weight) @ scattering.seen.T)


def again(scattering: Scattering, values: FloatArray) -> FloatArray:
    """What is compared (…, n_values) as a curve χ over k (…, n_k)."""
    curve: FloatArray = values @ scattering.seen / scattering.weight
    return curve
