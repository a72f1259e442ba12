"""`model NAME : linear_combination on xanes, basis`: what is said of every basis.

The second data block has a dimension of its own (`basis[soc = [0, 20] %]`).  A statement
about `w[soc]` is about every basis, and `sum(… over soc)` adds up over all of them; both
are spelt out here, before names are looked up, as `for` is.  Instead of vectors in the
typed model, every weight is a scalar with a name of its own (`w[20]`), like all else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from specfit import units
from specfit.language import tree
from specfit.model.bases import Basis, is_choice, label_of
from specfit.units import Dimension

T = TypeVar("T")
GUARANTEED = "the weights are a simplex: they sum to one by construction"


@dataclass(frozen=True)
class Speller:
    """Spells out what is said of every basis."""

    basis: Basis

    @property
    def _dimension(self) -> str:
        return self.basis.levels.dimension

    def block(self, block: tree.Block) -> tree.Block:
        """A model block with every statement spelt out."""
        if block.body is None:
            return block
        items = self.items(block.body.items)
        return replace(block, body=replace(block.body, items=items))

    def overriding(
        self, items: tuple[tree.AnyStatement, ...]
    ) -> tuple[tree.AnyStatement, ...]:
        """The statements of a variant, but for the choice of bases."""
        block = self.basis.block
        return self.items(tuple(i for i in items if not is_choice(i, block)))

    def items(
        self, items: tuple[tree.AnyStatement, ...]
    ) -> tuple[tree.AnyStatement, ...]:
        """Statements, each of them once or once for every basis."""
        simplices = {t.parts[0].name for item in items for t in self._simplex(item)}
        found = [said for item in items for said in self._spelt(item)]
        return tuple(self._granted(item, simplices) for item in found)

    def _spelt(self, item: tree.AnyStatement) -> Iterator[tree.AnyStatement]:
        if isinstance(item, tree.Block):
            yield self.block(item)
            return
        every = _indexed(item, self._dimension)
        if isinstance(item, tree.Sample) and self._simplex(item):
            targets = tuple(self._at(item.targets[0], i) for i in self._places)
            yield replace(item, targets=targets)
        elif every:
            for place in self._places:
                yield self._named(self._summed(self._at(item, place)))
        else:
            yield self._named(self._summed(item))

    def _simplex(self, item: tree.AnyStatement) -> tuple[tree.Path, ...]:
        """The target of `w[k] ~ dirichlet(0.5)`."""
        if not isinstance(item, tree.Sample) or not _indexed(item, self._dimension):
            return ()
        law = item.prior.centre
        called = isinstance(law, tree.Call) and law.function.text == "dirichlet"
        return item.targets if called and len(item.targets) == 1 else ()

    @property
    def _places(self) -> range:
        return range(len(self.basis.levels.labels))

    def _summed(self, node: T) -> T:
        """With every `sum(… over k)` as a sum of its terms."""
        found: T = _mapped(node, self._sum)
        return found

    def _sum(self, node: Any) -> Any:
        if not isinstance(node, tree.Call) or node.function.text != "sum":
            return node
        if len(node.arguments) != 1 or node.arguments[0].over != (self._dimension,):
            return node
        term = node.arguments[0].value
        total: Any = None
        for place in self._places:
            one = self._at(term, place)
            total = one if total is None else _plus(total, one, node)
        return total

    def _at(self, node: T, place: int) -> T:
        """A piece of the text for one basis."""
        levels = self.basis.levels
        label, value = levels.labels[place], levels.conditions[place]

        def put(one: Any) -> Any:
            if not isinstance(one, tree.Path):
                return one
            if one.text == self._dimension and self._dimension in value:
                return _number(*value[self._dimension], one)
            parts = tuple(_part(p, self._dimension, label) for p in one.parts)
            return replace(one, parts=parts)

        found: T = _mapped(node, put)
        return found

    def _named(self, item: tree.AnyStatement) -> tree.AnyStatement:
        """A target with a label, `w[20]`, as the name that it is."""
        if isinstance(item, tree.Let):
            return replace(item, target=_flat(item.target))
        if isinstance(item, tree.Sample):
            return replace(item, targets=tuple(map(_flat, item.targets)))
        return item

    def _granted(
        self, item: tree.AnyStatement, simplices: set[str]
    ) -> tree.AnyStatement:
        """`require` the weights to sum to one: so they do, and no reason is owed."""
        if not isinstance(item, tree.RuleStatement) or item.because:
            return item
        names = [f"{w}[{k}]" for w in simplices for k in self.basis.levels.labels]
        wanted = item.expression
        if item.keyword != "require" or not isinstance(wanted, tree.Compare):
            return item
        first, last = wanted.operands[0], wanted.operands[-1]
        equal = wanted.operators == ("==",) and _is_one(last)
        if equal and sorted(_terms(first)) == sorted(names):
            return replace(item, because=GUARANTEED)
        return item


def _indexed(item: tree.AnyStatement, dimension: str) -> bool:
    """Whether a statement defines something of every basis: `w[k] ~ …`."""
    targets: tuple[tree.Path, ...] = ()
    if isinstance(item, tree.Let):
        targets = (item.target,)
    elif isinstance(item, tree.Sample):
        targets = item.targets
    return any(
        isinstance(one, tree.Path) and one.text == dimension
        for target in targets
        for part in target.parts
        for one in part.index or ()
    )


def _part(part: tree.Part, dimension: str, label: str) -> tree.Part:
    """`w[k]` as `w[20]`, one name."""
    index = part.index
    if index is None or len(index) != 1 or not isinstance(index[0], tree.Path):
        return part
    if index[0].text != dimension:
        return part
    return replace(part, name=f"{part.name}[{label}]", index=None)


def _flat(path: tree.Path) -> tree.Path:
    parts = (
        replace(p, name=f"{p.name}[{','.join(map(label_of, p.index))}]", index=None)
        if p.index
        else p
        for p in path.parts
    )
    return replace(path, parts=tuple(parts))


def _number(value: float, dimension: Dimension, at: tree.Path) -> tree.Number:
    unit = units.canonical_unit(dimension) or None
    return tree.Number(value, f"{value:.12g}", unit, span=at.span, unit_span=at.span)


def _plus(left: Any, right: Any, node: tree.Call) -> tree.Binary:
    return tree.Binary("+", left, right, span=node.span)


def _terms(node: tree.Expr) -> list[str]:
    """The names that are added up, where it is a sum of names."""
    if isinstance(node, tree.Binary) and node.operator == "+":
        return [*_terms(node.left), *_terms(node.right)]
    return [node.text] if isinstance(node, tree.Path) else ["?"]


def _is_one(node: tree.Expr) -> bool:
    return isinstance(node, tree.Number) and node.value == 1.0 and node.unit is None


def _mapped(node: Any, change: Any) -> Any:
    """A piece of the tree with every node changed, the outer ones first."""
    node = change(node)
    if isinstance(node, tuple):
        return tuple(_mapped(item, change) for item in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed: Mapping[str, Any] = {
        spec.name: new
        for spec in fields(node)
        if isinstance(value := getattr(node, spec.name), tuple) or is_dataclass(value)
        if (new := _mapped(value, change)) is not value
    }
    return replace(node, **changed) if changed else node
