"""What the language knows of each kind of data and of model: names, units, defaults.

Signatures only; the functions behind them live in `sites`, `shapes` and `density`.  A
kind that is part of the language but not of this version is listed, so that a file
which uses it gets one clear sentence instead of a hundred complaints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from specfit.contracts import ParameterSignature, Signature
from specfit.isotopes import IRON, isotopes
from specfit.sites import OTHERS, SITES


@dataclass(frozen=True)
class DataKind:
    """A kind of data block: its columns, conditions and options.

    `columns`: name → dimension; `conditions`: name → dimension; `texts`: options that
    take quoted text, with the words allowed (empty: any); `quantities`: options that
    take a number, name → dimension.
    """

    name: str
    columns: Mapping[str, str]
    conditions: Mapping[str, str]
    texts: Mapping[str, tuple[str, ...]]
    quantities: Mapping[str, str]
    axis: str


@dataclass(frozen=True)
class ModelKind:
    """A kind of model made of components on a baseline.

    `component`: the keyword of its blocks; `scalars`: its own parameters; `baselines`:
    name → parameters; `settings`: name → words allowed; `fraction`: the component
    parameter that shares out the total, a simplex unless the user says otherwise.
    """

    name: str
    data: str
    component: str
    components: Mapping[str, Signature]
    scalars: tuple[ParameterSignature, ...]
    baselines: Mapping[str, tuple[ParameterSignature, ...]]
    settings: Mapping[str, tuple[str, ...]]
    noises: tuple[str, ...]
    fraction: str
    observed: str
    conventions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    isotope: str = IRON


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
        ParameterSignature(
            "area",
            "velocity",
            "mm/s",
            "total resonant area of the dip, thin-absorber limit",
            low=0.0,
            default="~ lognormal(0.0, 1.5) mm/s in [0.0001, 50] mm/s",
        ),
    ),
    baselines={
        "constant": (),
        "linear": (_SLOPE,),
        "parabola": (_SLOPE, _CURVATURE),
    },
    settings={"absorber": ("thin",), "baseline": ("constant", "linear", "parabola")},
    noises=("poisson", "negative_binomial"),
    fraction="I",
    observed="counts",
    conventions={
        ("singlet", "width"): "FWHM",
        ("doublet", "width"): "FWHM",
        ("sextet", "width"): "FWHM",
        ("hamiltonian", "width"): "FWHM",
        ("hamiltonian_applied", "width"): "FWHM",
        ("hamiltonian_crystal", "width"): "FWHM",
        ("doublet", "QS"): "ΔEQ",
        ("hamiltonian", "QS"): "ΔEQ",
        ("hamiltonian_applied", "QS"): "ΔEQ",
        ("hamiltonian_crystal", "QS"): "ΔEQ",
        ("sextet", "QS"): "2ε",
    },
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
    axis="velocity",
)

DATA_KINDS = {kind.name: kind for kind in (TRANSMISSION,)}
_OTHER_ISOTOPES = tuple(
    replace(
        MOSSBAUER,
        name=f"mossbauer{isotope}",
        components={word: entry.signature for word, entry in words.items()},
        isotope=isotope,
    )
    for isotope, words in OTHERS.items()
)
MODEL_KINDS = {kind.name: kind for kind in (MOSSBAUER, *_OTHER_ISOTOPES)}

REFERENCES = {f"mossbauer{name}": one.reference for name, one in isotopes().items()}
"""What the isomer shifts of each kind are measured from."""

PLANNED_DATA = ("pattern", "absorption", "hyperspectral", "table")
PLANNED_MODELS = ("peaks", "linear_combination", "nmf", "regression")

CALIBRATION_NUISANCES = ("velocity_scale", "velocity_zero")
"""What a velocity calibration leaves open, each standard normal in units of its sd."""

CONVENTION_FAMILY = {
    "FWHM": "width",
    "HWHM": "width",
    "sigma": "width",
    "ΔEQ": "quadrupole",
    "2ε": "quadrupole",
    "ε": "quadrupole",
}
"""Which conventions can be compared; conversions inside a family are functions."""
