"""Sites of other nuclei than 57Fe, from their records.

The kinds are those of iron with the spins, moments and radiation of the isotope, with
its own windows for default priors and twice its natural width as the least width.  The
name of a kind here is the language's word and the isotope: what knows iron alone, as
rules of physics do, does not take tin for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from specfit.contracts import (
    Array,
    FloatArray,
    Lines,
    ParameterSignature,
    Signature,
    SiteKind,
)
from specfit.isotopes import IRON, Isotope, isotopes
from specfit.sites.hamiltonian import HAMILTONIAN, powder_lines
from specfit.sites.magnetic import SEXTET
from specfit.sites.nucleus import Nucleus, nucleus_of
from specfit.sites.oriented import (
    APPLIED,
    CRYSTAL,
    applied_lines,
    crystal_lines,
)
from specfit.sites.paramagnetic import DOUBLET, PLAIN_DOUBLET, SINGLET

SOURCE = (
    "N. N. Greenwood, T. C. Gibb, Mössbauer Spectroscopy, Chapman and Hall (1971); "
    "nuclear data: priors_db/moessbauer/isotopes.toml"
)


def kinds(isotope: Isotope) -> Iterator[tuple[str, SiteKind]]:
    """Site kinds of an isotope by the language's word for each.

    A doublet where spins ½ and 3/2 meet; a sextet, and a powder in an applied field,
    where the ground state has the ½ (a nucleus like iron's); a crystal where the
    radiation is dipole: for mixtures two multipoles would interfere.
    """
    nucleus = nucleus_of(isotope)
    slopes = tuple(np.asarray(slope) for slope in isotope.slopes)
    found = [SINGLET]
    like_iron = (isotope.spin_ground, isotope.spin_excited) == (0.5, 1.5)
    if like_iron:
        sextet = partial(_sextet, line_slopes(*isotope.slopes))
        found.append(replace(SEXTET, lines=sextet))
    if {isotope.spin_ground, isotope.spin_excited} == {0.5, 1.5}:
        leaning = _dipole_like_iron(isotope)
        found.insert(1, DOUBLET if leaning else PLAIN_DOUBLET)
    oriented = [(HAMILTONIAN, powder_lines)]
    oriented += [(APPLIED, applied_lines)] if like_iron else []
    oriented += [(CRYSTAL, crystal_lines)] if nucleus.pure else []
    for kind, lines in oriented:
        times = kind.n_lines // 8
        made = partial(_with, lines, nucleus, slopes)
        found.append(replace(kind, n_lines=times * nucleus.n_lines, lines=made))
    for kind in found:
        yield kind.signature.name, replace(kind, signature=_signature(kind, isotope))


def _with(
    lines: object, nucleus: Nucleus, slopes: object, values: object, scale: object
) -> Lines:
    del scale
    return lines(nucleus, slopes, values)  # type: ignore[operator,no-any-return]


def line_slopes(ground: float, excited: float) -> FloatArray:
    """k16, k25, k34 (mm/s/T) of spins ½ and 3/2, from the slopes of their levels."""
    half = 0.5 * ground
    slopes = [1.5 * excited - half, 0.5 * excited - half, -0.5 * excited - half]
    found: FloatArray = np.abs(np.array(slopes))
    return found


def _sextet(slopes: FloatArray, values: Mapping[str, Array], scale: Array) -> Lines:
    del scale
    return SEXTET.lines(values, slopes)  # type: ignore[arg-type]


# ------------------------------------------------------------------ signatures


def _signature(kind: SiteKind, isotope: Isotope) -> Signature:
    """The parameters with this isotope's windows."""
    parameters = []
    for parameter in kind.signature.parameters:
        made = _parameter(parameter, isotope)
        if made is not None:
            parameters.append(made)
    word = kind.signature.name
    return Signature(
        name=f"{word} {isotope.name}",
        title=f"{kind.signature.title}, {isotope.name}",
        parameters=tuple(parameters),
        source=SOURCE,
    )


def _parameter(
    parameter: ParameterSignature, isotope: Isotope
) -> ParameterSignature | None:
    """One parameter as this isotope has it; None where it has no meaning."""
    low, high = isotope.isomer_shifts
    least, most = isotope.fields
    whole = {isotope.spin_ground, isotope.spin_excited} == {0.5, 1.5}
    changes: dict[str, Any] = {}
    match parameter.symbol:
        case "IS":
            changes["meaning"] = f"isomer shift against {isotope.reference}"
            changes["default"] = f"~ free in [{low}, {high}] mm/s"
        case "width":
            changes["default"] = _width(2.0 * isotope.natural_fwhm)
        case "eQVzz":
            changes["meaning"] = _coupling(isotope)
            sd, end = isotope.coupling / 4.0, isotope.coupling
            changes["default"] = f"~ 0.0 ± {sd:g} mm/s in [{-end}, {end}] mm/s"
        case "Bint" if not parameter.computed:
            changes["default"] = f"~ free in [{least}, {most}] T"
        case "QS" if parameter.computed and not whole:
            return None
        case "f_anisotropy":
            return parameter if nucleus_of(isotope).pure else None
        case "texture" | "sign_eQVzz" if not _dipole_like_iron(isotope):
            return None
        case "QS" if not parameter.computed:
            changes["default"] = _splitting(parameter, isotope.coupling / 2.0)
    return replace(parameter, **changes)


def _dipole_like_iron(isotope: Isotope) -> bool:
    """Whether its doublet is that of ±3/2 in the excited state, seen by a dipole."""
    spins = (isotope.spin_ground, isotope.spin_excited)
    return spins == (0.5, 1.5) and nucleus_of(isotope).pure


def _width(least: float) -> str:
    """A laboratory line is some 1.4 times as wide as source and absorber, like iron's."""
    mean, sd, most = 1.4 * least, 0.3 * least, 5.0 * least
    return f"~ {mean:.3f} ± {sd:.3f} mm/s in [{least:.3f}, {most:.2f}] mm/s"


def _splitting(parameter: ParameterSignature, most: float) -> str:
    if parameter.low is None:  # of a sextet, signed
        return f"~ 0.0 ± {most / 8.0:g} mm/s in [{-most:g}, {most:g}] mm/s"
    return f"~ halfnormal({most / 4.0:g}) mm/s in [0, {most:g}] mm/s"


def _coupling(isotope: Isotope) -> str:
    state = "ground" if isotope.quadrupole_ground else "excited"
    return f"quadrupole coupling eQVzz c / E0 of the {state} state, signed"


WORDS: dict[str, dict[str, SiteKind]] = {
    name: dict(kinds(isotope)) for name, isotope in isotopes().items() if name != IRON
}
"""Site kinds of every isotope but iron, by the language's words."""
