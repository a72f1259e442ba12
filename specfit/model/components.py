"""The components of a model (`site B : sextet from db(…) { … }`) → entries by name.

Each parameter of a component has exactly one origin: the kind's default, the database,
a template or an explicit statement, the later overriding the earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeGuard

from specfit.contracts import ParameterSignature, Signature
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.language.parse import parse
from specfit.model.expand import apply_template
from specfit.model.faults import Faults, closest, listing, nearest
from specfit.model.instead import as_stated
from specfit.model.kind import FROM_FILE
from specfit.model.kinds import ModelKind
from specfit.model.named_files import files_of, is_file
from specfit.model.names import Entry, Names
from specfit.model.places import word_place
from specfit.model.records import class_ranges
from specfit.model.rule_library import state_called
from specfit.model.substitution import OUTER

STATE = "state"
"""`state = "Fe3+ HS oct O"`: the valence, spin and coordination a site stands for."""


@dataclass(frozen=True)
class Component:
    """One component: its block, its base kind and where its priors come from."""

    name: str
    block: tree.Block
    kind: str
    signature: Signature
    source: tree.Call | None
    rules: tuple[tree.RuleStatement, ...]
    state: str = ""  # the class of iron it states to be
    files: Mapping[str, tree.Let] = field(default_factory=dict)


@lru_cache(maxsize=256)
def default_statement(symbol: str, default: str) -> tree.Let | tree.Sample:
    """A signature's default, read as the statement a user would write."""
    spec, faults = parse(f"specfit 1\n{symbol} {default}\n", "")
    item = spec.items[0] if spec.items else None
    if faults or not isinstance(item, tree.Let | tree.Sample):
        raise ValueError(f"default of {symbol} does not parse: {default}")
    return item


