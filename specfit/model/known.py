"""What an expression may know of the data: conditions and statistics, by name.

The names are `spectrum.T` for a condition and `mean(spectrum.counts)` for a statistic
of a column; for data with a dimension `spectrum[77].T`, and plain `spectrum.counts` is
then all levels together.  Conditions are in the model and known when it is checked;
statistics need the measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.model.expressions import statistics
from specfit.model.ir import (
    Apply,
    Const,
    DataSource,
    Dist,
    Expression,
    Model,
    Prior,
    Ref,
)

_STATISTICS: dict[str, Callable[[FloatArray], Any]] = {
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "median": np.median,
    "sum": np.sum,
}
_AXES = ("velocity", "energy", "angle")


def source_name(source: DataSource) -> str:
    """`spectrum`, or `spectrum[77]` for one level of a dimension."""
    return f"{source.data}[{source.label}]" if source.label else source.data


def conditions(model: Model[Any]) -> dict[str, float]:
    """The conditions of all data of the model, by name, in canonical units."""
    found: dict[str, float] = {}
    for source in model.sources:
        alone = sum(other.data == source.data for other in model.sources) == 1
        for prefix in {source_name(source), *([source.data] if alone else [])}:
            for name, value in source.conditions.items():
                found[f"{prefix}.{name}"] = value
    return found


def expressions_of(model: Model[Prior], checks: bool = False) -> Iterator[Expression]:
    """Every expression of the model whose value the density or its rules may need.

    checks: those of a `check` too, which only a verdict needs.
    """
    for parameter in model.parameters:
        yield from arguments_of(parameter.prior.dist)
    for definition in model.definitions:
        yield definition.value
    for rule in model.rules:
        if rule.kind == "check" and not checks:
            continue
        yield rule.expression
        if rule.dist is not None:
            yield from arguments_of(rule.dist)
    for spectrum in model.spectra:
        yield from spectrum.noise.arguments


def arguments_of(dist: Dist) -> Iterator[Expression]:
    """The arguments of a density and of its components."""
    yield from dist.arguments
    for _, component in dist.components:
        yield from arguments_of(component)


def data_constants(
    model: Model[Prior],
    measurements: Sequence[Measurement] = (),
    checks: bool = False,
) -> dict[str, float]:
    """Conditions, and with `measurements` every statistic that the model mentions.

    `measurements` follow `model.spectra`; checks: what only a `check` mentions too.
    """
    found = conditions(model)
    if not measurements:
        return found
    columns = _columns(model, measurements)
    for text, node in _statistics_of(_Same(model), checks).items():
        column = node.arguments[0]
        if isinstance(column, Ref) and column.name in columns:
            found[text] = _statistic(node, columns[column.name])
    return found


class _Same:
    """A model as a key: the very object, for models are compared value by value."""

    def __init__(self, model: Model[Prior]) -> None:
        self.model = model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model


@lru_cache(maxsize=16)  # asked for every spectrum of a batch
def _statistics_of(same: _Same, checks: bool) -> dict[str, Apply]:
    """The statistics that a model mentions, by the names they have in expressions."""
    return {
        text: node
        for expression in expressions_of(same.model, checks)
        for text, node in statistics(expression).items()
    }


def _columns(
    model: Model[Prior], measurements: Sequence[Measurement]
) -> dict[str, FloatArray]:
    """The columns by the names they have in expressions."""
    parts: dict[str, list[FloatArray]] = {}
    for spectrum, measurement in zip(model.spectra, measurements, strict=True):
        names = {spectrum.data, f"{spectrum.data}[{spectrum.label}]"}
        for name in names:
            parts.setdefault(f"{name}.counts", []).append(measurement.values)
            for axis in _AXES:
                parts.setdefault(f"{name}.{axis}", []).append(measurement.axis)
            for column, values in measurement.columns.items():
                if column not in ("counts", *_AXES):
                    parts.setdefault(f"{name}.{column}", []).append(values)
            for column, value in _of_paths(measurement):
                parts.setdefault(f"{name}.{column}", []).append(np.array([value]))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _of_paths(measurement: Measurement) -> Iterator[tuple[str, float]]:
    """What the files of scattering paths state, as columns of one value."""
    if measurement.scattering is not None:
        for name, path in measurement.scattering.paths.items():
            yield f"{name}.reff", path.half_length
            yield f"{name}.degeneracy", path.degeneracy


def _statistic(node: Apply, column: FloatArray) -> float:
    if node.function == "quantile":
        level = node.arguments[1]
        assert isinstance(level, Const)  # `is_statistic` has seen to it
        return float(np.quantile(column, level.value))
    return float(_STATISTICS[node.function](column))
