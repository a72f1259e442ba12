"""What no model can hold is put right, with a remark: values beyond nature's bounds."""

from __future__ import annotations

from dataclasses import replace

from specfit.importing.draft import Draft, Parameter, Remark, Remarks, Site, number

LIMITS = {
    "width": (0.194, 2.0), "ratio": (0.3334, 3.0), "x": (0.0, 4.0), "eta": (0.0, 1.0),
    "theta": (0.0, 90.0), "phi": (0.0, 90.0), "Bint": (0.0, 70.0),
}  # fmt: skip
"""mm/s, T, deg: twice the natural width; what texture can do; any iron."""
SPLITTINGS = {
    ("doublet", "QS"): (0.0, 4.3),
    ("sextet", "QS"): (-4.3, 4.3),
    ("hamiltonian", "eQVzz"): (-8.6, 8.6),
}
"""mm/s: of any iron; the sign of a doublet's moves no line."""


def limits(kind: str, symbol: str) -> tuple[float, float] | None:
    """Where a parameter of a kind of site can lie."""
    return SPLITTINGS.get((kind, symbol)) or LIMITS.get(symbol)


def tidied(draft: Draft) -> Draft:
    """The draft with every value where it can lie, and its shares all of one kind."""
    remarks = Remarks(list(draft.remarks))
    sites = tuple(_within(site, i, remarks) for i, site in enumerate(draft.sites))
    own = [site for site in sites if site.area_tie is None]
    if len({site.area_free for site in own}) > 1:
        for i, site in enumerate(sites):
            if site.area_tie is None and not site.area_free:
                words = {"site": str(i + 1), "area": number(site.area)}
                remarks.found.append(Remark("import-area-free", words))
    return replace(draft, sites=sites, remarks=tuple(remarks.found))


def _within(site: Site, place: int, remarks: Remarks) -> Site:
    kept = tuple(_clipped(site.kind, p, place, remarks) for p in site.parameters)
    if site.area < 0:
        words = {"name": f"S{place + 1}.I", "kept": "0", "value": number(site.area)}
        remarks.add("import-outside", **words)
    return replace(site, parameters=kept, area=max(site.area, 0.0))


def _clipped(
    kind: str, parameter: Parameter, place: int, remarks: Remarks
) -> Parameter:
    bounds = limits(kind, parameter.symbol)
    if bounds is None or parameter.tie is not None:
        return parameter
    value = min(max(parameter.value, bounds[0]), bounds[1])
    if value == parameter.value:
        return parameter
    words = {"name": f"S{place + 1}.{parameter.symbol}", "kept": number(value)}
    remarks.add("import-outside", value=number(parameter.value), **words)
    return replace(parameter, value=value)
