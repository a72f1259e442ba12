"""Powders with the whole static Hamiltonian: field and field gradient at any angle."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.contracts import Array, Lines, ParameterSignature, Signature, SiteKind
from specfit.sites.asymmetry import FRACTION_ANISOTROPY, order
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_ISOMER_SHIFT,
    TEXTBOOK,
)
from specfit.sites.magnetic import HYPERFINE_FIELD, SIGMA_FIELD
from specfit.sites.nucleus import Nucleus
from specfit.sites.transitions import (
    between,
    iron,
    iron_slopes,
    powder_areas,
    seen_about,
    tied,
)


def powder_lines(
    nucleus: Nucleus, slopes: tuple[Array, Array], values: Mapping[str, Array]
) -> Lines:
    """The lines of a powder whose field is tied to the field gradient.

    Nuclei in crystals whose main axis of the field gradient is at ϑ to the gamma ray are
    recoil-free as exp(−f_anisotropy cos²ϑ).

    Valid for: a thin absorber, as a thick one saturates each direction by itself; mean
    square displacements that have the main axis of the field gradient as theirs.
    """
    turned, pair = tied(nucleus, slopes, values)
    if nucleus.pure:
        lean = order(-values["f_anisotropy"])
        area = seen_about(turned[2], lean, nucleus, *pair)
    else:
        area = powder_areas(nucleus, *pair)
    return between(values, *pair)._replace(area=area.ravel())


def _iron_powder(values: Mapping[str, Array], scale: Array) -> Lines:
    return powder_lines(iron(), iron_slopes(scale), values)


COUPLING = ParameterSignature(
    symbol="eQVzz",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole coupling eQVzz c / E0, signed; ΔEQ is its half times √(1 + η²/3)",
    default="~ 0.0 ± 2.0 mm/s in [-8.6, 8.6] mm/s",
)
"""Twice the splittings of doublets: Fe3+ lies within ±2.4, Fe2+ reaches ±7.4 mm/s."""

ASYMMETRY = ParameterSignature(
    symbol="eta",
    dimension="number",
    unit="",
    meaning="asymmetry (Vxx − Vyy) / Vzz of the field gradient",
    low=0.0,
    high=1.0,
    default="= 0",
)

POLAR = ParameterSignature(
    symbol="theta",
    dimension="angle",
    unit="deg",
    meaning="angle between the hyperfine field and the main axis of the field gradient",
    low=0.0,
    high=90.0,
    default="~ free in [0, 90] deg",
)
"""Beyond 90° everything repeats: neither tensor nor powder tells an axis from its end."""

AZIMUTH = ParameterSignature(
    symbol="phi",
    dimension="angle",
    unit="deg",
    meaning="azimuth of the hyperfine field from the x axis of the field gradient",
    low=0.0,
    high=90.0,
    default="= 0 deg",
)

SIGMA_COUPLING = ParameterSignature(
    symbol="sigma_eQVzz",
    dimension="velocity",
    unit="mm/s",
    meaning="standard deviation of a Gaussian distribution of quadrupole couplings",
    low=0.0,
    default="= 0 mm/s",
)

SPLITTING = ParameterSignature(
    symbol="QS",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole splitting ΔEQ that the field gradient gives without a field, "
    "signed like eQVzz; computed",
    default="= eQVzz / 2 * sqrt(1 + eta^2 / 3)",
    computed=True,
)
"""Of a spin 3/2 against a spin ½."""

HAMILTONIAN = SiteKind(
    signature=Signature(
        name="hamiltonian",
        title="field and field gradient, powder",
        parameters=(
            ISOMER_SHIFT,
            COUPLING,
            ASYMMETRY,
            SPLITTING,
            HYPERFINE_FIELD,
            POLAR,
            AZIMUTH,
            LINEWIDTH,
            AREA_FRACTION,
            SIGMA_ISOMER_SHIFT,
            SIGMA_FIELD,
            SIGMA_COUPLING,
            FRACTION_ANISOTROPY,
        ),
        source=TEXTBOOK,
    ),
    n_lines=8,
    lines=_iron_powder,
)
