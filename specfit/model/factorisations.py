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
from specfit.model.factorising import Factorising, Relevance, SpectrumPrior
from specfit.model.faults import Faults, nearest
from specfit.model.image_kinds import FACTORISATION
from specfit.model.intervals import interval
from specfit.model.map_observe import Names, Observed, of_pixels
from specfit.model.map_rules import MapRules
from specfit.model.map_words import ENERGY, MOST, USAGE, plain_number, usage
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
        self.names = Names()
        self.level = ""  # what the maps' prior is told by
        self.curves = CurveReader(self.constants, faults, texts)

    def read(self) -> Factorising | None:
        """The factorisation, None where anything in it is at fault."""
        self._numbers()
        self._observe()
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
            names=(self.names.maps, self.names.spectra),
            spectra=tuple(self._spectrum(k) for k in range(1, count + 1)),
            **rules.said,
            checks=tuple(rules.checks),
            place=place(self.block.span, self.texts),
            places=tuple((n, place(s, self.texts)) for n, s in self.seen.items()),
            **self.values,
        )

    def _spectrum(self, number: int) -> SpectrumPrior:
        return self.own.get(number) or self.all or SpectrumPrior()

    # ------------------------------------------------------------ numbers and names

    def _numbers(self) -> None:
        """`K = 6` and `k = 1..K`: constants, and the range of the components."""
        ranges: list[tree.Let] = []
        for item in self.items:
            if not isinstance(item, tree.Let) or not self._first(item):
                continue
            if isinstance(item.value, tree.Range):
                ranges.append(item)
                continue
            found = constant(item.value, self.constants)
            if found is None:
                self.faults.add("not-in-map-model", item.span)
            self.constants[item.target.text] = found
        for item in ranges[1:]:
            self.faults.add("not-in-map-model", item.span)
        if not ranges:
            return self._missing("index")
        self.names = self.names._replace(number=ranges[0].target.text)
        self._range(ranges[0].value)
        return None

    def _range(self, value: tree.Expr) -> None:
        assert isinstance(value, tree.Range)
        ends = [constant(end, self.constants) for end in (value.low, value.high)]
        low, high = (plain_number(end) for end in ends)
        if low == 1 and high is not None and high == int(high) and 1 <= high <= MOST:
            self.values["components"] = int(high)
        else:
            words = {"name": self.names.number, "most": str(MOST)}
            self.faults.say("map-range", value.span, words)

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
        seen = Observed(self.data, self.names.number, self.constants, self.faults)
        if not any(isinstance(item, tree.Observe) for item in self.items):
            self._missing("observe")
        found = seen.read(self.items)
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
            self._maps(item)
        elif name == self.names.spectra and len(index) == 2 and every:
            self.all = self.curves.prior(item.prior, item.span)
        elif name == self.names.spectra and len(index) == 1:
            self._own_spectrum(index[0], item)
        elif name in (self.names.maps, self.names.spectra):
            what = "maps" if name == self.names.maps else "every"
            usage(self.faults, what, item.span)
        elif every and len(index) == 1:
            self._relevance(name, item)
        else:
            self.faults.add("not-in-map-model", item.span)

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

    def _maps(self, item: tree.Sample) -> None:
        """`exponential(λ[k])`, or `gamma(2, λ[k])` for maps that are seldom empty."""
        call = item.prior.centre
        given = call.arguments if isinstance(call, tree.Call) else ()
        word = call.function.text if isinstance(call, tree.Call) else ""
        level = given[-1].value if given else None
        shape = constant(given[0].value, self.constants) if len(given) == 2 else 1.0
        right = (word, len(given)) in (("exponential", 1), ("gamma", 2))
        number = plain_number(shape) if not isinstance(shape, float) else float(shape)
        if not right or not isinstance(level, tree.Path) or not number or number <= 0:
            usage(self.faults, "maps", item.span)
            return
        self.values["maps"] = number
        self.level = level.text

    def _relevance(self, name: str, item: tree.Sample) -> None:
        """`λ[k] ~ inverse_gamma(1.5, 0.5 * mean(cube.counts)) counts`."""
        call = item.prior.centre
        given = call.arguments if isinstance(call, tree.Call) else ()
        word = call.function.text if isinstance(call, tree.Call) else ""
        shape = (
            plain_number(constant(given[0].value, self.constants)) if given else None
        )
        scale = self._scale(given[1].value) if len(given) == 2 else None
        if word != "inverse_gamma" or shape is None or shape <= 0 or scale is None:
            usage(self.faults, "relevance", item.span)
            return
        self.values["relevance"] = Relevance(
            symbol=name, shape=shape, scale=scale[0], of_mean=scale[1],
            place=place(item.span, self.texts),
        )  # fmt: skip

    def _scale(self, node: tree.Expr) -> tuple[float, bool] | None:
        """A number of counts, or so many means of the data."""
        factor, rest = 1.0, node
        if isinstance(node, tree.Binary) and node.operator == "*":
            left = plain_number(constant(node.left, self.constants))
            factor, rest = left or 0.0, node.right
        if isinstance(rest, tree.Call) and rest.function.text == "mean":
            inside = [a.value for a in rest.arguments]
            names = [one.text for one in inside if isinstance(one, tree.Path)]
            known = names == [f"{self.data.name}.{self.data.reading}"]
            return (factor, True) if known and factor > 0 else None
        number = constant(node, self.constants)
        counts = isinstance(number, Quantity) and number > 0
        return (float(number), False) if counts else None

    def _offset(self, name: str, item: tree.Sample) -> None:
        """`shift ~ 0 ± 0.5 eV`, `drift ~ 0 ± 0.1 eV per pixel`."""
        sd = self._spread(item.prior.centre)
        if sd is None or item.per != (("pixel",) if name == "drift" else ()):
            usage(self.faults, name, item.span)
        else:
            self.values[name] = sd

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
        if item.name != self.names.background or item.per != ("pixel",) or item.body:
            return usage(self.faults, "background", item.span)
        if word not in ("powerlaw", "constant"):
            words = {"key": "baseline", "word": word or "", "known": ""}
            words["known"] = nearest(word or "", ("powerlaw", "constant"))
            return self.faults.say(
                "unknown-word", kind.span if kind else item.span, words
            )
        self.values["background"], self.seen["baseline"] = word, item.span
        for argument in given:
            if argument.name != "fit":
                return usage(self.faults, "background", item.span)
            wanted = units.DIMENSIONS["energy"]
            said = (argument.value, None, wanted, self.constants, self.faults)
            self.values["fit"] = interval(*said)
        return None

    # ------------------------------------------------------------------ the whole

    def _missing(self, what: str) -> None:
        if not self.faults.lost:
            words = {"name": self.block.name or FACTORISATION, "usage": USAGE[what]}
            self.faults.say("map-missing", self.block.name_span, words)

    @property
    def relevance_symbol(self) -> str:
        """What levels of the maps are called, "" without any."""
        found = self.values.get("relevance")
        return found.symbol if found is not None else ""

    def _complete(self) -> None:
        """What every factorisation says, and names that are used and not defined."""
        if self.faults.within(self.block.span):
            return
        said = {
            "maps": "maps" in self.values,
            "every": bool(self.all or self.own),
            "relevance": not self.level or self.relevance_symbol == self.level,
            "background": "background" in self.values or not self.names.background,
        }
        for what in (what for what, known in said.items() if not known):
            self._missing(what)
        written = [path.text for path in paths(self.block.body)]
        for item in self.items:
            if not isinstance(item, tree.Let) or isinstance(item.value, tree.Range):
                continue
            if written.count(name := item.target.text) < 2:
                self.faults.add("unused-definition", item.span, name=name)
