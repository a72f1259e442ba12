"""How each statement of a factorisation is written, for messages; numbers without units."""

from __future__ import annotations

from specfit import units
from specfit.diagnostics import Span
from specfit.model.constants import Quantity
from specfit.model.faults import Faults
from specfit.units import DIMENSIONLESS, Dimension

MOST = 64
"""Components; more than that has no meaning in a map."""

ENERGY = units.DIMENSIONS["energy"]

USAGE = {
    "index": "k = 1..6",
    "observe": "observe cube.counts ~ poisson(sum(C[*, k] * S[*, k] over k))",
    "maps": "C[cube.pixel, k] ~ exponential(λ[k])",
    "every": "S[*, k] ~ dirichlet(1.0)",
    "spectra": 'S[1] ~ dirichlet(1.0)`, `smooth(2 eV)` or `like db("MnO.L23")',
    "like": 'S[1] ~ like db("MnO.L23")',
    "relevance": "λ[k] ~ inverse_gamma(1.5, 0.5 * mean(cube.counts)) counts",
    "background": "baseline pre : powerlaw(fit = [600, 630] eV) per pixel",
    "shift": "shift ~ 0 ± 0.5 eV",
    "drift": "drift ~ 0 ± 0.1 eV per pixel",
    "overlap": "expect overlap(C) ~ 0.00 ± 0.10",
    "roughness": "expect roughness(C) ~ 0.00 ± 0.10",
    "order": "require increasing(centroid(S, along = energy))",
    "check": 'check match(S[1], db("MnO.L23")) > 0.95',
}


def usage(faults: Faults, what: str, span: Span) -> None:
    """Report that something is said in another way, unless it is told already."""
    if not faults.within(span):
        faults.add("map-usage", span, usage=USAGE[what])


def plain_number(value: object, dimension: Dimension = DIMENSIONLESS) -> float | None:
    """A number without a unit (or of `dimension`; zero needs none), else None."""
    if not isinstance(value, Quantity):
        return None
    if value.dimension == dimension or (value == 0.0 and not value.dimension):
        return float(value)
    return None
