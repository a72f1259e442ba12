"""Settings of a model that are numbers: `k_weight = 2`, `R_range = [1, 3.3] Å`."""

from __future__ import annotations

from specfit import units
from specfit.language import tree
from specfit.model.constants import constant
from specfit.model.faults import Faults
from specfit.model.quantities import known_unit, mismatch
from specfit.units import Dimension

LOW, HIGH = ".low", ".high"
"""What the ends of a range are called among the settings of a model."""


def number(
    item: tree.Let, allowed: tuple[float, float], faults: Faults
) -> dict[str, str | float]:
    """A bare number between two others."""
    key, value = item.target.text, item.value
    found = value.value if isinstance(value, tree.Number) else None
    bare = isinstance(value, tree.Number) and value.unit is None and value.sd is None
    if found is None or not bare or not allowed[0] <= found <= allowed[1]:
        low, high = (f"{end:g}" for end in allowed)
        faults.add("setting-number", value.span, key=key, low=low, high=high)
        return {}
    return {key: found}


def interval(item: tree.Let, dimension: str, faults: Faults) -> dict[str, str | float]:
    """`[lo, hi] unit`, neither end below zero."""
    key, value = item.target.text, item.value
    wanted = units.DIMENSIONS[dimension]
    if not isinstance(value, tree.ListOf) or len(value.items) != 2:
        faults.add("interval-expected", value.span)
        return {}
    scale = _scale(value, wanted, faults)
    if scale is None:
        return {}
    ends = [constant(end, {}) for end in value.items]
    low, high = (end if isinstance(end, float) else -1.0 for end in ends)
    if not 0.0 <= low < high:
        faults.add("empty-interval", value.span)
        return {}
    return {f"{key}{LOW}": float(low) * scale, f"{key}{HIGH}": float(high) * scale}


def _scale(value: tree.ListOf, wanted: Dimension, faults: Faults) -> float | None:
    """Of the unit after the bracket; None where it is missing or another's."""
    if value.unit is None:
        unit = units.canonical_unit(wanted)
        faults.add("unit-missing", value.span, unit=unit)
        return None
    found = known_unit(faults, value.unit, value.unit_span)
    if found is not None and found.dimension != wanted:
        mismatch(faults, wanted, found.dimension, value.unit_span)
        return None
    return None if found is None else found.scale
