"""Unknowns of one site, or of one absorber, that no spectrum of it can tell apart.

Found from the model alone: what is fixed, what is open, and how closely the priors hold
it.  Whether the data at hand decide what they could decide, a rule judges afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import FloatArray
from specfit.model.drawing import draw
from specfit.model.expressions import references
from specfit.model.first_order import PART
from specfit.model.ir import Const, Dist, Model, Parameter, Place, Prior, Site, Spectrum
from specfit.model.known import arguments_of
from specfit.sites import first_order_error

Told = tuple[str, dict[str, str], Place]
"""Code, words and place of a warning."""
ASYMMETRY = ("ratio", "texture", "f_anisotropy")
GRADIENT = ("eQVzz", "theta", "eta", "phi")
SOURCE = ("f_source", "background")
_ORDINARY: Mapping[str, float] = {
    "ratio": 1.0, "texture": 10.0, "f_anisotropy": 10.0, "eQVzz": 2.0, "theta": 90.0,
    "eta": 1.0, "phi": 90.0, "f_source": 1.0, "background": 1.0,
}  # fmt: skip
"""How far apart ordinary values lie, in canonical units."""
KNOWLEDGE = 0.1
"""Of that, below which the half width of a prior is knowledge of its own."""


def undecidable(model: Model[Prior]) -> Iterator[Told]:
    """Warnings of a 57Fe model, or of another isotope's, each once."""
    view, seen = _View(model), set[tuple[str, str]]()
    for spectrum in model.spectra:
        for found in _of_spectrum(view, spectrum):
            key = (found[0], found[1]["site"] + found[1].get("symbol", ""))
            if key not in seen:
                seen.add(key)
                yield found


def _of_spectrum(view: _View, spectrum: Spectrum) -> Iterator[Told]:
    yield from view.shared("source-undecided", None, spectrum.scalars, SOURCE)
    for site in spectrum.sites:
        word = site.kind.split()[0]
        if word == "doublet":
            yield from view.shared(
                "asymmetry-undecided", site, site.parameters, ASYMMETRY
            )
        elif word in ("hamiltonian", "hamiltonian_crystal"):
            yield from _gradient(view, site, powder=word == "hamiltonian")


def _gradient(view: _View, site: Site, powder: bool) -> Iterator[Told]:
    """What a powder, and where nothing acts a crystal too, does not show."""
    places = site.parameters
    idle = list(_idle(view, places, powder))
    for symbol, reason in idle:
        fixed = "eta = 0" if symbol == "eta" else f"{symbol} = 0 deg"
        words = {"site": site.name, "symbol": symbol, "reason": reason, "fixed": fixed}
        yield "without-effect", words, view.place(places[symbol], site.place)
    if not powder:
        return
    seen = [s for s in GRADIENT if s in places and s not in {n for n, _ in idle}]
    if view.constant(places["Bint"]) == 0.0:
        open_ = [s for s in ("eQVzz", "eta") if view.below(places[s])]
        if _uneven(view, places):
            return  # unequal lines of a known cause show the sign
        if "eQVzz" in open_ and (len(open_) > 1 or view.both_signs(places["eQVzz"])):
            yield "gradient-undecided", {"site": site.name}, site.place
    elif view.first_order(places):
        yield from view.shared("orientation-undecided", site, places, seen)


def _idle(
    view: _View, places: Mapping[str, str], powder: bool
) -> Iterator[tuple[str, str]]:
    """Open unknowns on which no line depends, and the statement that makes it so."""
    field, coupling = (view.constant(places[s]) for s in ("Bint", "eQVzz"))
    why: dict[str, str] = {}
    if view.constant(places["eta"]) == 0.0 and powder:
        why["phi"] = "eta = 0"
    if field == 0.0:
        why |= dict.fromkeys(("theta", "phi"), "Bint = 0 T")
    if coupling == 0.0:  # of a crystal, the field still has its angle to the ray
        all_ = powder and _uneven(view, places) == 0.0
        idle = ("theta", "phi", "eta") if all_ else ("eta",)
        why |= dict.fromkeys(idle, "eQVzz = 0 mm/s")
    for symbol, reason in why.items():
        if view.below(places[symbol]):
            yield symbol, reason


def _uneven(view: _View, places: Mapping[str, str]) -> float | None:
    """The anisotropy of the recoil-free fraction, where it is known."""
    name = places.get("f_anisotropy")
    return 0.0 if name is None else view.constant(name)


