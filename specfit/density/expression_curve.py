"""A curve that is an expression of columns and parameters: `normal(a * exp(-k * d.x), σ)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from specfit.contracts import Array, Data, FloatArray, Measurement, Problem, Separable
from specfit.density.coordinates import Coordinates
from specfit.density.expression_amounts import expression_separable
from specfit.density.frames import drawn_only
from specfit.density.parts import Parts
from specfit.density.problem import problem_of
from specfit.density.scope import Both
from specfit.density.splines import Shifted
from specfit.model.expressions import evaluate
from specfit.model.ir import Expression, Model, Prior
from specfit.model.support import plan


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a model of kind `curve`; call it inside `jax.enable_x64(True)`."""
    return problem_of(model, measurements, _curve_of, _split)


def _split(parts: Parts, draws: Mapping[str, FloatArray]) -> Separable | None:
    assert isinstance(parts.curve, ExpressionCurve)
    return expression_separable(parts, parts.curve, draws)


class _Entries(Mapping[str, Any]):
    """Entries of the vector of values by name."""

    def __init__(self, vector: Array, where: Coordinates) -> None:
        self._vector, self._where = vector, where

    def __getitem__(self, name: str) -> Any:
        return self._vector[self._where.index[self._where.aliases.get(name, name)]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._where.index)

    def __len__(self) -> int:
        return len(self._where.index)


@dataclass(frozen=True)
class ExpressionCurve:
    """What is expected of every datum, an expression for each spectrum.

    bases: their names in the order of the model; JAX hands dictionaries on sorted.
    """

    means: tuple[Expression, ...]
    where: Coordinates
    bases: tuple[str, ...] = ()

    def known(self) -> Any:
        """The data alone decide nothing."""
        return []

    def expected(self, values: Array, data: Data) -> Array:
        """What is expected (S, C)."""
        return self._of(values, data, data["bases"])

    def _of(self, values: Array, data: Data, bases: Mapping[str, Any]) -> Array:
        """The curves (S, C) of these splines."""
        entries = _Entries(values, self.where)
        known = {**data["constants"], **data["columns"]}
        shape = jnp.asarray(data["counts"]).shape[1:]
        rows = []
        for mean, axis in zip(self.means, data["x"], strict=True):
            here = {n: Shifted(spline, axis) for n, spline in bases.items()}
            own = Both(entries, {**known, **here})
            rows.append(jnp.asarray(evaluate(mean, own, jnp), values.dtype))
        return jnp.stack([jnp.broadcast_to(row, shape) for row in rows])

    def components(self, values: Array, data: Data) -> Array:
        """What each basis gives by itself (S, n_bases, C); none, where the curve is one."""
        bases = data["bases"]
        if not bases:
            spectra, channels = jnp.asarray(data["counts"]).shape
            return jnp.zeros((spectra, 0, channels))
        none = {name: _without(spline) for name, spline in bases.items()}
        under = self._of(values, data, none)
        each = [
            self._of(values, data, {**none, name: bases[name]}) - under
            for name in self.bases
        ]
        return jnp.stack(each, axis=1)


def _without(spline: Mapping[str, Array]) -> dict[str, Array]:
    """A spline that is nothing anywhere."""
    return {**spline, "coefficients": jnp.zeros_like(spline["coefficients"])}


def _curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> ExpressionCurve:
    means = [spectrum.noise.mean for spectrum in model.spectra]
    assert all(mean is not None for mean in means)
    computed = dict(plan(model).computed)
    whole = [drawn_only(m, computed) for m in means if m is not None]
    return ExpressionCurve(tuple(whole), where, tuple(measurements[0].bases or ()))
