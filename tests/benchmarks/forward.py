"""The cases in which forward models are compared, and what they must be.

One grid of velocities; kinds and values are in specfit's conventions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.benchmarks import cases, exact
from tests.benchmarks.models import Model, Site

AT = np.linspace(-cases.LIMIT, cases.LIMIT, cases.CHANNELS)
SOURCE = 0.098
"""FWHM of the source in thick cases, mm/s: what SYNCmoss takes as the natural width."""


def thin(kind: str, **values: float) -> Model:
    return Model((Site(kind, values),))


def thick(thickness: float, *sites: Site) -> Model:
    return Model(sites, thickness=thickness, source_width=SOURCE)


SEXTET = {"IS": 0.37, "QS": -0.2, "Bint": 51.7, "width": 0.27}
BROAD = {"IS": 0.40, "QS": -0.1, "Bint": 45.0, "width": 0.27, "sigma_Bint": 1.0}
GAUSS = BROAD | {"sigma_IS": 0.05}
MIXED = {
    "IS": 0.1, "eQVzz": 4.0, "eta": 0.4, "Bint": 20.0, "theta": 50.0, "phi": 30.0,
    "width": 0.27,
}  # fmt: skip
HEMATITE = MIXED | {"eQVzz": 0.84, "eta": 0.0, "Bint": 51.7, "theta": 90.0, "phi": 0.0}
PARAMAGNET = MIXED | {"eQVzz": 2.0, "eta": 0.6, "Bint": 0.0}
BEAM = {"beam_theta": 35.0, "beam_phi": 70.0}
TURNING = {"IS": 0.35, "QS": -0.1, "Bint": 45.0, "width": 0.27, "polarisation": 0.0}
FOIL = {"IS": 0.0, "QS": 0.0, "Bint": 33.04, "width": 0.2}
WAVES = {"roughness": 8.0, "c1": 0.5, "c2": -1.0, "c3": 0.6}
WAVES |= {f"c{m}": 0.0 for m in range(4, 17)}
RANGE = {"low": 5.0, "high": 45.0}
HISTOGRAM = {"IS": 0.2, "QS": 0.05, "width": 0.28, "IS_slope": 0.004, "QS_slope": -0.01}

CASES = {
    "singlet": thin("singlet", IS=0.1, width=0.25),
    "doublet": thin("doublet", IS=0.36, QS=0.8, width=0.3),
    "doublet, texture 3 : 5": thin("doublet", IS=1.1, QS=2.7, width=0.3, ratio=5 / 3),
    "sextet": thin("sextet", **SEXTET),
    "sextet, texture 3 : 3.2 : 1": thin("sextet", **SEXTET, x=3.2),
    "sextet, Gaussian IS and field": thin("sextet", **GAUSS),
    "the same, IS all tied to the field": thin("sextet", **BROAD, IS_slope=0.05),
    "the same, IS partly tied": thin("sextet", **GAUSS, IS_slope=-0.05),
    "the same, QS all tied to the field": thin("sextet", **BROAD, QS_slope=0.1),
    "distribution of fields, 120 bins": thin(
        "sextet_distribution", **HISTOGRAM, **RANGE, **WAVES
    ),
    "Hamiltonian, 20 T, eQVzz 4, η 0.4": thin("hamiltonian", **MIXED),
    "Hamiltonian, 51.7 T across eQVzz 0.84": thin("hamiltonian", **HEMATITE),
    "Hamiltonian, no field, η 0.6": thin("hamiltonian", **PARAMAGNET),
    "Hamiltonian, single crystal": thin("hamiltonian_crystal", **MIXED, **BEAM),
    "relaxation, slow (10^6.5 /s)": thin("relaxing", **TURNING, log_rate=6.5),
    "relaxation, intermediate (10^8.6 /s)": thin("relaxing", **TURNING, log_rate=8.6),
    "relaxation, fast (10^10 /s)": thin("relaxing", **TURNING, log_rate=10.0),
    "relaxation, populations 0.65 and 0.35": thin(
        "relaxing", **(TURNING | {"polarisation": 0.3}), log_rate=8.6
    ),
    "thick singlet, t = 5": thick(5.0, Site("singlet", {"IS": 0.1, "width": 0.2})),
    "thick α-Fe foil, t = 8.4": thick(8.4, Site("sextet", FOIL)),
    "thick, sextet and doublet, t = 6": thick(
        6.0,
        Site("sextet", SEXTET, 0.6),
        Site("doublet", {"IS": 0.36, "QS": 0.7, "width": 0.26}, 0.4),
    ),
    "thick, Hamiltonian, t = 5": thick(5.0, Site("hamiltonian", MIXED)),
}


# ------------------------------------------------------------------ what they must be


def truth(model: Model, slopes: Sequence[float]) -> np.ndarray:
    """The dip of a case by `exact`, on these slopes (mm/s/T)."""
    source = 0.0 if model.thickness is None else model.source_width

    def profile(at):
        each = (
            site.share * exact.profile(*_reference(site, source), slopes, at)
            for site in model.sites
        )
        return sum(each)

    if model.thickness is None:
        return model.area * profile(AT)
    strength = 0.5 * np.pi * exact.NATURAL * model.thickness
    return exact.thick_dip(lambda at: strength * profile(at), source, AT)


def _reference(site: Site, source: float) -> tuple[str, dict]:
    """The site that `exact` is asked for: of its width, what is not the source's."""
    values = dict(site.values) | {"width": site.values["width"] - source}
    if site.kind == "sextet_distribution":
        return "distribution", bins(values)
    return site.kind, values


BINS = 120


def bins(values: dict) -> dict:
    """Values and shares of the bins of a distribution of fields."""
    place = (np.arange(BINS) + 0.5) / BINS
    waves = sum(
        values[f"c{m}"] * np.sqrt(2.0) * np.cos(np.pi * m * place) / m**2
        for m in range(1, 4)
    )
    share = np.exp(values["roughness"] * waves)
    share = share / share.sum()
    field = values["low"] + (values["high"] - values["low"]) * place
    away = field - field @ share
    every = [
        {
            "IS": values["IS"] + values["IS_slope"] * off,
            "QS": values["QS"] + values["QS_slope"] * off,
            "Bint": at,
            "width": values["width"],
        }
        for at, off in zip(field, away, strict=True)
    ]
    return {"of": "sextet", "bins": (every, share), "mean": float(field @ share)}
