"""What the language knows of each kind of data and of model: names, units, defaults.

Signatures only; the functions behind them live in `sites`, `shapes` and `density`.
"""

from __future__ import annotations

from specfit.model.absorption_kinds import ABSORPTION
from specfit.model.exafs_kinds import EXAFS
from specfit.model.image_kinds import HYPERSPECTRAL, MAP_KINDS
from specfit.model.kind import DataKind, ModelKind
from specfit.model.lcf_kinds import LINEAR_COMBINATION
from specfit.model.moessbauer import (
    CALIBRATION_NUISANCES,
    MOSSBAUER,
    MOSSBAUER_KINDS,
    REFERENCES,
    TRANSMISSION,
    UNFOLDED_NUISANCES,
    nuisances,
    unfolded,
)
from specfit.model.peak_kinds import CURVE, PATTERN, PEAKS, TABLE
from specfit.model.regression_kinds import REGRESSION

__all__ = [
    "CALIBRATION_NUISANCES",
    "CONVENTION_FAMILY",
    "DATA_KINDS",
    "MAP_KINDS",
    "MODEL_KINDS",
    "MOSSBAUER",
    "REFERENCES",
    "SIGNATURES",
    "UNFOLDED_NUISANCES",
    "DataKind",
    "ModelKind",
    "nuisances",
    "unfolded",
]

DATA_KINDS = {
    kind.name: kind
    for kind in (TRANSMISSION, PATTERN, ABSORPTION, TABLE, HYPERSPECTRAL)
}

MODEL_KINDS = {
    kind.name: kind
    for kind in (
        *MOSSBAUER_KINDS,
        PEAKS,
        CURVE,
        LINEAR_COMBINATION,
        EXAFS,
        REGRESSION,
    )
}

SIGNATURES = {
    one.name: one for kind in MODEL_KINDS.values() for one in kind.components.values()
}
"""Of every component, by the name of its kind."""

CONVENTION_FAMILY = {
    "FWHM": "width",
    "HWHM": "width",
    "sigma": "width",
    "ΔEQ": "quadrupole",
    "2ε": "quadrupole",
    "ε": "quadrupole",
}
"""Which conventions can be compared; conversions inside a family are functions."""
