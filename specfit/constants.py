"""Physical constants of 57Fe Mössbauer spectroscopy, each with its source beside it."""

from __future__ import annotations

from typing import NamedTuple

NATURAL_FWHM = 0.0970
"""Natural Lorentzian FWHM of the 14.4 keV line, mm/s (lifetime 141.1 ns; half-life
97.9 ns; published values span 0.0965-0.0970)."""

MINIMUM_FWHM = 0.194
"""Twice the natural width, mm/s: source and absorber, the least that can be observed."""

DOPPLER_SLOPE = -7.307e-4
"""Second-order Doppler shift in the classical limit, mm/s/K: −3 k_B / (2 M c), 57Fe."""

BOLTZMANN_OVER_MC = 4.871e-4
"""k_B / (M c) of 57Fe, mm/s/K (CODATA 2018)."""

RECOIL_TEMPERATURE = 22.727
"""E_R / k_B of the 14.4 keV line, K: 14412.9 eV, 56.9354 u (E_R = 1.9585 meV)."""


class FieldScale(NamedTuple):
    """A convention that ties tesla to velocity: the α-Fe lines at room temperature."""

    field: float  # T
    outer: float  # lines 1, 6: mm/s from the centre
    middle: float  # lines 2, 5
    inner: float  # lines 3, 4
    source: str

    @property
    def slopes(self) -> tuple[float, float, float]:
        """k16, k25, k34 in mm/s/T."""
        return (
            self.outer / self.field,
            self.middle / self.field,
            self.inner / self.field,
        )


FIELD_SCALES: dict[str, FieldScale] = {
    "33.04 T @ 5.3123 mm/s": FieldScale(
        33.04, 5.3123, 3.0760, 0.8397, "Violet & Pipkorn, J. Appl. Phys. 42, 4339 (1971)"
    ),
    "33.0 T @ 5.3285 mm/s": FieldScale(
        33.0, 5.3285, 5.3285 * 0.57868, 5.3285 * 0.15736, "Fitbauer 5.1 calibration"
    ),
    "CODATA": FieldScale(
        33.04, 0.161241 * 33.04, 0.093355 * 33.04, 0.025468 * 33.04,
        "nuclear g factors 0.18121 and -0.10353 with the CODATA nuclear magneton",
    ),
    "NORMOS": FieldScale(
        33.0, 0.16139717 * 33.0, 0.09344172 * 33.0, 0.02548627 * 33.0,
        "NORMOS-SITE: nuclear g 0.090604, moments in the ratio -0.5714, 14.4 keV",
    ),
}  # fmt: skip

DEFAULT_FIELD_SCALE = "33.04 T @ 5.3123 mm/s"

SOURCE_SHIFTS: dict[str, float] = {
    "alpha-Fe": 0.0,
    "57Co(Rh)": -0.108,
    "57Co(Pd)": -0.185,
    "57Co(Cu)": -0.226,
    "57Co(Pt)": -0.347,
    "57Co(Cr)": 0.152,
    "nitroprusside": 0.257,
}
"""Centre of α-Fe at room temperature on the velocity scale of each source, mm/s: add
minus this to an isomer shift quoted on that scale.  57Co(Rh) from calibrations
(−0.106 … −0.110); the others are textbook values (N. N. Greenwood, T. C. Gibb,
Mössbauer Spectroscopy, 1971)."""

SIGMA_FWHM = 2.3548200450309493
"""2 √(2 log 2): the full width of a Gaussian in standard deviations."""
