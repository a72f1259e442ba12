"""What each function of an expression takes and gives: how many arguments, which dimensions."""

from __future__ import annotations

from specfit.model.functions import HORSESHOE, WEIGHTED_SUM
from specfit.model.regression_kinds import MOST_FEATURES
from specfit.waves import WAVES

SAME = "same"
_T, _N, _L = "temperature", "number", "length"
_HISTOGRAM = ((3 + WAVES,) * 2, (SAME, SAME, *(_N,) * (1 + WAVES)), SAME)
FUNCTIONS: dict[str, tuple[tuple[int, int], str | tuple[str, ...], str]] = {
    # name: (least and most arguments), what they (each) must be, what comes out
    "exp": ((1, 1), "number", "number"),
    "log": ((1, 1), "number", "number"),
    "log10": ((1, 1), "number", "number"),
    "sqrt": ((1, 1), "any", "root"),
    "abs": ((1, 1), "any", SAME),
    "min": ((1, 16), SAME, SAME),
    "max": ((1, 16), SAME, SAME),
    "mean": ((1, 1), "any", SAME),
    "median": ((1, 1), "any", SAME),
    "sum": ((1, 64), SAME, SAME),
    "sin": ((1, 1), "angle", "number"),
    "cos": ((1, 1), "angle", "number"),
    "tan": ((1, 1), "angle", "number"),
    "voigt_fwhm": ((2, 2), SAME, SAME),
    "voigt_height": ((2, 2), SAME, "inverse"),
    "atan": ((1, 1), "number", "angle"),
    "sod": ((2, 2), _T, "velocity"),
    "debye_f": ((2, 2), _T, _N),
    "brillouin": ((3, 3), (_N, _T, _T), _N),
    "reduced_field": ((4, 4), (_T, _T, _N, _N), _N),
    "ingalls": ((2, 3), (_T, _T, _N), _N),
    "magnetite_vacancies": ((2, 2), _N, _N),
    "ferrous_share": ((1, 1), _N, _N),
    "saturated_ratio": ((3, 3), _N, _N),
    "d_cubic": ((4, 4), (_N, _N, _N, _L), _L),
    "d_tetragonal": ((5, 5), (_N, _N, _N, _L, _L), _L),
    "d_hexagonal": ((5, 5), (_N, _N, _N, _L, _L), _L),
    "d_orthorhombic": ((6, 6), (_N, _N, _N, _L, _L, _L), _L),
    "two_theta": ((2, 5), (_L, _L, "angle", _L, _L), "angle"),
    "momentum_transfer": ((1, 1), _L, "reciprocal_length"),
    "wavelength": ((1, 1), "energy", _L),
    "histogram_mean": _HISTOGRAM,
    "histogram_sd": _HISTOGRAM,
    HORSESHOE: ((5, 5), "any", SAME),
    WEIGHTED_SUM: ((2, 1 + MOST_FEATURES), "any", SAME),
}
