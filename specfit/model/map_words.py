"""How each statement of a factorisation is written, for messages; numbers without units."""

from __future__ import annotations

from typing import NamedTuple

from specfit import units
from specfit.diagnostics import Span
from specfit.model.constants import Quantity
from specfit.model.faults import Faults
from specfit.units import DIMENSIONLESS, Dimension

MOST = 64
"""Components; more than that has no meaning in a map."""

ENERGY = units.DIMENSIONS["energy"]

USAGE = {
    "index": "{k} = 1..6",
    "observe": "observe {counts} ~ poisson({mean})",
    "maps": "{C}[{data}.pixel, {k}] ~ exponential({λ}[{k}])",
    "every": "{S}[*, {k}] ~ dirichlet(1.0)",
    "spectra": '{S}[1] ~ dirichlet(1.0)`, `smooth(2 eV)` or `like db("MnO.L23")',
    "like": '{S}[1] ~ like file("mno.csv")` or `{S}[1] ~ like db("MnO.L23")',
    "relevance": "{λ}[{k}] ~ inverse_gamma(1.5, 0.5 * mean({counts})) {unit}",
    "level": "{λ}[{k}] ~ inverse_gamma(1.5, 0.5 * mean({counts})) {unit}`, or a known scale, "
    "`{C}[{data}.pixel, {k}] ~ exponential(1000{of})",
    "background": "baseline {bg} : powerlaw(fit = [600, 630] eV) per pixel",
    "shift": "shift ~ 0 ± 0.5 eV",
    "drift": "drift ~ 0 ± 0.1 eV per pixel",
    "overlap": "expect overlap({C}) ~ 0.00 ± 0.10",
    "roughness": "expect roughness({C}) ~ 0.00 ± 0.10",
    "expect": "expect overlap({C}) ~ 0.00 ± 0.10` or `expect roughness({C}) ~ 0.00 ± 0.10",
    "order": "require increasing(centroid({S}, along = energy))",
    "components": "check components == 2",
    "chi2": "check chi2 < 1.2",
    "check overlap": "check overlap({C}) < 0.3",
    "share": "check share({C}[1]) > 0.2",
    "centroid": "check centroid({S}[1]) < 645 eV",
    "match": 'check match({S}[1], file("mno.csv")) > 0.95',
}


class Names(NamedTuple):
    """What the user calls maps, spectra, the number of a component and all else."""

    maps: str = "C"
    spectra: str = "S"
    number: str = "k"
    background: str = ""
    data: str = "cube"
    reading: str = "counts"
    level: str = "λ"

    @property
    def mean(self) -> str:
        """What is expected of a pixel and a channel."""
        product = f"{self.maps}[*, {self.number}] * {self.spectra}[*, {self.number}]"
        plus = f"{self.background} + " if self.background else ""
        return f"{plus}sum({product} over {self.number})"

    def written(self, what: str) -> str:
        """A statement as it is written in the names of the user."""
        said = {
            "C": self.maps, "S": self.spectra, "k": self.number, "λ": self.level,
            "bg": self.background or "pre", "data": self.data, "mean": self.mean,
            "counts": f"{self.data}.{self.reading}",
            "unit": "counts" if self.reading == "counts" else "",
            "of": " counts" if self.reading == "counts" else "",
        }  # fmt: skip
        return USAGE[what].format(**said).rstrip()


def usage(faults: Faults, what: str, span: Span, names: Names | None = None) -> None:
    """Report that something is said in another way, unless it is told already."""
    if not faults.within(span):
        faults.add("map-usage", span, usage=(names or Names()).written(what))


def plain_number(value: object, dimension: Dimension = DIMENSIONLESS) -> float | None:
    """A number without a unit (or of `dimension`; zero needs none), else None."""
    if not isinstance(value, Quantity):
        return None
    if value.dimension == dimension or (value == 0.0 and not value.dimension):
        return float(value)
    return None