class Components:
    """Reads the component blocks of one model into its names."""

    def __init__(
        self,
        kind: ModelKind,
        templates: Mapping[str, tree.Block],
        names: Names,
        faults: Faults,
        texts: Mapping[str, str],
        everything_local: bool,
    ) -> None:
        self.kind, self.templates = kind, templates
        self.names, self.faults, self.texts = names, faults, texts
        self.everything_local = everything_local
        self.found: dict[str, Component] = {}
        self.used_templates: set[str] = set()
        self.usual: Mapping[str, str] = {}  # defaults of symbols, where not the kind's
        self.seen: Mapping[str, tuple[ParameterSignature, ...]] = {}
        self.states: list[Span] = []

    def read(self, block: tree.Block) -> None:
        """Enter one component, its parameters and its rules."""
        name = block.name or ""
        if not name:
            keyword = block.keyword
            self.faults.add("name-missing", block.span, keyword=keyword)
            return
        if name in self.found or name in self.names.entries:
            first = self.found[name].block.name_span if name in self.found else None
            note = (first, "first-here", dict[str, str]()) if first else None
            self.faults.add(
                "duplicate-definition", block.name_span, name=name, note=note
            )
            return
        chain = self._base(block)
        if chain is None:
            self.names.components[name] = ()
            self.faults.lose(name)
            return
        base, inherited = chain
        own = block.body.items if block.body else ()
        stated, instead = (*inherited, *own), self.kind.instead.get(base, {})
        signature = as_stated(self._whole(base), instead, stated, self.faults)
        self.names.components[name] = tuple(p.symbol for p in signature.parameters)
        source = block.source
        rules = [i for i in (*inherited, *own) if isinstance(i, tree.RuleStatement)]
        state = self._state(own) or self._state(inherited)
        files = files_of(self.kind.files, block, stated, self.faults)
        self.found[name] = Component(
            name, block, base, signature, source, tuple(rules), state, files
        )
        self._defaults(name, base, signature, block)
        for item in inherited:
            self._statement(name, item, "template")
        for item in own:
            self._statement(name, item, "explicit")

    def _whole(self, base: str) -> Signature:
        """Its signature with what a spectrum shows of it, where that can be computed."""
        signature = self.kind.components[base]
        seen = self.seen.get(base, ())
        return replace(signature, parameters=(*signature.parameters, *seen))

    def _base(
        self, block: tree.Block
    ) -> tuple[str, tuple[tree.AnyStatement, ...]] | None:
        """The base kind, and the statements of the templates on the way to it."""
        inherited: tuple[tree.AnyStatement, ...] = ()
        current, seen = block, set[str]()
        while True:
            kind = current.kind
            if kind is None:
                listed = listing(self.kind.components)
                span, name = current.name_span, current.name or ""
                self.faults.add("kind-missing", span, name=name, known=listed)
                return None
            word = kind.function.text if isinstance(kind, tree.Call) else kind.text
            word = word.removeprefix(OUTER)
            if word in self.kind.components:
                return word, inherited
            template = self.templates.get(word)
            if word in seen:
                self.faults.add("template-circle", kind.span, name=word)
                return None
            if template is None:
                known = nearest(word, [*self.kind.components, *self.templates])
                if not self.faults.excuses(word):
                    self.faults.add("unknown-kind", kind.span, name=word, known=known)
                guess = closest(word, self.kind.components)
                return (guess, inherited) if guess else None  # checked as what it meant
            seen.add(word)
            self.used_templates.add(word)
            applied = apply_template(current, template, self.faults)
            if applied is None:
                return None
            statements, made_of = applied
            inherited = (*statements, *inherited)
            current = replace(template, kind=made_of)

    def _defaults(
        self, name: str, base: str, signature: Signature, block: tree.Block
    ) -> None:
        for parameter in signature.parameters:
            statement = None
            default = self.usual.get(parameter.symbol, parameter.default)
            if default is not None and default != FROM_FILE:
                statement = default_statement(parameter.symbol, default)
            if isinstance(statement, tree.Let) and default == f"= {parameter.symbol}":
                outer = tree.Path((tree.Part(f"{OUTER}{parameter.symbol}"),))
                statement = replace(statement, value=outer)  # the model's own
            self.names.add(self._entry(name, base, parameter, statement, block))

    def _entry(
        self,
        name: str,
        base: str,
        parameter: ParameterSignature,
        statement: tree.Let | tree.Sample | None,
        block: tree.Block,
    ) -> Entry:
        follows = parameter.computed or parameter.default == f"= {parameter.symbol}"
        of_levels = follows and not self.everything_local
        shape = parameter.minor and bool(self.names.levels.dimension)
        return Entry(
            name=f"{name}.{parameter.symbol}",
            role=parameter.symbol,
            scope=name,
            statement=statement,
            signature=parameter,
            convention=self.kind.conventions.get((base, parameter.symbol)),
            origin="file" if parameter.default == FROM_FILE else "default",
            title=block.title or "",
            local=None if of_levels else self.everything_local or shape,
        )

    def _state(self, items: tuple[tree.AnyStatement, ...]) -> str:
        """The class of iron that one of the statements names, "" without any."""
        said = [item for item in items if self._is_state(item)]
        for item in said[1:]:
            note = (said[0].span, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", item.span, name=STATE, note=note)
        if not said:
            return ""
        value = said[0].value
        if not isinstance(value, tree.String):
            self.faults.add("text-expected", value.span, key=STATE)
            return ""
        found = state_called(value.value)
        if found is None:
            word = value.value
            near = nearest(word, _alike(word))
            self.faults.add(
                "unknown-word", value.span, key=STATE, word=word, known=near
            )
            return ""
        self.states.append(said[0].span)
        return found

    def _is_state(self, item: tree.AnyStatement) -> TypeGuard[tree.Let]:
        if not self.kind.states or not isinstance(item, tree.Let):
            return False
        return item.target.text == STATE

    def _statement(self, name: str, item: tree.AnyStatement, origin: str) -> None:
        if isinstance(item, tree.RuleStatement):
            return
        if self._is_state(item) or is_file(item, self.kind.files):
            return
        if isinstance(item, tree.Sample) and len(item.targets) > 1:
            self.faults.add("joint-in-component", item.span)
            return
        if not isinstance(item, tree.Let | tree.Sample):
            override = isinstance(item, tree.Override)
            code = "override-inside" if override else "not-in-component"
            self.faults.add(code, item.span, name=name)
            return
        target = item.target if isinstance(item, tree.Let) else item.targets[0]
        symbol = target.text.removeprefix(OUTER)
        known, signature = self.names.components[name], self.found[name].signature
        slip = closest(
            symbol, [p.symbol for p in signature.parameters if not p.computed]
        )
        taken = slip is not None and not symbol.startswith(slip)  # `QS2` is a new name
        new = symbol not in known and (isinstance(item, tree.Sample) or taken)
        if new or symbol in signature.spread:
            self.no_parameter(name, symbol, target.span)
            return
        self.names.add(
            Entry(
                name=f"{name}.{symbol}",
                role=symbol,
                scope=name,
                statement=item,
                origin=origin,
                local=self.locality(item),
            )
        )

    def no_parameter(self, name: str, symbol: str, span: Span) -> None:
        """Report a parameter that a component has not, and what comes nearest."""
        signature = self.found[name].signature
        words = {"name": symbol, "component": name, "kind": self.found[name].kind}
        every = self.kind.components.items()
        others = [w for w, s in every if (p := s.parameter(symbol)) and not p.computed]
        if symbol in signature.spread:
            words["names"] = listing(signature.spread[symbol])
            self.faults.say("parameter-spread", span, words)
        elif others:
            words["known"] = listing(others)
            self.faults.say("parameter-of-others", span, words)
        else:
            known = [p.symbol for p in signature.parameters if not p.computed]
            listed = [s for s in known if not s[-1].isdecimal()]
            words["known"] = nearest(symbol, known, listed)
            self.faults.say("unknown-parameter", span, words)

    def locality(self, item: tree.Let | tree.Sample) -> bool | None:
        """Local when the statement or the model says `per`; a `Let` may become so."""
        dimension = self.names.levels.dimension
        self.check_dimensions(item.per, item.span)
        if self.everything_local or dimension in item.per:
            return bool(dimension)
        return None if isinstance(item, tree.Let) else False

    def check_dimensions(self, words: tuple[str, ...], span: Span) -> None:
        """Report what a `per` names that is no dimension of the data."""
        dimension = self.names.levels.dimension
        for word in words:
            if word != dimension:
                known = nearest(word, [dimension] if dimension else [])
                place = word_place(span, "per", word, self.texts)
                self.faults.add("unknown-dimension", place, name=word, known=known)


def _alike(state: str) -> list[str]:
    """The classes of iron that a misspelt one may mean: of its valence, or any."""
    titles = [entry.title for entry in class_ranges().values()]
    valence = state.split(" ")[0].casefold()
    return [t for t in titles if t.split(" ")[0].casefold() == valence] or titles
