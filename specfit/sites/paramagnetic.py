"""Sites without a magnetic field: the singlet and the quadrupole doublet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Array, Lines, ParameterSignature, Signature, SiteKind
from specfit.lazy import LazyModule
from specfit.sites.asymmetry import ASYMMETRIES, order
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_ISOMER_SHIFT,
    SIGMA_QUADRUPOLE_SPLITTING,
    TEXTBOOK,
    root,
)

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

_DIRECTION = np.array([-1.0, 1.0])


def _singlet_lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """One line at the isomer shift."""
    del scale
    position = jnp.reshape(values["IS"], (1,))
    return Lines(
        position=position,
        area=jnp.ones_like(position),
        gauss_sigma=jnp.reshape(values["sigma_IS"], (1,)),
    )


def _plain_lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """Two lines at IS ± QS / 2, areas 1 : ratio, the low-velocity line first."""
    del scale
    half_split = 0.5 * values["QS"]
    following = 0.5 * _DIRECTION + values["IS_slope"]
    variance = values["sigma_IS"] ** 2 + (following * values["sigma_QS"]) ** 2
    ratio = values["ratio"]
    return Lines(
        position=values["IS"] + half_split * _DIRECTION,
        area=jnp.stack([jnp.ones_like(ratio), ratio]) / (1.0 + ratio),
        gauss_sigma=root(variance),
    )


def _doublet_lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """The same where orientation makes the line of ±3/2 stronger or weaker.

    Valid for: an axial field gradient and an absorber without thickness; a thick one
    saturates each direction by itself.
    """
    lines = _plain_lines(values, scale)
    lean = values["sign_eQVzz"] * order(values["texture"] - values["f_anisotropy"])
    area = lines.area * (1.0 + 0.5 * lean * _DIRECTION)
    return lines._replace(area=area / jnp.sum(area))


ISOMER_SHIFT_SLOPE = ParameterSignature(
    symbol="IS_slope",
    dimension="number",
    unit="",
    meaning="change of the isomer shift with the splitting within their distribution",
    default="= 0",
)
"""One line of the doublet is broader than the other where it is not 0."""

SPLITTING = ParameterSignature(
    symbol="QS",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole splitting ΔEQ, the distance of the two lines; its sign cannot "
    "be observed",
    low=0.0,
    default="~ halfnormal(1.0) mm/s in [0, 4.3] mm/s",
)
"""Fe3+ lies below 1.2, Fe2+ reaches 3.7 mm/s; a wider doublet is not iron chemistry,
and a broad half-normal keeps both without favouring the impossible end."""

RATIO = ParameterSignature(
    symbol="ratio",
    dimension="number",
    unit="",
    meaning="area of the high-velocity line over that of the low-velocity line",
    low=1.0 / 3.0,
    high=3.0,
    default="= 1",
)
"""A powder gives 1.  An oriented axial site gives (1 + cos²ϑ) : (5/3 − cos²ϑ) between
its two lines, so 3 or its inverse is the most that texture can do; `texture` and
`f_anisotropy` say what made it so and multiply it."""

SINGLET = SiteKind(
    signature=Signature(
        name="singlet",
        title="singlet",
        parameters=(ISOMER_SHIFT, LINEWIDTH, AREA_FRACTION, SIGMA_ISOMER_SHIFT),
        source=TEXTBOOK,
    ),
    n_lines=1,
    lines=_singlet_lines,
)

DOUBLET = SiteKind(
    signature=Signature(
        name="doublet",
        title="quadrupole doublet",
        parameters=(
            ISOMER_SHIFT,
            SPLITTING,
            RATIO,
            LINEWIDTH,
            AREA_FRACTION,
            SIGMA_ISOMER_SHIFT,
            SIGMA_QUADRUPOLE_SPLITTING,
            ISOMER_SHIFT_SLOPE,
            *ASYMMETRIES,
        ),
        source=TEXTBOOK,
    ),
    n_lines=2,
    lines=_doublet_lines,
)

PLAIN_DOUBLET = replace(DOUBLET, lines=_plain_lines)
"""Without what orientation does: for the bins of a distribution and for nuclei whose
ground state is the one that splits."""
