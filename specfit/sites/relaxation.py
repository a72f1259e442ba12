"""A site whose field turns about: two-state relaxation of a sextet.

The moment jumps between two opposite directions.  Each line of the sextet then jumps
between v0 − Δ and v0 + Δ (Δ = k Bint), v0 the middle of its pair.  Slow jumps leave six
lines, fast ones narrow them to the mean field, in between they broaden and merge.

Valid for: a field gradient along the field, of which only its first order is kept.

Source: M. Blume, J. A. Tjon, Phys. Rev. 165, 446 (1968), doi:10.1103/PhysRev.165.446,
two states of unequal populations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Array, Lines, ParameterSignature, Signature, SiteKind
from specfit.lazy import LazyModule
from specfit.sites.common import AREA_FRACTION, ISOMER_SHIFT, LINEWIDTH
from specfit.sites.magnetic import HYPERFINE_FIELD, MIDDLE_LINES, SEXTET, SPLITTING

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

JUMPS_PER_VELOCITY = 7.3041e7
"""Jumps per second that 1 mm/s corresponds to at 14.4 keV: E0 v / (ħ c)."""

_PAIR_SIGN = np.array([1.0, -1.0, -1.0])
"""By which half of QS the middle of lines 1 and 6, 2 and 5, 3 and 4 is moved."""


def _profile(values: Mapping[str, Array], scale: Array, velocity: Array) -> Array:
    """Absorption (n,) of unit area at velocities (n,), mm/s.

    Re φ / π with φ = [p + W − iΔ P] / [p² + Δ² + p W + iΔ W P], p = Γ/2 + i(v − v0),
    W the sum of both jump rates and P the difference of populations; a transition and
    its mirror image, whose Δ is the opposite, together.
    """
    middle = values["x"]
    share = jnp.stack([3.0 * jnp.ones_like(middle), middle, jnp.ones_like(middle)])
    share = share / (4.0 + middle)
    centre = values["IS"] + _PAIR_SIGN * (0.5 * values["QS"])
    shift = jnp.asarray(scale) * values["Bint"]
    both = 2.0 * jnp.power(10.0, values["log_rate"]) / JUMPS_PER_VELOCITY
    total = jnp.zeros_like(velocity)
    for pair in range(3):
        offset = velocity - centre[pair]
        for sign in (1.0, -1.0):
            seen = _jumping(
                offset, sign * shift[pair], 0.5 * values["width"], both,
                values["polarisation"],
            )  # fmt: skip
            total = total + (0.5 * share[pair]) * seen
    return total / np.pi


def _jumping(
    offset: Array, shift: Array, half: Array, both: Array, polarisation: Array
) -> Array:
    """Re φ of one line that stands at −shift or at +shift."""
    above = half + both
    above_i = offset - shift * polarisation
    below = half * (half + both) + (shift - offset) * (shift + offset)
    below_i = offset * (2.0 * half + both) + shift * both * polarisation
    size = below * below + below_i * below_i
    seen: Array = (above * below + above_i * below_i) / size
    return seen


def _lines(values: Mapping[str, Array], scale: Array) -> Lines:
    """The six lines of the moment at rest."""
    still = {name: jnp.zeros_like(values["IS"]) for name in _NO_SPREAD}
    return SEXTET.lines({**values, **still}, scale)


_NO_SPREAD = (
    "sigma_IS", "sigma_Bint", "sigma_QS", "IS_slope", "QS_slope", "QS_random",
)  # fmt: skip

RELAXING = SiteKind(
    signature=Signature(
        name="relaxing",
        title="sextet whose field turns about",
        parameters=(
            ISOMER_SHIFT,
            SPLITTING,
            HYPERFINE_FIELD,
            MIDDLE_LINES,
            ParameterSignature(
                symbol="log_rate",
                dimension="number",
                unit="",
                meaning="decimal logarithm of the jumps per second, mean of both ways",
                low=3.0,
                high=14.0,
                default="~ free in [6, 11]",
            ),
            ParameterSignature(
                symbol="polarisation",
                dimension="number",
                unit="",
                meaning="difference of the populations of the two directions",
                low=0.0,
                high=1.0,
                default="= 0",
            ),
            LINEWIDTH,
            AREA_FRACTION,
        ),
        source="M. Blume, J. A. Tjon, Phys. Rev. 165, 446 (1968), "
        "doi:10.1103/PhysRev.165.446",
    ),
    n_lines=6,
    lines=_lines,
    profile=_profile,
)
"""Of six lines one sees the jumps between 10⁷ and 10¹⁰ per second: at 50 T a line
crosses from slow to fast at 6·10⁸."""