class _View:
    """What of a model is fixed, what it rests on, and how closely it is known."""

    def __init__(self, model: Model[Prior]) -> None:
        self.model = model
        self.unknowns = {one.name: one for one in model.parameters}
        self.values = {one.name: one.value for one in model.definitions}

    def constant(self, name: str) -> float | None:
        """The number that a name is fixed at."""
        value: Any = self.values.get(name)
        return value.value if isinstance(value, Const) else None

    def below(self, name: str) -> frozenset[str]:
        """The unknowns that a name rests on."""
        if name in self.unknowns:
            return frozenset({name})
        value = self.values.get(name)
        names = references(value) if value is not None else set()
        return frozenset().union(*(self.below(one) for one in names - {name}))

    def place(self, name: str, otherwise: Place) -> Place:
        """Where the unknown is stated."""
        one = self.unknowns.get(name)
        return one.place if one is not None and one.place.line else otherwise

    def shared(
        self,
        code: str,
        site: Site | None,
        places: Mapping[str, str],
        symbols: tuple[str, ...] | list[str],
    ) -> Iterator[Told]:
        """A warning where several of these symbols are open and but loosely known.

        One number is seen in each spectrum: as many unknowns as spectra may be told.
        """
        held = [s for s in symbols if s in places and self.below(places[s])]
        every = frozenset().union(*self._everywhere(site, held))
        loose = [s for s in held if not self._known(places[s], s)]
        spectra = sum(
            1 for one in self.model.spectra if site is None or _has(one, site)
        )
        if len(held) < 2 or len(loose) < 2 or len(every) <= spectra:
            return
        names = ", ".join(f"`{s}`" for s in held)
        place = self.place(places[loose[0]], site.place if site else Place())
        yield code, {"site": site.name if site else "", "names": names}, place

    def _everywhere(
        self, site: Site | None, symbols: list[str]
    ) -> Iterator[frozenset[str]]:
        """What the symbols rest on in every spectrum."""
        for spectrum in self.model.spectra:
            tables = [spectrum.scalars]
            if site is not None:
                tables = [s.parameters for s in spectrum.sites if s.name == site.name]
            for table in tables:
                yield from (self.below(table[s]) for s in symbols if s in table)

    def _known(self, name: str, symbol: str) -> bool:
        """Whether the priors below a name are knowledge of it."""
        one = self.unknowns.get(name)
        if one is None:  # computed: of what is below, nothing is said here
            return False
        if one.prior.provenance is not None:
            return True
        draws = prior_draws(one)
        if draws is None:
            return True  # tied to others by its prior
        low, high = np.quantile(draws, [0.16, 0.84])
        return bool(high - low < 2.0 * KNOWLEDGE * _ORDINARY[symbol])

    def _drawn(self, name: str) -> FloatArray | None:
        fixed = self.constant(name)
        if fixed is not None:
            return np.array([fixed])
        one = self.unknowns.get(name)
        value: Any = self.values.get(name)
        if one is None:
            return (
                self._drawn(value.name) if getattr(value, "op", "") == "ref" else None
            )
        return prior_draws(one)

    def both_signs(self, name: str) -> bool:
        """Whether a prior leaves both signs open."""
        draws = self._drawn(name)
        return draws is not None and bool(np.any(draws > 0) and np.any(draws < 0))

    def first_order(self, places: Mapping[str, str]) -> bool:
        """Whether even the strongest gradient of the priors acts to first order only."""
        drawn = [self._drawn(places[s]) for s in ("Bint", "eQVzz", "width")]
        if any(one is None for one in drawn):
            return False
        fields, couplings, widths = (np.asarray(one) for one in drawn)
        slopes = np.array([FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes])
        strong = np.array([np.quantile(np.abs(couplings), 0.975)])
        weak = np.array([np.quantile(fields, 0.025)])
        off = first_order_error(weak, 0.25 * strong, slopes)[0]
        return bool(off < PART * np.median(widths))


def _has(spectrum: Spectrum, site: Site) -> bool:
    return any(one.name == site.name for one in spectrum.sites)


def prior_draws(parameter: Parameter[Prior]) -> FloatArray | None:
    """Draws of a prior of numbers alone, (n,); None where it hangs on other unknowns."""
    dist = parameter.prior.dist
    if not all(isinstance(a, Const) for a in arguments_of(dist)):
        return None
    return _draws(dist)


@lru_cache(maxsize=4096)
def _draws(dist: Dist) -> FloatArray:
    return draw(dist, np.random.default_rng(0), 4000, {})
