"""What the names of a model are: their dimension, and where they have a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from specfit import units
from specfit.language import tree
from specfit.model.declared import Expected, Priors
from specfit.model.levels import Levels
from specfit.model.names import Entry, Names
from specfit.model.quantities import Context
from specfit.model.typed import Typer
from specfit.model.walk import paths
from specfit.units import Dimension

Needs = dict[str, tuple[str, ...]]


class Meanings:
    """Dimensions and levels of the entries of one model, each found once."""

    def __init__(self, names: Names, typer: Typer, priors: Priors) -> None:
        self.names, self.typer, self.priors = names, typer, priors
        self._dimensions: dict[str, Dimension | None] = {}

    def settle(self) -> None:
        """Look at every name after those it needs; report what runs in a circle.

        Without recursion from name to name, so that a chain of definitions may be long.
        """
        needs = {
            name: tuple(self._needs(entry))
            for name, entry in self.names.entries.items()
        }
        for circle in _circles(needs):
            entry = self.names.entries[circle[0]]
            self.typer.faults.circle(circle, entry.span)
            for name in circle:
                self._dimensions.setdefault(name, None)
                self._decide(name)
        for name in _in_order(needs):
            self._decide(name)
            self.dimension_of(self.names.entries[name])

    def _needs(self, entry: Entry) -> Iterator[str]:
        if entry.statement is None:
            return
        statement = entry.statement
        inside = statement.value if isinstance(statement, tree.Let) else statement.prior
        for path in paths(inside):
            found = self.names.find(path, entry.scope)
            if found is not None:
                yield found.name

    # ---------------------------------------------------------------- dimensions

    def dimension_of(self, entry: Entry) -> Dimension | None:
        """The dimension of a name, None where a fault in it was reported."""
        if entry.record == "joint" and entry.signature is None:
            return units.DIMENSIONLESS
        if entry.signature is not None:
            return units.dimension(entry.signature.dimension)
        if entry.name not in self._dimensions:
            self._dimensions[entry.name] = None  # while it is asked for
            self._dimensions[entry.name] = self._ask(entry)
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

    # -------------------------------------------------------------------- levels

    def _decide(self, name: str) -> None:
        """Whether a `Let` that does not say so has a value of its own at each level."""
        entry = self.names.entries[name]
        if entry.local is None and isinstance(entry.statement, tree.Let):
            local = self.is_local(entry.statement.value, entry.scope)
            self.names.entries[name] = replace(entry, local=local)

    def is_local(self, node: tree.Expr, scope: str) -> bool:
        """Does an expression take a value of its own at each level?"""
        for path in paths(node):
            entry = self.names.find(path, scope)
            if entry is not None and entry.local:
                return True
            if entry is None and _varies(path, self.names.data, self.names.levels):
                return True
        return False

    def contexts(self, local: bool | None) -> list[int | None]:
        """Each level for what is local, one context for what is shared."""
        labels = self.names.levels.labels
        if labels == ("",):
            return [0]
        return list(range(len(labels))) if local else [None]


def _varies(path: tree.Path, data: str, levels: Levels) -> bool:
    """Is a data constant (`spectrum.T`) different from level to level?"""
    block, _, key = path.text.lstrip("^").partition(".")
    if block != data:
        return False
    values = {level[key] for level in levels.conditions if key in level}
    return len(values) > 1


def _in_order(needs: Needs) -> list[str]:
    """Every name after those it needs, as far as there is no circle."""
    order: list[str] = []
    seen: set[str] = set()
    for start in needs:
        stack = [(start, iter(needs[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(needs[following])))
    return order


def _circles(needs: Needs) -> Iterator[list[str]]:
    """Names that need each other, one circle for each place where it closes."""
    done: set[str] = set()
    for start in needs:
        trail: list[str] = []
        stack = [(start, iter(needs[start]))] if start not in done else []
        trail += [start] * bool(stack)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in done), None)
            if following is None:
                done.add(name)
                stack.pop()
                trail.pop()
            elif following in trail:
                yield trail[trail.index(following) :]
            else:
                trail.append(following)
                stack.append((following, iter(needs[following])))
