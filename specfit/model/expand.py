"""Before names are looked up: `use`, `template`, `for` and `if` become plain text.

Works on the tree alone.  Templates stay as they are until a component applies them.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from specfit.language import tree
from specfit.model.constants import Quantity, constant, disagreement
from specfit.model.faults import EVERYTHING, Faults, nearest
from specfit.model.quantities import counted
from specfit.model.rule_library import SHIPPED, libraries, shipped
from specfit.model.substitution import Replacements, outer, substitute
from specfit.model.walk import paths

LOOP_BODIES = 10_000
USE_DEPTH = 8

Load = Callable[[str], tuple[tree.Spec | None, str]]
"""load(path) -> (tree, name of the file for messages); None when it cannot be read."""


@dataclass(frozen=True)
class Expanded:
    """A file without `use`, `for`, `if`; templates by name, still to be applied.

    libraries: the libraries of rules that it uses.
    """

    statements: tuple[tree.AnyStatement, ...]
    templates: Mapping[str, tree.Block]
    libraries: tuple[str, ...] = ()


class Expander:
    """Expands one file and all that it uses."""

    def __init__(self, faults: Faults, load: Load) -> None:
        self.faults = faults
        self.load = load
        self.bodies = 0
        self.templates: dict[str, tree.Block] = {}
        self.libraries: dict[str, None] = {}
        self.constants: dict[str, Any] = {}

    def expand(self, spec: tree.Spec, file: str) -> Expanded:
        """All statements of `spec`, in order, with everything compile-time done."""
        items = tuple(self._used(spec.items, (file,), ""))
        self.constants = known_values(items)
        for name, template in self.templates.items():
            body = template.body or tree.Body()
            inner = replace(body, items=tuple(self._statements(body.items, {})))
            self.templates[name] = replace(template, body=inner)
        flat = tuple(self._statements(items, {}))
        return Expanded(flat, self.templates, tuple(self.libraries))

    # ------------------------------------------------------------------- use

    def _used(
        self, items: tuple[tree.AnyStatement, ...], trail: tuple[str, ...], prefix: str
    ) -> Iterator[tree.AnyStatement]:
        for item in items:
            if isinstance(item, tree.Use) and shipped(item.path):
                self._library(item)
            elif isinstance(item, tree.Use):
                yield from self._include(item, trail)
            elif isinstance(item, tree.Block) and item.keyword == "template":
                self._learn_template(_renamed(item, prefix, _templates(items)))
            else:
                yield item

    def _include(
        self, item: tree.Use, trail: tuple[str, ...]
    ) -> Iterator[tree.AnyStatement]:
        if len(trail) > USE_DEPTH:
            limit = str(USE_DEPTH)
            self.faults.add("use-depth", item.span, path=item.path, limit=limit)
            return
        spec, name = self.load(str(PurePosixPath(trail[-1]).parent / item.path))
        if name in trail:
            chain = " → ".join((*trail[trail.index(name) :], name))
            self.faults.add("use-circle", item.span, chain=chain)
            return
        if spec is None:
            self.faults.lose(item.alias or EVERYTHING)
            code = "use-outside" if _leaves(item.path, trail) else "use-missing"
            self.faults.add(code, item.span, path=item.path)
            return
        prefix = f"{item.alias}." if item.alias else ""
        yield from self._used(spec.items, (*trail, name), prefix)

    def _library(self, item: tree.Use) -> None:
        """`use "rules/57Fe"`: no file of the project, whose name would have an ending."""
        name = item.path.removeprefix(SHIPPED)
        if name not in libraries():
            known = nearest(item.path, [SHIPPED + one for one in libraries()])
            self.faults.add("rules-unknown", item.span, path=item.path, known=known)
        elif item.alias:
            self.faults.add("rules-alias", item.span, path=item.path)
        self.libraries[name] = None

    def _learn_template(self, item: tree.Block) -> None:
        name = item.name or ""
        if name in self.templates:
            note = (self.templates[name].name_span, "first-here", dict[str, str]())
            span = item.name_span
            self.faults.add("duplicate-definition", span, name=name, note=note)
            return
        self.templates[name] = item

    # ------------------------------------------------------------ loops, conditions

    def _statements(
        self, items: tuple[tree.AnyStatement, ...], inner: Replacements
    ) -> Iterator[tree.AnyStatement]:
        for raw in items:
            item = substitute(raw, inner) if inner else raw
            if isinstance(item, tree.Loop):
                yield from self._loop(item)
            elif isinstance(item, tree.Condition):
                yield from self._condition(item)
            elif isinstance(item, tree.Block) and item.body is not None:
                body = tuple(self._statements(item.body.items, {}))
                yield replace(item, body=replace(item.body, items=body))
            else:
                yield item

    def _loop(self, item: tree.Loop) -> Iterator[tree.AnyStatement]:
        values = loop_values(item.values, self.constants)
        if values is None:
            self.faults.add("loop-values", item.values.span)
            return
        if not values:
            self.faults.add("loop-empty", item.values.span)
        for value in values:
            self.bodies += 1
            if self.bodies > LOOP_BODIES:
                if self.bodies == LOOP_BODIES + 1:
                    limit = f"{LOOP_BODIES:,}".replace(",", " ")
                    self.faults.add("loop-limit", item.values.span, limit=limit)
                return
            yield from self._statements(item.body.items, {item.variable: value})

    def _condition(self, item: tree.Condition) -> Iterator[tree.AnyStatement]:
        clash = disagreement(item.test, self.constants)
        if clash is not None:
            code, span, words = clash
            self.faults.say(code, span, words)
            return
        truth = constant(item.test, self.constants)
        if isinstance(truth, Quantity):
            self.faults.add("condition-expected", item.test.span)
            return
        if not isinstance(truth, bool):
            if not any(self.faults.excuses(path.text) for path in paths(item.test)):
                self.faults.add("condition-not-constant", item.test.span)
            return
        body = item.then if truth else item.otherwise
        if body is not None:
            yield from self._statements(body.items, {})


def _renamed(item: tree.Block, prefix: str, own: set[str]) -> tree.Block:
    """A template of a file used under another name, and the one it is made of."""
    kind = item.kind
    path = kind.function if isinstance(kind, tree.Call) else kind
    if prefix and path is not None and path.text in own:
        path = replace(path, parts=(tree.Part(prefix[:-1]), *path.parts))
        kind = replace(kind, function=path) if isinstance(kind, tree.Call) else path
    return replace(item, name=prefix + (item.name or ""), kind=kind)


def _templates(items: tuple[tree.AnyStatement, ...]) -> set[str]:
    """The names of the templates that a file defines."""
    blocks = [item for item in items if isinstance(item, tree.Block)]
    return {b.name for b in blocks if b.keyword == "template" and b.name}


def _leaves(path: str, trail: tuple[str, ...]) -> bool:
    """Does a path lead out of the folder of the first file?"""
    root = posixpath.dirname(trail[0])
    full = posixpath.join(posixpath.dirname(trail[-1]), path)
    return posixpath.relpath(full, root or ".").startswith("..")


def known_values(items: tuple[tree.AnyStatement, ...]) -> dict[str, Any]:
    """What is known before anything is inferred: constants and data conditions."""
    waiting = {
        name: let.value
        for item in items
        for name, let in _definitions(item)
        if len(let.target.parts) == 1
    }
    known: dict[str, Any] = {}
    progress = True
    while progress:
        found = {name: constant(value, known) for name, value in waiting.items()}
        found = {name: value for name, value in found.items() if value is not None}
        known |= found
        waiting = {n: value for n, value in waiting.items() if n not in found}
        progress = bool(found)
    return known


def _definitions(item: tree.AnyStatement) -> Iterator[tuple[str, tree.Let]]:
    if isinstance(item, tree.Let):
        yield item.target.text, item
    if isinstance(item, tree.Block) and item.keyword == "data" and item.body:
        for inner in item.body.items:
            if isinstance(inner, tree.Let):
                yield f"{item.name}.{inner.target.text}", inner


def loop_values(
    values: tree.Expr, constants: Mapping[str, Any]
) -> Sequence[tree.Expr] | None:
    """The items a loop or dimension runs over, None when it is no list or range."""
    if isinstance(values, tree.ListOf):
        if values.unit is None:
            return list(values.items)
        return [
            replace(item, unit=values.unit, unit_span=values.unit_span)
            if isinstance(item, tree.Number) and item.unit is None
            else item
            for item in values.items
        ]
    if isinstance(values, tree.Range):
        low = constant(values.low, constants)
        high = constant(values.high, constants)
        if not (_whole(low) and _whole(high)):
            return None
        last = min(int(high), int(low) + LOOP_BODIES)  # one too many is enough
        return [
            tree.Number(float(n), str(n), span=values.span)
            for n in range(int(low), last + 1)
        ]
    return None


def _whole(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value == int(value)


def apply_template(
    block: tree.Block, template: tree.Block, faults: Faults
) -> tuple[tuple[tree.AnyStatement, ...], tree.Path | tree.Call | None] | None:
    """What `template` gives to `block`: its statements, and the kind it is made of.

    None when the arguments are wrong.
    """
    given = _given(block, template, faults)
    if given is None:
        return None
    items = template.body.items if template.body else ()
    statements = tuple(substitute(item, given) for item in items)
    kind = template.kind
    return statements, substitute(kind, given) if isinstance(kind, tree.Call) else kind


def _given(
    block: tree.Block, template: tree.Block, faults: Faults
) -> dict[str, tree.Expr] | None:
    """The arguments of a template by name, marked to be looked up where they stand."""
    given: dict[str, tree.Expr] = {}
    names = template.parameters
    arguments = block.kind.arguments if isinstance(block.kind, tree.Call) else ()
    for position, argument in enumerate(arguments):
        span = argument.span
        if argument.name is None and position < len(names):
            given[names[position]] = outer(argument.value)
        elif argument.name is None:
            name, count = template.name or "", counted(len(names))
            usage = f"{name}({', '.join(names)})"
            faults.add("template-too-many", span, name=name, count=count, usage=usage)
            return None
        elif argument.name in names and argument.name not in given:
            given[argument.name] = outer(argument.value)
        else:
            known = nearest(argument.name, names)
            faults.add("template-argument", span, name=argument.name, known=known)
            return None
    missing = [name for name in names if name not in given]
    if missing:
        span = block.kind.span if block.kind else block.span
        faults.add("template-missing", span, names=", ".join(missing))
        return None
    return given
