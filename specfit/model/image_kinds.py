"""Maps in the language: a spectrum at every pixel, and what it is factorised into."""

from __future__ import annotations

from specfit.model.kind import DataKind

HYPERSPECTRAL = DataKind(
    name="hyperspectral",
    columns={"energy": "energy", "counts": "counts", "intensity": "number"},
    conditions={},
    texts={"file": (), "sample": ()},
    quantities={},
    axes=("energy",),
    readings=("counts", "intensity"),
    image=True,
)

FACTORISATION = "nmf"
MAP_KINDS = (FACTORISATION,)
"""Kinds of model that have an engine, a result and a report of their own."""
