"""What is said of a model of peaks once priors, and then data, are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from specfit import units
from specfit.contracts import Measurement
from specfit.model.ir import Model, Place, Prior, Spectrum
from specfit.model.undecidable import prior_draws

Remark = tuple[str, dict[str, str], Place, Literal["error", "warning", "note"]]
"""Code, words, place and severity."""
LEAST = 0.05
"""Share of a prior within the measured range, below which it is said to lie outside."""


def axis_remarks(model: Model[Prior]) -> Iterator[Remark]:
    """Kα doublets on an axis that is no angle: Bragg's law needs one."""
    known = {p.name: p.unit for p in model.parameters}
    known |= {d.name: d.unit for d in model.definitions}
    angle = units.DIMENSIONS["angle"]
    seen = set()
    for site in (s for spectrum in model.spectra for s in spectrum.sites):
        unit = known.get(site.parameters.get("xc", ""), "")
        found = units.parse_unit(unit).dimension if unit else ()
        if site.kind == "doublet_ka" and found != angle and site.name not in seen:
            seen.add(site.name)
            words = {"peak": site.name, "found": units.said(found)}
            yield "doublet-axis", words, site.place, "error"


def data_remarks(
    model: Model[Prior], spectrum: Spectrum, seen: Measurement
) -> Iterator[Remark]:
    """What the measured range of the axis says against a model of peaks."""
    if model.kind != "peaks":
        return
    low, high = float(seen.axis.min()), float(seen.axis.max())
    unit = f" {seen.axis_unit}" if seen.axis_unit else ""
    label = f"[{spectrum.label}]" if spectrum.label else ""
    words = {"data": f"{spectrum.data}{label}"}
    words |= {"low": f"{low:g}{unit}", "high": f"{high:g}{unit}"}
    if spectrum.baseline == "powerlaw" and low <= 0.0:
        yield "powerlaw-axis", words, spectrum.noise.place, "error"
    parameters = {p.name: p for p in model.parameters}
    for site in spectrum.sites:
        one = parameters.get(site.parameters.get("xc", ""))
        draws = prior_draws(one) if one is not None else None
        if one is None or draws is None:
            continue
        if np.mean((draws >= low) & (draws <= high)) < LEAST:
            yield "peak-outside", {**words, "name": one.name}, one.place, "warning"
