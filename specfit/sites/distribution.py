"""Sites with a distribution of any shape: a histogram that is smooth unless data say else.

The logarithm of the histogram is a sum of cosines over its range, each with a standard
normal coefficient and a height that falls with the square of its number: the prior of
Hesse and Rübartsch's smoothing (the second derivative is small), here of a logarithm, so
that no bin is negative, and of a strength that is stated (`roughness`).  Where a bin is
empty the data are silent about how far below nothing it is, and a large strength makes
of this silence a wall that nothing samples; up to some 5 the posterior is nearly normal.

Source: J. Hesse, A. Rübartsch, J. Phys. E 7, 526 (1974), doi:10.1088/0022-3735/7/7/012;
of disorder alone: G. Czjzek et al., Phys. Rev. B 23, 2513 (1981),
doi:10.1103/PhysRevB.23.2513.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit import waves
from specfit.contracts import Array, Lines, ParameterSignature, Signature, SiteKind
from specfit.lazy import LazyModule
from specfit.sites.common import (
    AREA_FRACTION,
    ISOMER_SHIFT,
    LINEWIDTH,
    SIGMA_QUADRUPOLE_SPLITTING,
)
from specfit.sites.magnetic import (
    HYPERFINE_FIELD,
    ISOMER_SHIFT_SLOPE,
    MIDDLE_LINES,
    RANDOM_SPLITTING,
    SEXTET,
    SPLITTING,
    SPLITTING_SLOPE,
)
from specfit.sites.paramagnetic import ISOMER_SHIFT_SLOPE as SLOPE_BY_SPLITTING
from specfit.sites.paramagnetic import PLAIN_DOUBLET, RATIO
from specfit.sites.paramagnetic import SPLITTING as DISTANCE
from specfit.waves import BINS, COEFFICIENTS

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
else:
    jax = LazyModule("jax")
    jnp = LazyModule("jax.numpy")


def histogram(xp: Any, values: Mapping[str, Any], bins: int = BINS) -> tuple[Any, Any]:
    """The middle of each bin and its share, each (…, bins)."""
    low, high = (xp.asarray(values[end])[..., None] for end in ("low", "high"))
    every = xp.broadcast_arrays(*(values[name] for name in COEFFICIENTS))
    share = waves.shares(xp, values["roughness"], xp.stack(every, axis=-1), bins)
    return low + (high - low) * waves.places(bins), share


def _every(
    kind: SiteKind,
    symbol: str,
    values: Mapping[str, Array],
    scale: Array,
    following: tuple[str, ...],
    bins: tuple[Array, Array],
) -> Lines:
    """The lines of every bin: `symbol` takes its value, the `following` go with it.

    IS and QS are those at the mean of the distribution.
    """
    place, share = bins
    constant = {name: jnp.zeros_like(values["IS"]) for name in _STILL}

    def one(at: Array, off: Array, part: Array) -> Lines:
        moved = {
            name: values[name] + off * values[f"{name}_slope"] for name in following
        }
        lines = kind.lines({**constant, **values, **moved, symbol: at}, scale)
        return lines._replace(area=part * lines.area)

    every = jax.vmap(one)(place, place - share @ place, share)
    return Lines(*(part.ravel() for part in every))


_STILL = (
    "sigma_IS", "sigma_QS", "sigma_Bint", "IS_slope", "QS_slope", "QS_random",
)  # fmt: skip


def _doublets(values: Mapping[str, Array], scale: Array) -> Lines:
    return _every(PLAIN_DOUBLET, "QS", values, scale, ("IS",), histogram(jnp, values))


def _sextets(bins: int, values: Mapping[str, Array], scale: Array) -> Lines:
    every = histogram(jnp, values, bins)
    return _every(SEXTET, "Bint", values, scale, ("IS", "QS"), every)


def _disordered(values: Mapping[str, Array], scale: Array) -> Lines:
    """Doublets of P(QS) ∝ QS^(d − 1) exp(−QS² / 2 σ²)."""
    return _every(PLAIN_DOUBLET, "QS", values, scale, ("IS",), disorder(jnp, values))


def disorder(xp: Any, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Bins up to 6 σ and the share of each, each (…, BINS)."""
    sigma, d = (xp.asarray(values[name])[..., None] for name in ("sigma", "d"))
    place = waves.places()
    height = (d - 1.0) * np.log(place) - 18.0 * place**2
    return 6.0 * sigma * place, waves.normalised(xp, height)


def _end(symbol: str, dimension: str, unit: str, value: float) -> ParameterSignature:
    return ParameterSignature(
        symbol=symbol,
        dimension=dimension,
        unit=unit,
        meaning=f"{symbol}est value of the distribution",
        low=0.0,
        default=f"= {value:g} {unit}",
    )


