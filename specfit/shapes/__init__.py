"""Line shapes: offset from the centre → profile of unit area.

A shape is one file with its signature and its formula.  This table is the only place
that knows them all; its order is the order in which they are shown.
"""

from __future__ import annotations

from specfit.contracts import Shape
from specfit.shapes import gaussian, lorentzian, voigt

__all__ = ["SHAPES"]

_ENTRIES = (lorentzian.SHAPE, gaussian.SHAPE, voigt.SHAPE)

SHAPES: dict[str, Shape] = {entry.signature.name: entry for entry in _ENTRIES}
"""Every line shape by its name in the language."""

if len(SHAPES) != len(_ENTRIES):
    raise ValueError("two line shapes share a name")
