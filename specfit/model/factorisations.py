"""`model NAME : nmf on cube { … }` → `Factorising`, and its faults.

The names of maps, spectra, levels and background are the user's: `observe` says which
is which, and every other statement is read by what stands to its left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit import units
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.constants import Quantity, constant
from specfit.model.curves import CurveReader
from specfit.model.data_columns import DataBlock
from specfit.model.factorising import Factorising, SpectrumPrior
from specfit.model.faults import Faults, closest, nearest
from specfit.model.image_kinds import FACTORISATION
from specfit.model.intervals import interval
from specfit.model.map_numbers import NumberReader
from specfit.model.map_observe import Observed, of_pixels
from specfit.model.map_rules import MapRules
from specfit.model.map_weights import WeightReader
from specfit.model.map_words import ENERGY, MOST, Names, plain_number, usage
from specfit.model.places import place
from specfit.model.walk import paths


class FactorisationReader:
    """Reads the statements of one factorisation of a cube."""

    def __init__(
        self,
        block: tree.Block,
        data: DataBlock,
        constants: Mapping[str, Any],
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.block, self.data, self.faults, self.texts = block, data, faults, texts
        self.items = block.body.items if block.body else ()
        self.constants = dict(constants)
        self.values: dict[str, Any] = {}
        self.seen: dict[str, Span] = {}
        self.all: SpectrumPrior | None = None
        self.own: dict[int, SpectrumPrior] = {}
        self.names = Names(data=data.name, reading=data.reading)
        self.observed = False  # could `observe` be read?

    def read(self) -> Factorising | None:
        """The factorisation, None where anything in it is at fault."""
        self._numbers()
        self._observe()
        said = (self.names, self.constants, self.faults, self.texts)
        self.weights, self.curves = WeightReader(self.data, *said), CurveReader(*said)
        rules = MapRules(
            self.names, self.values.get("components", MOST), self.constants,
            self.curves, self.faults, self.texts,
        )  # fmt: skip
        for item in self.items:
            match item:
                case tree.Let() | tree.Observe():
                    continue
                case tree.Sample(targets=(target,)):
                    self._sample(target, item)
                case tree.Block(keyword="baseline"):
                    self._background(item)
                case tree.RuleStatement():
                    rules.read(item)
                case _:
                    self.faults.add("not-in-map-model", item.span)
        self._complete()
        count = self.values.get("components")
        if self.faults.within(self.block.span) or count is None:
            return None
        return Factorising(
            name=self.block.name or "",
            title=self.block.title or "",
            source=self.data.sources[0],
            **self._called,
            spectra=tuple(self._spectrum(k) for k in range(1, count + 1)),
            **rules.said,
            checks=tuple(rules.checks),
            place=place(self.block.span, self.texts),
            places=tuple((n, place(s, self.texts)) for n, s in self.seen.items()),
            **self.values,
            **self.weights.values,
        )

    @property
    def _called(self) -> dict[str, Any]:
        names = self.names
        both = {"number": names.number, "baseline": names.background}
        return {"names": (names.maps, names.spectra), **both}

    def _spectrum(self, number: int) -> SpectrumPrior:
        return self.own.get(number) or self.all or SpectrumPrior()

    # ------------------------------------------------------------ numbers and names

    def _numbers(self) -> None:
        """What components are numbered by, and how many there are."""
        reader = NumberReader(self.items, self.constants, self._first, self.faults)
        number = reader.read()
        self.constants = reader.constants
        if reader.components is not None:
            self.values["components"] = reader.components
        if number is None:
            return self._missing("index")
        self.names = self.names._replace(number=number)
        return None

    def _first(self, item: tree.Let | tree.Sample) -> bool:
        """Is this the first statement of its name?  `S[1]` and `S[2]` differ."""
        target = item.target if isinstance(item, tree.Let) else item.targets[0]
        index = target.parts[-1].index or ()
        numbers = [i.text for i in index if isinstance(i, tree.Number)]
        key = f"{target.text}[{','.join(numbers)}]" if numbers else target.text
        first = self.seen.setdefault(key, item.span)
        if first is not item.span:
            note = (first, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", item.span, name=key, note=note)
        return first is item.span

    def _observe(self) -> None:
        """Which name is what, and the law of the noise."""
        for item in self.items:
            if isinstance(item, tree.Observe):
                self.seen["observe"] = item.span
        seen = Observed(self.data, self.names, self.constants, self.faults)
        if not any(isinstance(item, tree.Observe) for item in self.items):
            self._missing("observe", seen.likely(self.items))
        found = seen.read(self.items)
        self.observed = found is not None
        if found is not None:
            self.names, noise = found
            self.values |= noise

    # ------------------------------------------------------------------ priors

    def _sample(self, target: tree.Path, item: tree.Sample) -> None:
        if not self._first(item):
            return
        name, index = target.text, target.parts[-1].index or ()
        by_k = [i.text for i in index if isinstance(i, tree.Path)][-1:]
        every = by_k == [self.names.number]
        if name in ("shift", "drift") and not index:
            self._offset(name, item)
        elif name == self.names.maps and of_pixels(target, self.data.name) and every:
            self.weights.maps(item)
        elif name == self.names.spectra and len(index) == 2 and every:
            self.all = self.curves.prior(item.prior, item.span)
        elif name == self.names.spectra and len(index) == 1:
            self._own_spectrum(index[0], item)
        elif name in (self.names.maps, self.names.spectra):
            what = "maps" if name == self.names.maps else "every"
            usage(self.faults, what, item.span, self.names)
        elif every and len(index) == 1:
            self.weights.relevance(name, item)
        else:
            self._unknown(target, item)

    def _unknown(self, target: tree.Path, item: tree.Sample) -> None:
        """Something is said of a name that a factorisation does not have."""
        maps, spectra = self.names.maps, self.names.spectra
        slips = {maps: f"{maps}[{self.data.name}.pixel, {self.names.number}]"}
        slips |= {f"{spectra}{k}": f"{spectra}[{k}]" for k in range(1, 10)}
        slips |= {spectra: f"{spectra}[*, {self.names.number}]"}
        slips |= {word: word for word in ("shift", "drift")}
        near = closest(target.text, slips)
        if near is None:
            return self.faults.add("not-in-map-model", item.span)
        words = {"name": target.text, "known": f"@near|`{slips[near]}`"}
        return self.faults.say("unknown-name", target.span, words)

    def _own_spectrum(self, index: tree.Expr, item: tree.Sample) -> None:
        number = plain_number(constant(index, self.constants))
        count = self.values.get("components", MOST)
        if number is None or number not in range(1, count + 1):
            words = {"name": self.names.spectra, "count": str(count)}
            self.faults.say("map-index", index.span, words)
            return
        prior = self.curves.prior(item.prior, item.span)
        if prior is not None:
            self.own[int(number)] = prior

    def _offset(self, name: str, item: tree.Sample) -> None:
        """`shift ~ 0 ± 0.5 eV`, `drift ~ 0 ± 0.1 eV per pixel`."""
        sd = self._spread(item.prior.centre)
        if sd is None or item.per != (("pixel",) if name == "drift" else ()):
            self._offset_fault(name, item)
        else:
            self.values[name] = sd

    def _offset_fault(self, name: str, item: tree.Sample) -> None:
        """Why it is none: a middle that is not 0, or another form."""
        centre = item.prior.centre
        if isinstance(centre, tree.PlusMinus):
            value = constant(centre.centre, self.constants)
            middle = plain_number(value, ENERGY) or plain_number(value)
            sd = plain_number(constant(centre.sd, self.constants), ENERGY)
            if middle and sd:
                spread = f"{abs(middle) + sd:g}"
                words = {"name": name, "middle": f"{middle:g}", "spread": spread}
                words["per"] = " per pixel" if name == "drift" else ""
                return self.faults.say("map-offset-middle", item.span, words)
        return usage(self.faults, name, item.span)

    def _spread(self, centre: object) -> float | None:
        """The sd of `0 ± sd eV`."""
        if not isinstance(centre, tree.PlusMinus):
            return None
        middle, sd = (constant(x, self.constants) for x in (centre.centre, centre.sd))
        right = isinstance(sd, Quantity) and sd.dimension == ENERGY and sd > 0
        return float(sd) if right and plain_number(middle, ENERGY) == 0.0 else None

    def _background(self, item: tree.Block) -> None:
        """`baseline pre : powerlaw(fit = [600, 630] eV) per pixel`."""
        kind = item.kind
        word = kind.function.text if isinstance(kind, tree.Call) else kind and kind.text
        given = kind.arguments if isinstance(kind, tree.Call) else ()
        if item.per != ("pixel",) or item.body:
            names = self.names._replace(background=item.name or "")
            return usage(self.faults, "background", item.span, names)
        if not self._first_background(item):
            return None
        if word not in ("powerlaw", "constant"):
            words = {"key": "baseline", "word": word or "", "known": ""}
            words["known"] = nearest(word or "", ("powerlaw", "constant"))
            return self.faults.say(
                "unknown-word", kind.span if kind else item.span, words
            )
        self.values["background"] = word
        for argument in given:
            if argument.name != "fit":
                names = self.names._replace(background=item.name or "")
                return usage(self.faults, "background", argument.span, names)
            wanted = units.DIMENSIONS["energy"]
            said = (argument.value, None, wanted, self.constants, self.faults)
            self.values["fit"] = interval(*said)
        return None

    def _first_background(self, item: tree.Block) -> bool:
        """Is it the background that `observe` adds?  Another is reported there."""
        first = self.seen.setdefault("baseline", item.span)
        if first is not item.span:
            note = (first, "first-here", dict[str, str]())
            self.faults.add(
                "duplicate-statement", item.span, name="baseline", note=note
            )
            return False
        if self.observed and item.name != self.names.background:
            names = self.names._replace(background=item.name or "")
            words = {"name": item.name or "", "mean": names.mean}
            self.faults.say("map-background-left", self.seen["observe"], words)
        return True

    # ------------------------------------------------------------------ the whole

    def _missing(self, what: str, names: Names | None = None) -> None:
        if not self.faults.lost:
            words = {"name": self.block.name or FACTORISATION}
            words["usage"] = (names or self.names).written(what)
            self.faults.say("map-missing", self.block.name_span, words)

    def _complete(self) -> None:
        """What every factorisation says, and names that are used and not defined."""
        if self.faults.within(self.block.span):
            return
        level, symbol = self.weights.level, self.weights.symbol
        self.names = self.names._replace(level=level or self.names.level)
        said = {
            "every": bool(self.all or self.own),
            "level": not level or symbol == level,
            "background": "background" in self.values or not self.names.background,
        }
        for what in (what for what, known in said.items() if not known):
            self._missing(what)
        if symbol and not level:
            self.faults.add("unused-definition", self.seen[symbol], name=symbol)
        written = [path.text for path in paths(self.block.body)]
        for item in self.items:
            if not isinstance(item, tree.Let) or isinstance(item.value, tree.Range):
                continue
            if written.count(name := item.target.text) < 2:
                self.faults.add("unused-definition", item.span, name=name)
