"""How hyperfine parameters change with temperature, where records must be carried.

Used only between temperatures that no transition separates.  The isomer shift follows
the second-order Doppler shift of a Debye solid; the hyperfine field a reduced law fixed
at the records; the quadrupole splitting is kept, with an uncertainty that grows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from specfit.model import laws

NEAR = 25.0
"""K: a record this close counts as the temperature asked for."""

ROOM_SLOPE = -7.3e-4
"""mm/s/K, used where both temperatures are above `CLASSICAL`: the classical limit of
the second-order Doppler shift, which a solid reaches near room temperature."""

CLASSICAL = 250.0

DEBYE = 400.0
"""K, of iron in most solids; 300-500 K are taken as its one-sigma range."""

FIELD_EXPONENT = 0.36
"""Of (1 − (T/T_order)²): between the critical exponent of a three-dimensional magnet
(0.33-0.37) and the fields of goethite, hematite and α-Fe at 4 K and at 295 K."""

FERROUS_DRIFT = 3e-3
"""mm/s/K: how far the QS of high-spin Fe2+ may move (lazulite 3.32 → 4.04, hedenbergite
2.16 → 2.74, siderite 1.80 → 2.15 mm/s on cooling from 295 K to 80-140 K)."""

DRIFT = 2e-4
"""mm/s/K: the same for every other iron."""


@lru_cache(maxsize=256)
def doppler_shift(temperature: float, debye: float = DEBYE) -> float:
    """Second-order Doppler shift of a Debye solid, mm/s; see `laws.sod`."""
    return float(laws.sod(np, debye, temperature))


def isomer_shift_change(origin: float, target: float) -> tuple[float, float, str]:
    """Change of IS between two temperatures: mm/s, its uncertainty, the law's name."""
    if min(origin, target) >= CLASSICAL:
        return ROOM_SLOPE * (target - origin), 0.0, "−7.3e-4 mm/s/K"
    change = doppler_shift(target) - doppler_shift(origin)
    ends = [
        doppler_shift(target, debye) - doppler_shift(origin, debye)
        for debye in (DEBYE - 100.0, DEBYE + 100.0)
    ]
    law = f"Debye second-order Doppler shift (Θ = {DEBYE:.0f} ± 100 K)"
    return change, abs(ends[0] - ends[1]) / 2.0, law


def reduced_field(temperature: float, ordering: float) -> float:
    """B(T)/B(0) = (1 − (T/T_order)²)^0.36; an empirical law, 0 at and above T_order."""
    ratio = temperature / ordering
    return float(max(1.0 - ratio * ratio, 0.0) ** FIELD_EXPONENT)
