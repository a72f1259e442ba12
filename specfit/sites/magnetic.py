"""Sites in a magnetic hyperfine field: the sextet, quadrupole shift to first order.

Line i stands at IS + s_i k_i Bint + q_i QS / 2 with s = (−,−,−,+,+,+), slopes k and
q = (+,−,−,−,−,+) from the most negative velocity up; QS = 2ε = [(v6−v5)−(v2−v1)] / 2.
A field gradient whose axis lies at random to the field leaves no QS, but a scatter of it
and, to second order, a shift of every line: see `random_shift`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import (
    Array,
    FloatArray,
    Lines,
    ParameterSignature,
    Signature,
    SiteKind,
)
from specfit.lazy import LazyModule
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_ISOMER_SHIFT,
    SIGMA_QUADRUPOLE_SPLITTING,
    root,
)

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

_FIELD_DIRECTION = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
_QUADRUPOLE_SIGN = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0])
_SLOPE_OF_LINE = np.array([0, 1, 2, 2, 1, 0])
_AREA_OUTER = np.array([3.0, 0.0, 1.0, 1.0, 0.0, 3.0])
_AREA_MIDDLE = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])


def _sextet_lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """Six lines, areas 3 : x : 1 : 1 : x : 3, each with its own Gaussian width.

    A distribution of Bint moves a line by its slope, and by those with which IS and QS
    follow Bint; what IS and QS scatter beside that adds in quadrature (after D. G.
    Rancourt, J. Y. Ping, Nucl. Instrum. Methods B 58, 85 (1991)).

    Valid for: |eQVzz| much less than the magnetic splitting; the error of a line is
    0.005 mm/s in hematite, 0.04 mm/s in jarosite at low temperature.
    """
    slope = jnp.asarray(scale)[_SLOPE_OF_LINE]
    excited = 0.5 * (jnp.asarray(scale)[0] - jnp.asarray(scale)[2])
    moved = random_shift(values["QS_random"], excited * values["Bint"])
    magnetic = _FIELD_DIRECTION * slope * values["Bint"]
    quadrupole = _QUADRUPOLE_SIGN * (0.5 * values["QS"])
    middle = values["x"]
    following = (
        _FIELD_DIRECTION * slope
        + values["IS_slope"]
        + _QUADRUPOLE_SIGN * (0.5 * values["QS_slope"])
    )
    variance = (
        values["sigma_IS"] ** 2
        + (following * values["sigma_Bint"]) ** 2
        + (0.5 * values["sigma_QS"]) ** 2
    )
    return Lines(
        position=values["IS"] + magnetic + quadrupole + moved,
        area=(_AREA_OUTER + _AREA_MIDDLE * middle) / (8.0 + 2.0 * middle),
        gauss_sigma=root(variance),
    )


def random_shift(splitting: Any, zeeman: Any) -> Any:
    """Mean shift (…, 6) of lines, the field gradient at a random angle to the field: mm/s.

    splitting: Q, what the nucleus would show without a field, |eQVzz| √(1+η²/3) / 2;
    zeeman: ω, distance of neighbouring excited levels.  To second order levels ±3/2 move
    outwards by 0.15 Q²/ω and ±1/2 inwards by 0.05 Q²/ω, whatever η and the sign of eQVzz:
    of a tensor that is turned at random all five components scatter alike.  The scatter
    of QS that belongs to it is Q/√5.

    Valid for: Q ≤ ω, at 0.8 mm/s 12 T and more: both signs alike, or η = 1, to
    0.002 Q²/ω; one sign with η = 0 moves every line by 0.008 Q³/ω² more, the same way.
    At Q = 1.5 ω levels ±1/2 are off by 0.01 Q²/ω; in still lower fields, where lines turn
    into a doublet, the shift only falls back to nothing.
    """
    square, at_square = splitting**2, zeeman**2
    outer, inner = (
        part * square * zeeman**3
        / (at_square**2 + at_square * square / a + square**2 / b + 1e-12)
        for part, a, b in ((0.15, 30.0, 200.0), (0.05, 3.0, 20.0))
    )  # fmt: skip
    return outer[..., None] * _OUTER_LEVEL + inner[..., None] * _INNER_LEVEL


_OUTER_LEVEL = np.array([-1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
_INNER_LEVEL = np.array([0.0, 1.0, -1.0, 1.0, -1.0, 0.0])


def first_order_error(
    field: FloatArray, splitting: FloatArray, slopes: FloatArray
) -> FloatArray:
    """By how much the lines of a sextet may stand elsewhere than first order says, mm/s.

    field (T) and splitting (2ε, mm/s): (n,); slopes: (n, 3), mm/s/T.  Of the angle between
    field and field gradient a sextet knows nothing.  Taken is 90°, where an axial gradient
    that gives this 2ε is −4 · 2ε strong; along the axis first order would be exact.
    """
    ground, excited = slopes[:, 1] + slopes[:, 2], 0.5 * (slopes[:, 0] - slopes[:, 2])
    zeeman = (excited * field)[:, None, None] * np.diag([1.5, 0.5, -0.5, -1.5])
    across = (-4.0 * splitting)[:, None, None] / 12.0 * _GRADIENT_ACROSS
    upper = np.linalg.eigvalsh(zeeman + across)
    lower = np.stack([ground * field, -ground * field], axis=1) / 2.0
    exact = upper[:, [0, 1, 2, 1, 2, 3]] + lower[:, [1, 1, 1, 0, 0, 0]]
    magnetic = _FIELD_DIRECTION * slopes[:, _SLOPE_OF_LINE] * field[:, None]
    first = magnetic + _QUADRUPOLE_SIGN * (0.5 * splitting[:, None])
    away: FloatArray = np.abs(exact - first).max(axis=1)
    return away


def random_error(
    field: FloatArray, scatter: FloatArray, random: FloatArray, slopes: FloatArray
) -> FloatArray:
    """By how much the lines stand elsewhere, mm/s, if QS scatters for want of order.

    Beyond what `random` (QS_random, mm/s) says; scatter: sigma_QS, mm/s; field, T.
    """
    zeeman = 0.5 * (slopes[:, 0] - slopes[:, 2]) * field
    whole = random_shift(np.maximum(math.sqrt(5.0) * scatter, random), zeeman)
    away: FloatArray = np.abs(whole - random_shift(random, zeeman)).max(axis=-1)
    return away


_SPIN_X = np.diag(np.sqrt([3.0, 4.0, 3.0]) / 2.0, 1)
_SPIN_X = _SPIN_X + _SPIN_X.T
_GRADIENT_ACROSS = 3.0 * _SPIN_X @ _SPIN_X - 3.75 * np.eye(4)
"""Quadrupole energy of spin 3/2 with the axis across the field, for eQVzz = 12."""

SPLITTING = ParameterSignature(
    symbol="QS",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole splitting 2ε = [(v6−v5) − (v2−v1)] / 2, signed",
    default="~ 0.0 ± 0.3 mm/s in [-4.3, 4.3] mm/s",
)
"""Iron oxides and metals lie within ±0.4 mm/s; the bounds are those of any iron."""

HYPERFINE_FIELD = ParameterSignature(
    symbol="Bint",
    dimension="field",
    unit="T",
    meaning="magnitude of the magnetic hyperfine field",
    low=0.0,
    default="~ free in [5, 60] T",
)
"""Nothing in iron chemistry passes 60 T; a sextet below 5 T does not resolve and only
imitates a doublet or a broad line."""

MIDDLE_LINES = ParameterSignature(
    symbol="x",
    dimension="number",
    unit="",
    meaning="area of lines 2 and 5 over lines 3 and 4",
    low=0.0,
    high=4.0,
    default="= 2",
)
"""A thin powder without texture gives 2; field along the beam 0, across it 4."""

SIGMA_FIELD = ParameterSignature(
    symbol="sigma_Bint",
    dimension="field",
    unit="T",
    meaning="standard deviation of a Gaussian distribution of hyperfine fields",
    low=0.0,
    default="= 0 T",
)

ISOMER_SHIFT_SLOPE = ParameterSignature(
    symbol="IS_slope",
    dimension="velocity_by_field",
    unit="mm/s/T",
    meaning="change of the isomer shift with the field within their distribution",
    default="= 0 mm/s/T",
)
SPLITTING_SLOPE = ParameterSignature(
    symbol="QS_slope",
    dimension="velocity_by_field",
    unit="mm/s/T",
    meaning="change of the quadrupole splitting 2ε with the field within their "
    "distribution",
    default="= 0 mm/s/T",
)

RANDOM_SPLITTING = ParameterSignature(
    symbol="QS_random",
    dimension="velocity",
    unit="mm/s",
    meaning="quadrupole splitting without a field, of a field gradient whose axis lies at "
    "random to the field: shifts the lines to second order",
    low=0.0,
    default="= 0 mm/s",
)
"""What a disordered oxide shows above its ordering temperature, 0.5-0.9 mm/s."""

SEXTET = SiteKind(
    signature=Signature(
        name="sextet",
        title="magnetic sextet",
        parameters=(
            ISOMER_SHIFT,
            SPLITTING,
            HYPERFINE_FIELD,
            MIDDLE_LINES,
            LINEWIDTH,
            AREA_FRACTION,
            SIGMA_ISOMER_SHIFT,
            SIGMA_QUADRUPOLE_SPLITTING,
            SIGMA_FIELD,
            ISOMER_SHIFT_SLOPE,
            SPLITTING_SLOPE,
            RANDOM_SPLITTING,
        ),
        source="P. Gütlich, E. Bill, A. X. Trautwein, Mössbauer Spectroscopy and "
        "Transition Metal Chemistry, Springer (2011), section 4.6, "
        "doi:10.1007/978-3-540-88428-6",
    ),
    n_lines=6,
    lines=_sextet_lines,
)