_SHAPE = (
    ParameterSignature(
        symbol="roughness",
        dimension="number",
        unit="",
        meaning="height of the histogram's logarithm: the larger, the less smooth",
        low=0.0,
        default="= 4",
    ),
    *(
        ParameterSignature(
            symbol=name,
            dimension="number",
            unit="",
            meaning=f"part of the wave with {m} half periods in the histogram's logarithm",
            default="~ normal(0, 1)",
            minor=True,
        )
        for m, name in enumerate(COEFFICIENTS, 1)
    ),
)


def _moments(of: ParameterSignature) -> tuple[ParameterSignature, ...]:
    """Mean and standard deviation, which follow from the histogram."""
    given = f"(low, high, roughness, {', '.join(COEFFICIENTS)})"
    return tuple(
        ParameterSignature(
            symbol=symbol,
            dimension=of.dimension,
            unit=of.unit,
            meaning=f"{words} of the distribution of {of.symbol}; computed",
            default=f"= {function}{given}",
            computed=True,
        )
        for symbol, words, function in (
            (of.symbol, "mean", "histogram_mean"),
            (f"sigma_{of.symbol}", "standard deviation", "histogram_sd"),
        )
    )


_HISTOGRAM = "J. Hesse, A. Rübartsch, J. Phys. E 7, 526 (1974)"

DOUBLET_DISTRIBUTION = SiteKind(
    signature=Signature(
        name="doublet_distribution",
        title="doublets with a distribution of splittings",
        parameters=(
            ISOMER_SHIFT,
            SLOPE_BY_SPLITTING,
            _end("low", "velocity", "mm/s", 0.0),
            _end("high", "velocity", "mm/s", 3.0),
            RATIO,
            LINEWIDTH,
            AREA_FRACTION,
            *_SHAPE,
            *_moments(DISTANCE),
        ),
        source=_HISTOGRAM,
        spread={"QS": ("low", "high")},
    ),
    n_lines=2 * BINS,
    lines=_doublets,
    histogram=histogram,
)

SEXTET_DISTRIBUTION = SiteKind(
    signature=Signature(
        name="sextet_distribution",
        title="sextets with a distribution of fields",
        parameters=(
            ISOMER_SHIFT,
            ISOMER_SHIFT_SLOPE,
            SPLITTING,
            SPLITTING_SLOPE,
            SIGMA_QUADRUPOLE_SPLITTING,
            RANDOM_SPLITTING,
            _end("low", "field", "T", 0.0),
            _end("high", "field", "T", 60.0),
            MIDDLE_LINES,
            LINEWIDTH,
            AREA_FRACTION,
            *_SHAPE,
            *_moments(HYPERFINE_FIELD),
        ),
        source=_HISTOGRAM,
        spread={"Bint": ("low", "high")},
    ),
    n_lines=6 * BINS,
    lines=partial(_sextets, BINS),
    histogram=histogram,
    alike=True,  # a scatter of QS moves every line by half of it
)


def with_bins(bins: int) -> SiteKind:
    """The same with another number of bins, to see what they cost."""
    return replace(
        SEXTET_DISTRIBUTION,
        n_lines=6 * bins,
        lines=partial(_sextets, bins),
        histogram=partial(histogram, bins=bins),
    )


CZJZEK = SiteKind(
    signature=Signature(
        name="czjzek",
        title="doublets of a disordered surrounding",
        parameters=(
            ISOMER_SHIFT,
            SLOPE_BY_SPLITTING,
            ParameterSignature(
                symbol="sigma",
                dimension="velocity",
                unit="mm/s",
                meaning="width σ of P(QS) ∝ QS^(d − 1) exp(−QS² / 2 σ²)",
                low=0.0,
                default="~ halfnormal(0.5) mm/s in [0.02, 2.0] mm/s",
            ),
            ParameterSignature(
                symbol="d",
                dimension="number",
                unit="",
                meaning="independent components of the field gradient that scatter: 5 of "
                "a wholly random one",
                low=1.0,
                high=5.0,
                default="= 5",
            ),
            RATIO,
            LINEWIDTH,
            AREA_FRACTION,
        ),
        source="G. Czjzek et al., Phys. Rev. B 23, 2513 (1981); G. Le Caër, R. A. Brand, "
        "J. Phys.: Condens. Matter 10, 10715 (1998)",
        spread={"QS": ("sigma", "d")},
    ),
    n_lines=2 * BINS,
    lines=_disordered,
    histogram=disorder,
)
