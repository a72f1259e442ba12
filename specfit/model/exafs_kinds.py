"""EXAFS in the language: χ(k) as a sum of scattering paths whose tables are files."""

from __future__ import annotations

from specfit.contracts import ParameterSignature, Signature
from specfit.model.kind import FROM_FILE, ModelKind

SQUARE, CUBE = "length*length", "length*length*length"

_OF_FILE = (
    ParameterSignature(
        "reff",
        "length",
        "Å",
        "half the length of the path that the file was calculated for",
        default=FROM_FILE,
        computed=True,
    ),
    ParameterSignature(
        "degeneracy",
        "number",
        "",
        "how many equal paths the file was calculated for",
        default=FROM_FILE,
        computed=True,
    ),
)
_OWN = (
    ParameterSignature(
        "R",
        "length",
        "Å",
        "half the length of the path; of single scattering, the distance",
        low=0.5,
        default="~ normal(reff, 0.1 Å)",
    ),
    ParameterSignature(
        "sigma2",
        SQUARE,
        "Å^2",
        "mean square variation of R, σ²",
        low=0.0,
        default="~ lognormal(log(0.006), 0.6) Å^2",
    ),
    ParameterSignature(
        "N", "number", "", "how many equal paths", low=0.0, default="= degeneracy"
    ),
    ParameterSignature(
        "dE0",
        "energy",
        "eV",
        "where k = 0 of the path lies above the edge of the data",
        default="= dE0",
    ),
    ParameterSignature(
        "C3", CUBE, "Å^3", "third cumulant of R, its asymmetry", default="= 0 Å^3"
    ),
)

FEFF = Signature(
    name="feff",
    title="scattering path with amplitude, phase and mean free path of a feffNNNN.dat",
    parameters=(*_OWN, *_OF_FILE),
    source="J. J. Rehr, R. C. Albers, Rev. Mod. Phys. 72, 621 (2000), "
    "doi:10.1103/RevModPhys.72.621",
)

EXAFS = ModelKind(
    name="exafs",
    title="χ(k) as a sum of scattering paths, between two distances",
    data="absorption",
    component="path",
    components={"feff": FEFF},
    files=("file",),
    scalars=(
        ParameterSignature(
            "S02",
            "number",
            "",
            "amplitude reduction factor S₀²",
            low=0.0,
            default="~ free in [0.7, 1.05]",
        ),
        ParameterSignature(
            "dE0",
            "energy",
            "eV",
            "where k = 0 of the paths lies above the edge of the data",
            low=-30.0,
            high=30.0,
            default="~ normal(0, 4) eV in [-10, 10] eV",
        ),
    ),
    numbers={"k_weight": (0.0, 4.0)},
    ranges={"R_range": "length"},
    axes=("k",),
    baselines={},
    halves={},
    amounts={},
    defaults={},
    seen={},
    settings={},
    noises=("gaussian",),
    fraction="",
)
