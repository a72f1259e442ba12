"""A model block → `Model[Declared]`: names entered, statements typed, levels spelt out.

Order of statements never matters: all names are entered first, and the dimension of a
name is found when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from specfit import units
from specfit.contracts import ParameterSignature
from specfit.language import tree
from specfit.model import ir
from specfit.model.components import Components, default_statement
from specfit.model.datablocks import DataBlock
from specfit.model.declared import Expected, Priors
from specfit.model.faults import Faults, nearest
from specfit.model.fractions import Fractions
from specfit.model.kinds import CALIBRATION_NUISANCES, ModelKind
from specfit.model.names import Entry, Levels, Names
from specfit.model.places import place
from specfit.model.sources import Citations
from specfit.model.typed import BOOLEAN, Context, Typer
from specfit.model.walk import paths
from specfit.units import Dimension


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
    ) -> None:
        self.block, self.kind, self.data = block, kind, data
        self.faults, self.texts = faults, texts
        self.names = Names(faults, data.name, data.columns, data.levels, constants)
        everything_local = bool(block.per) and bool(data.levels.dimension)
        self.components = Components(
            kind, templates, self.names, faults, everything_local
        )
        self.typer = Typer(self.names, faults, self.dimension_of)
        self.citations = Citations(self.typer, faults)
        self.priors = Priors(self.typer, self.citations.read)
        self.fractions = Fractions(kind, self.names, faults, self.typer, texts)
        self.rules: list[tuple[tree.RuleStatement, str]] = []
        self.settings: dict[str, str | float] = {}
        self.observed: list[tree.Observe] = []
        self.noise_entries: dict[str, Entry] = {}
        self._asking: list[str] = []
        self._dimensions: dict[str, Dimension | None] = {}
        self._per()
        self._enter(overrides)

    # ------------------------------------------------------------- entering names

    def _per(self) -> None:
        dimension = self.data.levels.dimension
        for word in self.block.per:
            if word != dimension:
                span = self.block.span
                known = nearest(word, [dimension] if dimension else [])
                self.faults.add("unknown-dimension", span, name=word, known=known)

    def _enter(self, overrides: tuple[tree.AnyStatement, ...]) -> None:
        items = self.block.body.items if self.block.body else ()
        for item in items:
            if isinstance(item, tree.Block) and item.keyword == self.kind.component:
                self.components.read(item)
        if not self.components.found and not self.names.components:
            self.faults.add(
                "no-components", self.block.name_span, keyword=self.kind.component
            )
        for component in self.components.found.values():
            self.rules += [(rule, component.name) for rule in component.rules]
            self.citations.enter(component, self.names)
        for item in items:
            self._statement(item)
        for item in overrides:
            self._override(item)
        self._scalars()
        self.fractions.complete(list(self.components.found))

    def _override(self, item: tree.AnyStatement) -> None:
        """A variant's statement takes the place of the explicit one."""
        if isinstance(item, tree.Let | tree.Sample):
            target = item.target if isinstance(item, tree.Let) else item.targets[0]
            first = self.names.entries.get(target.text)
            if first is not None and first.origin == "explicit":
                fallback = Entry(
                    name=first.name,
                    role=first.role,
                    scope="",
                    signature=first.signature,
                    convention=first.convention,
                    origin="default",
                    title=first.title,
                    record=first.record,
                )
                self.names.entries[first.name] = fallback
        self._statement(item)

    def _statement(self, item: tree.AnyStatement) -> None:
        match item:
            case tree.Block(keyword=keyword) if keyword == self.kind.component:
                return
            case tree.Block(keyword="baseline"):
                self._baseline(item)
            case tree.Let() if item.target.text in self.kind.settings:
                self._setting(item)
            case tree.Let(target=target) | tree.Sample(targets=(target,)):
                self._name(target, item)
            case tree.Sample():
                self.fractions.joint(item, self.components.locality(item))
            case tree.RuleStatement():
                self.rules.append((item, ""))
            case tree.Observe():
                self.observed.append(item)
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
        signature = next(
            (s for s in self.scalar_signatures() if s.symbol == name), None
        )
        self.names.add(
            Entry(
                name=name,
                role=rest or name,
                statement=item,
                signature=signature,
                local=self.components.locality(item),
            )
        )

    def _setting(self, item: tree.Let) -> None:
        key = item.target.text
        value = item.value
        word = value.value if isinstance(value, tree.String) else ""
        word = value.text if isinstance(value, tree.Path) else word
        if key in self.settings:
            self.faults.add("duplicate-statement", item.span, name=key)
        if word not in self.kind.settings[key]:
            code = "planned-word" if word == "thick" else "unknown-word"
            known = nearest(word, self.kind.settings[key])
            self.faults.add(code, value.span, key=key, word=word, known=known)
            return
        self.settings[key] = word

    def _baseline(self, item: tree.Block) -> None:
        word = item.kind.text if isinstance(item.kind, tree.Path) else ""
        if "baseline" in self.settings:
            self.faults.add("duplicate-statement", item.span, name="baseline")
        if word not in self.kind.baselines:
            span = item.kind.span if item.kind else item.span
            known = nearest(word, self.kind.baselines)
            self.faults.add("unknown-kind", span, name=word, known=known)
            return
        self.settings["baseline"] = word
        for inner in item.body.items if item.body else ():
            self._statement(inner)

    def scalar_signatures(self) -> tuple[ParameterSignature, ...]:
        """The model's own parameters, those of its baseline included."""
        baseline = str(self.settings.get("baseline", "constant"))
        return (*self.kind.scalars, *self.kind.baselines[baseline])

    def _scalars(self) -> None:
        """Defaults of the model's own parameters and of the calibration's nuisances."""
        several = bool(self.data.levels.dimension)
        column = f"{self.data.name}.{self.kind.observed}"
        for signature in self.scalar_signatures():
            text = (signature.default or "").replace("{counts}", column)
            statement = default_statement(signature.symbol, text)
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
        options = self.data.sources[0].options if self.data.sources else {}
        calibrated = "calibration" in options or "velocity_max" in options
        return CALIBRATION_NUISANCES if calibrated else ()

    # -------------------------------------------------- dimensions and locality

    def dimension_of(self, entry: Entry) -> Dimension | None:
        """The dimension of a name; a tie that runs in a circle is reported once."""
        if entry.signature is not None:
            return units.DIMENSIONS[entry.signature.dimension]
        if entry.dimension is not None:
            return entry.dimension
        if entry.name not in self._dimensions:
            if entry.name in self._asking:
                start = self._asking.index(entry.name)
                chain = " → ".join([*self._asking[start:], entry.name])
                self.faults.add("circular-definition", entry.span, chain=chain)
                return None
            self._asking.append(entry.name)
            self._dimensions[entry.name] = self._ask(entry)
            self._asking.pop()
        return self._dimensions[entry.name]

    def _ask(self, entry: Entry) -> Dimension | None:
        context = Context(entry.scope, level=0)
        statement = entry.statement
        if isinstance(statement, tree.Let):
            typed = self.typer.expression(statement.value, context)
            return typed.dimension if typed else None
        if isinstance(statement, tree.Sample):
            expected = Expected(entry.name)
            declared = self.priors.read(statement.prior, context, expected)
            return declared.dimension if declared else None
        return units.DIMENSIONLESS

    def settle(self) -> None:
        """Decide for every `Let` whether it is local, and find ties in a circle."""
        for name in list(self.names.entries):
            self._settle(name, ())

    def _settle(self, name: str, trail: tuple[str, ...]) -> bool:
        entry = self.names.entries[name]
        if name in trail:
            chain = " → ".join([*trail[trail.index(name) :], name])
            self.faults.add("circular-definition", entry.span, chain=chain)
            return False
        if entry.local is not None and not isinstance(entry.statement, tree.Let):
            return bool(entry.local)
        assert isinstance(entry.statement, tree.Let)
        local = self.is_local(entry.statement.value, entry.scope, (*trail, name))
        if entry.local is None:
            changed = {**vars(entry), "local": local}
            self.names.entries[name] = Entry(**changed)
        return bool(self.names.entries[name].local)

    def is_local(
        self, node: tree.Expr, scope: str, trail: tuple[str, ...] = ()
    ) -> bool:
        """Does an expression take a value of its own at each level?"""
        found = False
        for path in paths(node):
            entry = self.names.find(path, scope)
            if entry is not None:
                found |= self._settle(entry.name, trail)
            else:
                found |= varies(path, self.data.name, self.data.levels)
        return found

    # --------------------------------------------------------------------- rules

    def contexts(self, entry: Entry) -> list[int | None]:
        """The levels at which an entry has a value."""
        return self.levels(bool(entry.local))

    def levels(self, local: bool) -> list[int | None]:
        """Each level for what is local, one context for what is shared."""
        labels = self.data.levels.labels
        if labels == ("",):
            return [0]
        return list(range(len(labels))) if local else [None]

    def built_rules(self) -> tuple[ir.Rule, ...]:
        """Every rule, once for each level it speaks of."""
        return tuple(
            rule
            for item, scope in self.rules
            for level in self.levels(self.is_local(item.expression, scope))
            if (rule := self._rule(item, scope, level)) is not None
        )

    def _rule(
        self, item: tree.RuleStatement, scope: str, level: int | None
    ) -> ir.Rule | None:
        context = Context(scope, level, posterior=item.keyword == "check")
        if item.keyword != "check" and not item.because:
            self.faults.add("because-missing", item.span, keyword=item.keyword)
        typed = self.typer.expression(item.expression, context)
        if typed is None:
            return None
        dist = None
        if item.keyword == "expect":
            if item.prior is None:
                self.faults.add("expect-needs-prior", item.span)
                return None
            expected = Expected("expect", typed.dimension, typed.convention)
            declared = self.priors.read(item.prior, context, expected)
            if declared is None or not isinstance(declared.prior, ir.Dist):
                return None
            dist = declared.prior
        elif typed.dimension != BOOLEAN:
            self.faults.add("condition-expected", item.expression.span)
            return None
        keyword = item.keyword
        assert keyword in ("require", "expect", "check")
        return ir.Rule(
            kind=keyword,  # type: ignore[arg-type]
            expression=typed.value,
            dist=dist,
            because=item.because or "",
            place=place(item.span, self.texts),
        )


def varies(path: tree.Path, data: str, levels: Levels) -> bool:
    """Is a data constant (`spectrum.T`) different from level to level?"""
    block, _, key = path.text.lstrip("^").partition(".")
    if block != data:
        return False
    values = {level[key] for level in levels.conditions if key in level}
    return len(values) > 1
