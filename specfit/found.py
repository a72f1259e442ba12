"""Diagnostics of what the typed model and its data say, at their places in the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from specfit.contracts import Measurement
from specfit.diagnostics import Diagnostic, Span
from specfit.model import ir
from specfit.model.peak_remarks import Remark

FASTEST = 25.0
"""mm/s; the outer lines of the largest fields known, 63 T, lie at ±10 mm/s."""


def at_place(code: str, words: Mapping[str, str], place: ir.Place) -> Diagnostic:
    """A diagnostic at a place of the typed model."""
    span = Span(place.file, place.start, place.end)
    return Diagnostic(code, span, dict(words))


def told(remarks: Iterable[Remark]) -> list[Diagnostic]:
    """Remarks of the model's as diagnostics, each once."""
    every = (
        replace(at_place(code, words, place), severity=severity)
        for code, words, place, severity in remarks
    )
    found: list[Diagnostic] = []
    for fault in every:
        found += [fault] if fault not in found else []
    return found


def unlikely(source: ir.DataSource, seen: Measurement) -> list[Diagnostic]:
    """A warning of velocities at which no 57Fe line lies."""
    farthest = float(abs(seen.axis).max())
    if seen.axis_unit != "mm/s" or farthest <= FASTEST:
        return []
    fault = at_place("velocity-unlikely", {"farthest": f"{farthest:.3g}"}, source.place)
    return [replace(fault, severity="warning")]
