"""specfit's spectra beside those of SYNCmoss, on one grid of velocities.

Three programs for each case: specfit from a .spec text to expected counts, SYNCmoss's own
functions, and `exact`, which shares nothing with either and says which of them is off.
All differences are the largest of 512 channels over the depth of the dip.  Thin cases
compare its optical depth per thickness; thick ones its whole transmission integral.

What a difference comes from is shown by its own settings: the `finer` ones take the
Faddeeva function instead of its sum of four simpler shapes (a switch that only components
with a texture have), and eight times as many nodes in the transmission integral.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.benchmarks import exact, speed, theirs
from tests.benchmarks.forward import AT, BINS, CASES, bins, truth
from tests.benchmarks.models import Model, Site

THIN = 1e-6  # thickness at which its exponential is a straight line
FINER = 8 * theirs.NODES

TIMED = {
    "Hamiltonian, powder": "Hamiltonian, 20 T, eQVzz 4, η 0.4",
    "thick α-Fe foil": "thick α-Fe foil, t = 8.4",
    "two-state relaxation": "relaxation, intermediate (10^8.6 /s)",
}


def measure(quick, kept):
    """Differences of every case, and seconds of some."""
    compared = {
        name: kept.once(name, lambda m=model: compare(m))
        for name, model in CASES.items()
    }
    timed = {
        name: kept.once(f"seconds, {name}", lambda m=CASES[case]: seconds(m))
        for name, case in TIMED.items()
    }
    return {"cases": compared, "seconds": timed}


def compare(model: Model) -> dict[str, float]:
    """Largest differences over the depth of the dip."""
    right = truth(model, theirs.SLOPES)
    ours, plain = model.dip(theirs.SLOPES), _theirs(model, theirs.NODES)
    with theirs.faddeeva():
        finer = _theirs(model, FINER)

    def apart(one, other):
        return float(np.abs(one - other).max() / right.max())

    return {
        "difference": apart(ours, plain),
        "finer": apart(ours, finer),
        "specfit_off": apart(ours, right),
        "syncmoss_off": apart(plain, right),
    }


# ----------------------------------------------------------------------- their side


def _theirs(model: Model, nodes: int) -> np.ndarray:
    parts = _components(model)
    if model.thickness is not None:
        return theirs.dip(parts, AT, nodes)
    unit = 0.5 * np.pi * exact.NATURAL * THIN
    return theirs.depth(parts, AT) * (model.area / unit)


def _components(model: Model) -> list[Sequence]:
    """Its component of every site; in a thin absorber all of the width is a line's."""
    if model.thickness is None:
        return [_component(site, THIN * site.share, 0.0) for site in model.sites]
    return [
        _component(site, model.thickness * site.share, model.source_width)
        for site in model.sites
    ]


def _component(site: Site, thickness: float, source: float) -> Sequence:
    if site.kind == "sextet_distribution":
        spread = histogram(site.values)
        return theirs.distributed("sextet", *spread, thickness, source)
    return theirs.row(site.kind, site.values, thickness, source)


def histogram(values: dict) -> tuple[dict, tuple]:
    """Of a distribution of fields: one sextet, and in SYNCmoss's texts how it spreads."""
    low, high, mean = values["low"], values["high"], bins(values)["mean"]
    half = 0.5 * (high - low) / BINS
    place = f"pi*(X-{low!r})/{high - low!r}"
    waves = "+".join(
        f"({values[f'c{m}']!r})*cos({m}*{place})/{m * m}" for m in range(1, 4)
    )
    density = f"exp({values['roughness']!r}*sqrt(2)*({waves}))"
    tied = {
        "IS": f"{values['IS']!r}+({values['IS_slope']!r})*(X-{mean!r})",
        "QS": f"{values['QS'] / 2!r}+({values['QS_slope'] / 2!r})*(X-{mean!r})",
    }
    one = {name: values[name] for name in ("IS", "QS", "width")} | {"Bint": mean}
    return one, ("Bint", low + half, high - half, BINS, density, tied)


# --------------------------------------------------------------------------- seconds


def seconds(model: Model) -> dict[str, float]:
    """One spectrum of each program, and log-density and gradient of ours, CPU seconds."""
    thickness = model.thickness or 1.0  # it knows no thin absorber
    parts = [_component(s, thickness * s.share, theirs.SOURCE) for s in model.sites]
    ours = speed.row(model)
    return {
        "syncmoss_s": theirs.seconds(lambda: theirs.dip(parts, AT)),
        "specfit_s": ours["forward_s"],
        "gradient_s": ours["gradient_s"],
    }
