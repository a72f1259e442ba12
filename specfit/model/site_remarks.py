"""What is said of a site once its priors are known: lines misplaced, ranges without room."""

from __future__ import annotations

from collections.abc import Iterator

from specfit.model.divisions import by_zero
from specfit.model.first_order import misplaced
from specfit.model.ir import Const, Model, Prior
from specfit.model.peak_remarks import Remark, axis_remarks
from specfit.model.undecidable import undecidable


def site_remarks(model: Model[Prior]) -> Iterator[Remark]:
    """Faults and warnings of the sites of a model."""
    for site, off, width in misplaced(model):
        words = {"site": site.name, "off": f"{off:.2f}", "width": f"{width:.2f}"}
        yield "sextet-first-order", words, site.place, "warning"
    yield from _empty_ranges(model)
    yield from by_zero(model)
    yield from axis_remarks(model)
    for code, words, place in undecidable(model):
        yield code, words, place, "warning"


def _empty_ranges(model: Model[Prior]) -> Iterator[Remark]:
    """Distributions whose lowest value is not below their highest."""
    known = {
        d.name: d.value.value for d in model.definitions if isinstance(d.value, Const)
    }
    seen = set()
    for site in (site for spectrum in model.spectra for site in spectrum.sites):
        low, high = (known.get(site.parameters.get(s, "")) for s in ("low", "high"))
        if low is None or high is None or low < high or site.name in seen:
            continue
        seen.add(site.name)
        words = {"site": site.name, "low": f"{low:g}", "high": f"{high:g}"}
        yield "distribution-range", words, site.place, "error"
