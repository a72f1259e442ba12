"""EXAFS: χ(k) as a sum of scattering paths, seen as the numbers that are compared.

The tables of the paths, the powers of k and what is seen of χ are arguments with the
data, so that another spectrum, or other paths of as many points, is no new compilation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Measurement, Problem, Separable
from specfit.density.coordinates import Coordinates
from specfit.density.exafs_amounts import paths_separable
from specfit.density.parts import Parts
from specfit.density.problem import problem_of
from specfit.exafs import PathValues, Tables, chi_of_path
from specfit.model.ir import Model, Prior

SYMBOLS = ("R", "sigma2", "dE0", "C3")
"""The parameters of a path beside its strength, N · S₀²."""


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a model of paths; call it inside `jax.enable_x64(True)`."""
    return problem_of(model, measurements, _curve_of, _split)


def _split(parts: Parts, draws: Mapping[str, FloatArray]) -> Separable | None:
    assert isinstance(parts.curve, PathCurve)
    return paths_separable(parts, parts.curve)


@dataclass(frozen=True)
class PathCurve:
    """How the values of a model make the χ(k) of its spectra.

    rows: symbol → places (n_paths,), S02 among them; spectrum, site: (n_paths,).
    """

    rows: Mapping[str, FloatArray]
    spectrum: FloatArray
    site: FloatArray
    n_spectra: int
    n_sites: int

    def known(self) -> Any:
        """The data alone decide nothing."""
        return []

    def expected(self, values: Array, data: Data) -> Array:
        """What is compared of the sum of all paths (S, J)."""
        total = jnp.zeros_like(jnp.asarray(data["counts"]))
        return total.at[self.spectrum].add(self._seen(values, data))

    def components(self, values: Array, data: Data) -> Array:
        """What is compared of each path (S, n_sites, J)."""
        shape = (self.n_spectra, self.n_sites, data["counts"].shape[1])
        each = self._seen(values, data)
        return jnp.zeros(shape).at[self.spectrum, self.site].set(each)

    def _seen(self, values: Array, data: Data) -> Array:
        strength = values[self.rows["N"]] * values[self.rows["S02"]]
        return strength[:, None] * self.atoms(values, data)

    def atoms(self, values: Array, data: Data) -> Array:
        """What is compared of each path for N · S₀² = 1, (n_paths, J)."""
        given = {symbol: values[self.rows[symbol]] for symbol in SYMBOLS}
        one = PathValues(strength=jnp.ones_like(given["R"]), **given)
        tables = Tables(*(jnp.asarray(data[name]) for name in TABLES))
        k = jnp.asarray(data["k"])[self.spectrum]
        chi = jax.vmap(_chi)(k, tables, one)
        seen: Array = jnp.einsum("pjc,pc->pj", data["seen"][self.spectrum], chi)
        return seen


TABLES = ("knots", "splines", "half_length")
"""Where `exafs_data` has the fields of `Tables`."""


def _chi(k: Array, tables: Tables, values: PathValues) -> Array:
    chi: Array = chi_of_path(jnp, k, tables, values)
    return chi


def _curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> PathCurve:
    del measurements
    every = [(s, j) for s, x in enumerate(model.spectra) for j in range(len(x.sites))]
    sites = [model.spectra[s].sites[j] for s, j in every]
    rows = {
        symbol: where.rows([site.parameters[symbol] for site in sites])
        for symbol in ("N", *SYMBOLS)
    }
    rows["S02"] = where.rows([model.spectra[s].scalars["S02"] for s, _ in every])
    return PathCurve(
        rows=rows,
        spectrum=np.array([s for s, _ in every]),
        site=np.array([j for _, j in every]),
        n_spectra=len(model.spectra),
        n_sites=max(len(spectrum.sites) for spectrum in model.spectra),
    )
