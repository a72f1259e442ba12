"""A model block → `Model[Declared]`: names entered, statements typed, levels spelt out.

Order of statements never matters: all names are entered first, and the dimension of a
name is found when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from specfit.contracts import ParameterSignature
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.bases import Basis
from specfit.model.components import Components, default_statement
from specfit.model.data_columns import DataBlock
from specfit.model.declared import Priors
from specfit.model.faults import Faults, listing, nearest
from specfit.model.fractions import Fractions
from specfit.model.kinds import ModelKind, nuisances, unfolded
from specfit.model.meanings import Meanings
from specfit.model.misplaced import misplaced
from specfit.model.names import Entry, Names
from specfit.model.own_settings import CHEBYSHEV, OwnSettings
from specfit.model.rule_statements import RuleReader
from specfit.model.sources import Citations
from specfit.model.spelling import Speller
from specfit.model.typed import Typer
from specfit.model.unseen import forget_unseen
from specfit.model.walk import targets_of
from specfit.units import Dimension

OTHERS = ("site", "peak", "component", "path")
"""Keywords of components; a kind of model has one of them."""


class Elaborator:
    """Elaborates one model; faults go to `faults`, and `model()` is None after any."""

    def __init__(
        self,
        block: tree.Block,
        kind: ModelKind,
        data: DataBlock,
        templates: Mapping[str, tree.Block],
        constants: Mapping[str, tuple[float, Dimension]],
        faults: Faults,
        texts: Mapping[str, str],
        overrides: tuple[tree.AnyStatement, ...] = (),
        bare: bool = False,
        basis: Basis | None = None,
    ) -> None:
        self.kind, self.data, self.bare, self.basis = kind, data, bare, basis
        spell = Speller(basis) if basis else None
        self.block = spell.block(block) if spell else block
        overrides = spell.overriding(overrides) if spell else overrides
        self.faults, self.texts = faults, texts
        self.names = Names(faults, data.name, data.columns, data.levels, constants)
        if basis:
            self.names.bases, self.names.axis = basis.columns, basis.axis
        everything_local = bool(block.per) and bool(data.levels.dimension)
        self.components = Components(
            kind, templates, self.names, faults, texts, everything_local
        )
        self.typer = Typer(self.names, faults, lambda e: self.meanings.dimension_of(e))
        self.citations = Citations(self.typer, faults, kind)
        self.priors = Priors(self.typer, self.citations.read)
        self.fractions = Fractions(kind, self.names, faults, self.typer, texts)
        self.rules: list[tuple[tree.RuleStatement, str]] = []
        self.own = OwnSettings(kind, faults)
        # own parameters of the model that a variant changes
        self.given: set[str] = set()
        self.observed: list[tree.Observe] = []
        self.meanings = Meanings(self.names, self.typer, self.priors)
        self.rulebook = RuleReader(self.priors, self.meanings, texts)
        self.components.check_dimensions(block.per, block.span)
        self._enter(overrides)

    # ------------------------------------------------------------- entering names

    def _enter(self, overrides: tuple[tree.AnyStatement, ...]) -> None:
        items = self.block.body.items if self.block.body else ()
        for item in items:
            self.own.read(item)
        if overrides:
            self.given = {p.symbol for p in self.scalar_signatures()}
        self._overridden_settings(overrides)
        self.components.usual = self.kind.defaults.get(self._absorber(), {})
        self.components.seen = self.kind.seen.get(self._absorber(), {})
        for item in (*items, *overrides):
            if (
                isinstance(item, tree.Block)
                and item.keyword == self.kind.component != ""
            ):
                self.components.read(item)
        self._none_found(items)
        for component in self.components.found.values():
            self.rules += [(rule, component.name) for rule in component.rules]
            self.citations.enter(component, self.names)
        for item in items:
            self._statement(item)
        self._override(overrides)
        forget_unseen(self.components)
        self._scalars()
        self.fractions.complete(list(self.components.found))

    def _none_found(self, items: tuple[tree.AnyStatement, ...]) -> None:
        wanted = self.kind.component
        if self.names.components or self.faults.lost or self.bare or not wanted:
            return
        if not any(isinstance(i, tree.Block) and i.keyword in OTHERS for i in items):
            self.faults.add("no-components", self.block.name_span, keyword=wanted)

    def _overridden_settings(self, overrides: tuple[tree.AnyStatement, ...]) -> None:
        """A variant's baseline or setting takes the place of the model's own."""
        self.own.said.clear()
        for item in overrides:
            self.own.read(item)

    def _override(self, overrides: tuple[tree.AnyStatement, ...]) -> None:
        """A variant's statement takes the place of the explicit one."""
        said: dict[str, Span] = {}
        self.given.clear()
        for item in overrides:
            targets = targets_of(item)
            for name in targets:
                if name in said:
                    note = (said[name], "first-here", dict[str, str]())
                    span = item.span
                    self.faults.add("duplicate-statement", span, name=name, note=note)
                    return
                said[name] = item.span
                self._forget(name, targets, item)
            if isinstance(item, tree.Observe):
                self.observed.clear()
            self._statement(item)

    def _forget(
        self, name: str, targets: tuple[str, ...], item: tree.AnyStatement
    ) -> None:
        """The model's own statement of a name, where a variant makes another."""
        first = self.names.entries.get(name)
        if first is None or first.origin != "explicit":
            return
        together = self.fractions.forget(name)
        left = [other for other in together if other not in targets]
        if left:
            names = listing(left)
            self.faults.add("joint-partly", item.span, name=name, names=names)
        record = None if first.record == "joint" else first.record
        self.names.entries[name] = replace(
            first,
            scope="",
            statement=None,
            origin="default",
            local=False,
            record=record,
        )

    def _statement(self, item: tree.AnyStatement) -> None:
        match item:
            case tree.Block(keyword=keyword) if keyword == self.kind.component:
                return
            case tree.Block(keyword="baseline"):
                for inner in item.body.items if item.body else ():
                    self._statement(inner)
            case tree.Block(keyword=keyword) if keyword in OTHERS:
                wanted = self.kind.component
                self.faults.add(
                    "wrong-component", item.span, keyword=keyword, wanted=wanted
                )
            case tree.Let() if item.target.text in self.kind.words:
                return
            case tree.Let(target=target) | tree.Sample(targets=(target,)):
                self._name(target, item)
            case tree.Sample():
                self.fractions.joint(item, self.components.locality(item))
            case tree.RuleStatement():
                self.rules.append((item, ""))
            case tree.Observe():
                self.observed.append(item)
            case tree.Override():
                self.faults.add("override-inside", item.span)
            case _:
                self.faults.add("not-in-model", item.span)

    def _name(self, target: tree.Path, item: tree.Let | tree.Sample) -> None:
        name = target.text
        head, _, rest = name.partition(".")
        if rest and self.faults.excuses(head):
            return
        if rest and head not in self.names.components:
            known = nearest(head, self.names.components)
            self.faults.add("unknown-component", target.span, name=head, known=known)
            return
        symbols = self.names.components.get(head, ())
        if rest and rest not in symbols:
            known = nearest(rest, symbols)
            self.faults.add(
                "unknown-parameter",
                target.span,
                name=rest,
                component=head,
                known=known,
            )
            return
        scalars = self.scalar_signatures()
        signature = next((s for s in scalars if s.symbol == name), None)
        if signature is None and not rest and self._misplaced(target, item):
            return
        self.names.add(
            Entry(
                name=name,
                role=rest or name,
                statement=item,
                signature=signature,
                local=self.components.locality(item),
            )
        )

    def _misplaced(self, target: tree.Path, item: tree.Let | tree.Sample) -> bool:
        """Is it of another setting?  A variant leaves out what its own has not."""
        own = self.scalar_signatures()
        dropped = target.text in self.given
        return dropped or misplaced(item, target, self.kind, own, self.faults)

    def scalar_signatures(self) -> tuple[ParameterSignature, ...]:
        """The model's own parameters, those of its baseline included."""
        baseline = self.own.baseline
        amounts = self.kind.amounts.get(self._absorber(), ())
        own = self.kind.baselines.get(baseline, ())
        if baseline == CHEBYSHEV:
            own = own[: self.own.order + 1]
        open_halves = unfolded(self.data.sources)
        halves = self.kind.halves.get(baseline, ()) if open_halves else ()
        return (*self.kind.scalars, *amounts, *own, *halves)

    def _absorber(self) -> str:
        return str(self.own.known.get("absorber", next(iter(self.kind.amounts), "")))

    def _scalars(self) -> None:
        """Defaults of the model's own parameters and of the calibration's nuisances."""
        several = bool(self.data.levels.dimension)
        for signature in self.scalar_signatures():
            statement = None
            if signature.default is not None:
                statement = default_statement(signature.symbol, signature.default)
            self.names.add(
                Entry(
                    name=signature.symbol,
                    role=signature.symbol,
                    statement=statement,
                    signature=signature,
                    origin="default",
                    local=several,
                )
            )
            self.names.used.add(signature.symbol)
        for name in self.nuisances():
            statement = default_statement(name, "~ normal(0, 1)")
            signature = ParameterSignature(
                name, "number", "", f"{name} in units of the calibration's sd"
            )
            self.names.add(
                Entry(
                    name=f"{self.data.name}.{name}",
                    role=name,
                    statement=statement,
                    signature=signature,
                    origin="calibration",
                    local=several,
                )
            )

    def nuisances(self) -> tuple[str, ...]:
        """What the velocity calibration leaves open, if there is one."""
        return nuisances(self.data.sources)
