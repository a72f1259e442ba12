"""X-ray absorption in the language: spectra over energy, and χ over k."""

from __future__ import annotations

from specfit.model.kind import DataKind

ABSORPTION = DataKind(
    name="absorption",
    columns={
        "energy": "energy",
        "k": "reciprocal_length",
        "mu": "number",
        "chi": "number",
        "sd": "signal",
    },
    conditions={"T": "temperature", "potential": "potential", "SOC": "fraction"},
    texts={"file": (), "sample": (), "group": ()},
    quantities={},
    axes=("energy", "k"),
    readings=("mu", "chi"),
    clusters=True,
)
