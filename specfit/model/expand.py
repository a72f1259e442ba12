"""Before names are looked up: `use`, `template`, `for` and `if` become plain statements.

Works on the tree alone.  Templates are hygienic: a name in a template's body means what
it means where the template stands, so arguments are marked (`^`) to be looked up where
they were written, and a free name that only the caller knows is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from specfit.language import tree
from specfit.model.constants import constant
from specfit.model.faults import Faults, nearest

LOOP_BODIES = 10_000
USE_DEPTH = 8
OUTER = "^"

Load = Callable[[str], tuple[tree.Spec | None, str]]
"""load(path) -> (tree, name of the file for messages); None when it cannot be read."""

Replacements = Mapping[str, tree.Expr]
T = TypeVar("T")


@dataclass(frozen=True)
class Expanded:
    """A file without `use`, `for`, `if`; templates by name, still to be applied."""

    statements: tuple[tree.AnyStatement, ...]
    templates: Mapping[str, tree.Block]


class Expander:
    """Expands one file and all that it uses."""

    def __init__(self, faults: Faults, load: Load) -> None:
        self.faults = faults
        self.load = load
        self.bodies = 0
        self.templates: dict[str, tree.Block] = {}
        self.constants: dict[str, Any] = {}

    def expand(self, spec: tree.Spec, file: str) -> Expanded:
        """All statements of `spec`, in order, with everything compile-time done."""
        items = tuple(self._used(spec.items, (file,), ""))
        self._learn_constants(items)
        flat = tuple(self._statements(items, {}))
        return Expanded(flat, self.templates)

    # ------------------------------------------------------------------- use

    def _used(
        self, items: tuple[tree.AnyStatement, ...], trail: tuple[str, ...], prefix: str
    ) -> Iterator[tree.AnyStatement]:
        for item in items:
            if isinstance(item, tree.Use):
                yield from self._include(item, trail)
            elif isinstance(item, tree.Block) and item.keyword == "template":
                self._learn_template(item, prefix)
            else:
                yield item

    def _include(
        self, item: tree.Use, trail: tuple[str, ...]
    ) -> Iterator[tree.AnyStatement]:
        path = str(PurePosixPath(trail[-1]).parent / item.path)
        if len(trail) > USE_DEPTH:
            self.faults.add(
                "use-depth", item.span, path=item.path, limit=str(USE_DEPTH)
            )
            return
        spec, name = self.load(path)
        if name in trail:
            chain = " → ".join((*trail[trail.index(name) :], name))
            self.faults.add("use-circle", item.span, chain=chain)
            return
        if spec is None:
            self.faults.add("use-missing", item.span, path=item.path)
            return
        prefix = f"{item.alias}." if item.alias else ""
        yield from self._used(spec.items, (*trail, name), prefix)

    def _learn_template(self, item: tree.Block, prefix: str) -> None:
        name = prefix + (item.name or "")
        if name in self.templates:
            first = self.templates[name]
            self.faults.add(
                "duplicate-definition",
                item.name_span,
                name=name,
                note=(first.name_span, "first-here", {}),
            )
            return
        self.templates[name] = item

    # ---------------------------------------------------------- constants, loops

    def _learn_constants(self, items: tuple[tree.AnyStatement, ...]) -> None:
        for item in items:
            if isinstance(item, tree.Let) and len(item.target.parts) == 1:
                value = constant(item.value, self.constants)
                if value is not None:
                    self.constants[item.target.text] = value
            if isinstance(item, tree.Block) and item.keyword == "data" and item.body:
                for inner in item.body.items:
                    if isinstance(inner, tree.Let):
                        value = constant(inner.value, self.constants)
                        if value is not None:
                            self.constants[f"{item.name}.{inner.target.text}"] = value

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
        for value in values:
            self.bodies += 1
            if self.bodies > LOOP_BODIES:
                self.faults.add("loop-limit", item.span, limit=f"{LOOP_BODIES}")
                return
            yield from self._statements(item.body.items, {item.variable: value})

    def _condition(self, item: tree.Condition) -> Iterator[tree.AnyStatement]:
        truth = constant(item.test, self.constants)
        if not isinstance(truth, bool):
            self.faults.add("condition-not-constant", item.test.span)
            return
        body = item.then if truth else item.otherwise
        if body is not None:
            yield from self._statements(body.items, {})


def loop_values(
    values: tree.Expr, constants: Mapping[str, Any]
) -> list[tree.Expr] | None:
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
        if not (_whole(low) and _whole(high)) or high - low > LOOP_BODIES:
            return None
        return [
            tree.Number(float(n), str(n), span=values.span)
            for n in range(int(low), int(high) + 1)
        ]
    return None


def _whole(value: object) -> bool:
    return isinstance(value, float) and value == int(value)


# ---------------------------------------------------------------- substitution


def substitute(node: T, names: Replacements) -> T:
    """`node` with every name in `names` replaced, block names and targets included."""
    result: Any = _substitute(node, names)
    return result  # type: ignore[no-any-return]


def _substitute(node: Any, names: Replacements) -> Any:
    if isinstance(node, tree.Path):
        return _path(node, names)
    if isinstance(node, tuple):
        return tuple(_substitute(item, names) for item in node)
    if isinstance(node, tree.Block) and node.name in names:
        value = names[node.name]
        if isinstance(value, tree.Path):
            node = replace(node, name=value.text)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {}
    for spec in fields(node):
        value = getattr(node, spec.name)
        if isinstance(value, tuple) or is_dataclass(value):
            new = _substitute(value, names)
            if new is not value:
                changed[spec.name] = new
    return replace(node, **changed) if changed else node


def _path(node: tree.Path, names: Replacements) -> tree.Expr:
    head, *rest = node.parts
    parts = tuple(_substitute(part, names) for part in node.parts)
    value = names.get(head.name)
    if value is None or head.index is not None:
        return replace(node, parts=parts)
    if isinstance(value, tree.Path):
        return replace(node, parts=(*value.parts, *parts[1:]))
    return node if rest else value


# -------------------------------------------------------------------- templates


def outer(node: T) -> T:
    """`node` with every path marked to be looked up outside the site it is put into."""
    result: Any = _outer(node)
    return result  # type: ignore[no-any-return]


def _outer(node: Any) -> Any:
    if isinstance(node, tree.Path):
        head = replace(node.parts[0], name=OUTER + node.parts[0].name)
        return replace(node, parts=(head, *node.parts[1:]))
    if isinstance(node, tuple):
        return tuple(_outer(item) for item in node)
    if isinstance(node, tree.Call):
        return replace(node, arguments=_outer(node.arguments))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {
        spec.name: _outer(getattr(node, spec.name))
        for spec in fields(node)
        if isinstance(getattr(node, spec.name), tuple)
        or is_dataclass(getattr(node, spec.name))
    }
    return replace(node, **changed) if changed else node


def apply_template(
    block: tree.Block, template: tree.Block, faults: Faults
) -> tuple[tree.AnyStatement, ...] | None:
    """The statements that `template` gives to `block`, or None when the call is wrong."""
    given: dict[str, tree.Expr] = {}
    arguments = block.kind.arguments if isinstance(block.kind, tree.Call) else ()
    for position, argument in enumerate(arguments):
        if argument.name is None and position < len(template.parameters):
            given[template.parameters[position]] = outer(argument.value)
        elif argument.name in template.parameters and argument.name not in given:
            given[str(argument.name)] = outer(argument.value)
        else:
            name = argument.name or f"{position + 1}"
            known = nearest(name, template.parameters)
            faults.add("template-argument", argument.span, name=name, known=known)
            return None
    missing = [name for name in template.parameters if name not in given]
    if missing:
        span = block.kind.span if block.kind else block.span
        faults.add("template-missing", span, names=", ".join(missing))
        return None
    items = template.body.items if template.body else ()
    return tuple(substitute(item, given) for item in items)
