"""Mössbauer isotopes: what the nucleus decides, read from `priors_db`.

Spins, moments, energy and lifetime make line positions, intensities and the natural
width; the rest are the conventions and the wide windows that default priors need.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from specfit.assets import folder

SPEED_OF_LIGHT = 299_792_458e3
"""mm/s, exact (SI)."""

NUCLEAR_MAGNETON = 3.15245125417e-8
"""eV/T (CODATA 2022)."""

REDUCED_PLANCK = 6.582119569e-16
"""eV s (CODATA 2022)."""

LOGARITHM_OF_TWO = 0.6931471805599453

IRON = "57Fe"


@dataclass(frozen=True)
class Isotope:
    """One transition between the ground state and an excited state.

    energy: eV; half_life: s; moments in nuclear magnetons, quadrupole moments in barn.
    multipoles: (order, share of the intensity), ((1, 1.0),) for M1.
    isomer_shifts, coupling, fields: what chemistry does with it, mm/s and T.
    """

    name: str
    energy: float
    half_life: float
    spin_ground: float
    spin_excited: float
    moment_ground: float
    moment_excited: float
    quadrupole_ground: float
    quadrupole_excited: float
    multipoles: tuple[tuple[int, float], ...]
    reference: str
    isomer_shifts: tuple[float, float]
    coupling: float
    fields: tuple[float, float]

    @property
    def natural_fwhm(self) -> float:
        """ħ ln 2 / T½ as a velocity, mm/s."""
        width = REDUCED_PLANCK * LOGARITHM_OF_TWO / self.half_life
        return width * SPEED_OF_LIGHT / self.energy

    @property
    def slopes(self) -> tuple[float, float]:
        """Energy of ground and excited levels for each m and tesla, mm/s: −μ / I."""
        magneton = NUCLEAR_MAGNETON * SPEED_OF_LIGHT / self.energy
        return (
            -self.moment_ground / self.spin_ground * magneton,
            -self.moment_excited / self.spin_excited * magneton,
        )

    @property
    def quadrupoles(self) -> tuple[float, float]:
        """Moments of ground and excited state over the one that eQVzz means.

        That is the ground state's, where it has one, as papers have it.
        """
        unit = self.quadrupole_ground or self.quadrupole_excited
        return self.quadrupole_ground / unit, self.quadrupole_excited / unit


@cache
def isotopes() -> dict[str, Isotope]:
    """Every isotope by its name, "57Fe" first."""
    path = folder("priors_db") / "moessbauer" / "isotopes.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8"))["isotopes"]
    return {record["isotope"]: _isotope(record) for record in known}


def _isotope(record: dict[str, Any]) -> Isotope:
    usual = record["usual"]
    return Isotope(
        name=record["isotope"],
        energy=1e3 * _number(record["E_gamma_keV"]),
        half_life=1e-9 * _number(record["half_life_ns"]),
        spin_ground=float(Fraction(record["I_ground"])),
        spin_excited=float(Fraction(record["I_excited"])),
        moment_ground=_number(record["mu_ground_muN"]),
        moment_excited=_number(record["mu_excited_muN"]),
        quadrupole_ground=_number(record["Q_ground_b"]),
        quadrupole_excited=_number(record["Q_excited_b"]),
        multipoles=_multipoles(record),
        reference=record["IS_reference"],
        isomer_shifts=(usual["IS_mm_s"][0], usual["IS_mm_s"][1]),
        coupling=usual["eQVzz_mm_s"],
        fields=(usual["field_T"][0], usual["field_T"][1]),
    )


def _multipoles(record: dict[str, Any]) -> tuple[tuple[int, float], ...]:
    if record["multipoles"] == "M1":
        return ((1, 1.0),)
    ratio = _number(record["E2_over_M1"])
    return ((1, 1.0 / (1.0 + ratio)), (2, ratio / (1.0 + ratio)))


def _number(entry: Any) -> float:
    return float(entry["value"] if isinstance(entry, dict) else entry)


OTHER_REFERENCES = tuple(x.reference for x in isotopes().values() if x.name != IRON)
"""Zeros of the isomer shifts of all isotopes but 57Fe."""
