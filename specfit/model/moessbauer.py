"""Mössbauer spectra in the language: transmission data, sites of each isotope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from specfit.constants import NATURAL_FWHM
from specfit.contracts import ParameterSignature
from specfit.isotopes import IRON, isotopes
from specfit.model.kind import DataKind, ModelKind
from specfit.model.saturation import amounts, line_ratios, widths
from specfit.sites import OTHERS, SITES

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

_SLOPE = ParameterSignature(
    "slope",
    "number",
    "",
    "relative change of the baseline from the centre to the end of the axis",
    default="~ 0.00 ± 0.05",
)
_CURVATURE = ParameterSignature(
    "curvature",
    "number",
    "",
    "relative rise of the baseline at the ends of the axis (parabola)",
    default="~ 0.00 ± 0.05",
)
_GEOMETRY = ParameterSignature(
    "geometry",
    "number",
    "",
    "relative change of the count rate where the source stands farthest to one side "
    "(second half of the sweep; as much less on the other side, in the first)",
    default="~ 0.00 ± 0.01",
)
_HALF_SLOPE = ParameterSignature(
    "half_slope",
    "number",
    "",
    "slope of the baseline in the second half of the sweep less that of both",
    default="~ 0.00 ± 0.01",
)

_AREA = ParameterSignature(
    "area",
    "velocity",
    "mm/s",
    "total resonant area of the dip, thin-absorber limit",
    low=0.0,
    default="~ lognormal(0.0, 1.5) mm/s in [0.0001, 50] mm/s",
)
_IRON_WIDTHS = (
    "~ 0.115 ± 0.015 mm/s in [0.05, 0.17] mm/s",
    "~ 0.24 ± 0.05 mm/s in [0.1, 1.0] mm/s",
)
"""Of the source, and of source and absorber together.  57Co in rhodium at room temperature
has f = 0.75-0.78."""

_FIRST_ORDER = ("sextet", "relaxing", "sextet_distribution")
"""Kinds whose QS is 2ε, what the field sees of the gradient."""

MOSSBAUER = ModelKind(
    name="mossbauer57Fe",
    data="transmission",
    component="site",
    components={
        name: entry.signature for name, entry in SITES.items() if " " not in name
    },
    scalars=(
        ParameterSignature(
            "N0",
            "counts",
            "counts",
            "counts per channel off resonance",
            low=0.0,
            default="~ lognormal(log(max({counts}) / 1 counts), 0.1) counts",
        ),
    ),
    baselines={
        "constant": (),
        "linear": (_SLOPE,),
        "parabola": (_SLOPE, _CURVATURE),
    },
    halves={
        "constant": (_GEOMETRY,),
        "linear": (_GEOMETRY, _HALF_SLOPE),
        "parabola": (_GEOMETRY, _HALF_SLOPE),
    },
    amounts={"thin": (_AREA,), "thick": amounts(_IRON_WIDTHS[0], "0.75")},
    defaults={"thick": {"width": _IRON_WIDTHS[1]}},
    seen={"thick": line_ratios(NATURAL_FWHM)},
    settings={
        "absorber": ("thin", "thick"),
        "baseline": ("constant", "linear", "parabola"),
    },
    noises=("poisson", "negative_binomial"),
    fraction="I",
    conventions={
        **{(name, "width"): "FWHM" for name in SITES},
        **{
            (name, "QS"): "2ε" if name in _FIRST_ORDER else "ΔEQ"
            for name, entry in SITES.items()
            if entry.signature.parameter("QS")
        },
    },
    states=True,
    isotope=IRON,
)

TRANSMISSION = DataKind(
    name="transmission",
    columns={"velocity": "velocity", "counts": "counts"},
    conditions={"T": "temperature", "B_applied": "field", "pressure": "pressure"},
    texts={
        "file": (),
        "sample": (),
        "IS_zero": (),
        "calibration": (),
        "source": (),
        "drive": ("triangular", "sinusoidal"),
        "fold": ("auto", "none"),
        "field_scale": (),
        "direction": ("auto", "rising", "falling"),
        "phases": (),
        "elements": (),
    },
    quantities={"velocity_max": "velocity"},
    axes=("velocity",),
    readings=("counts",),
)


def _other(isotope: str) -> ModelKind:
    """The same of another isotope: its sites, its natural width."""
    natural = isotopes()[isotope].natural_fwhm
    source, both = widths(natural)
    return replace(
        MOSSBAUER,
        name=f"mossbauer{isotope}",
        components={word: kind.signature for word, kind in OTHERS[isotope].items()},
        amounts={"thin": (_AREA,), "thick": amounts(source, "1")},
        defaults={"thick": {"width": both}},
        seen={"thick": line_ratios(natural)},
        states=False,
        isotope=isotope,
    )


MOSSBAUER_KINDS = (MOSSBAUER, *map(_other, OTHERS))

REFERENCES = {f"mossbauer{name}": one.reference for name, one in isotopes().items()}
"""What the isomer shifts of each kind are measured from."""

CALIBRATION_NUISANCES = ("velocity_scale", "velocity_zero")
"""What a velocity calibration leaves open, each standard normal in units of its sd."""

UNFOLDED_NUISANCES = (
    "mirror_point",
    "halves_scale",
    "velocity_bend",
    "halves_bend",
    "velocity_cubic",
    "halves_cubic",
)
"""What it leaves open besides where the halves of the sweep are not folded."""


def unfolded(sources: Sequence[DataSource]) -> bool:
    """Whether data are raw counts whose two halves of the sweep stay apart."""
    return any(
        source.options.get("fold") == "none" and "velocity" not in source.columns
        for source in sources
    )


def nuisances(sources: Sequence[DataSource]) -> tuple[str, ...]:
    """What the velocity calibration of data leaves open, if there is one."""
    stated = sources[0].options if sources else {}
    if "calibration" not in stated and "velocity_max" not in stated:
        return ()
    return CALIBRATION_NUISANCES + (UNFOLDED_NUISANCES if unfolded(sources) else ())
