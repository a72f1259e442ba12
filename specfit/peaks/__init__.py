"""Kinds of peaks: parameters → curve, for any axis and any signal.

This table is the only place that knows them all; its order is the order in which they
are shown.  A peak has an amount, its area wherever that is finite, and is proportional
to it; everything else follows: height, full width, standard deviation.
"""

from __future__ import annotations

from specfit.peaks.asymmetric import DONIACH_SUNJIC, SPLIT
from specfit.peaks.kind import PeakKind
from specfit.peaks.symmetric import (
    DOUBLET_KA,
    GAUSSIAN,
    LORENTZIAN,
    PSEUDO_VOIGT,
    VOIGT,
)

__all__ = ["PEAKS", "PeakKind"]

_ENTRIES = (
    GAUSSIAN,
    LORENTZIAN,
    VOIGT,
    PSEUDO_VOIGT,
    DOUBLET_KA,
    SPLIT,
    DONIACH_SUNJIC,
)

PEAKS: dict[str, PeakKind] = {entry.signature.name: entry for entry in _ENTRIES}
"""Every kind of peak by its name in the language."""

if len(PEAKS) != len(_ENTRIES):
    raise ValueError("two kinds of peaks share a name")
