"""Expressions of the text → expressions of the model, with dimensions and conventions.

Units are checked here and then gone: every number leaves in canonical units.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from specfit import units
from specfit.diagnostics import Span
from specfit.indices import level_of, without_level
from specfit.language import tree
from specfit.model import ir
from specfit.model.bases import still
from specfit.model.calls import POSTERIOR, call, no_percentage
from specfit.model.faults import Faults
from specfit.model.names import Entry, Names, plain
from specfit.model.quantities import (
    BOOLEAN,
    Context,
    Typed,
    agree,
    apply,
    known_unit,
    mismatch,
)
from specfit.model.substitution import OUTER
from specfit.units import DIMENSIONLESS, Dimension

__all__ = ["Typer"]


class Typer:
    """Types expressions against the names of a model."""

    def __init__(
        self,
        names: Names,
        faults: Faults,
        dimension_of: Callable[[Entry], Dimension | None],
    ) -> None:
        self.names = names
        self.faults = faults
        self.dimension_of = dimension_of

    def expression(self, node: tree.Expr, context: Context) -> Typed | None:
        """`node` typed, or None when a fault in it was reported."""
        typed = self._typed(node, context)
        if typed is None or not isinstance(typed.value, ir.Const):
            return typed
        if not math.isfinite(typed.value.value):
            self.faults.add("not-a-number", node.span)
            return None
        return typed

    def _typed(self, node: tree.Expr, context: Context) -> Typed | None:
        match node:
            case tree.Number():
                return self._number(node)
            case tree.Path():
                return self._path(node, context)
            case tree.Unary():
                return self._unary(node, context)
            case tree.Binary():
                return self._binary(node, context)
            case tree.Compare():
                return self._compare(node, context)
            case tree.Within():
                return self._within(node, context)
            case tree.Call():
                return call(self, node, context)
        self.faults.add("not-an-expression", node.span)
        return None

    # ------------------------------------------------------------- numbers, names

    def unit(self, text: str | None, span: Span) -> units.Unit | None:
        """The unit written `text`; an unknown one is reported at its place."""
        if text is None:
            return units.Unit("", 1.0, DIMENSIONLESS)
        return known_unit(self.faults, text, span)

    def _number(self, node: tree.Number) -> Typed | None:
        if node.sd is not None:
            self.faults.add("spread-in-expression", node.span, text=node.text)
            return None
        unit = self.unit(node.unit, node.unit_span)
        if unit is None:
            return None
        return Typed(ir.Const(value=node.value * unit.scale), unit.dimension)

    def _path(self, node: tree.Path, context: Context) -> Typed | None:
        text = plain(node).removeprefix(OUTER)
        entry = self.names.find(node, context.scope)
        if entry is not None:
            return self._entry(entry, node, context)
        if text in self.names.bases and context.array:
            return Typed(still(text), self.names.bases[text])
        if context.posterior and text in POSTERIOR:
            return Typed(ir.Apply(function=text, arguments=()))
        if text in POSTERIOR:
            self.faults.add("posterior-only", node.span, name=text)
            return None
        if text in self.names.bases:
            self.faults.add("column-alone", node.span, name=text)
            return None
        known = self._indexed(text) or self._data_constant(node, text, context)
        if known is not None or self.names.is_column(text):
            return known
        self.names.unknown(node, context.scope)
        return None

    def _entry(self, entry: Entry, node: tree.Path, context: Context) -> Typed | None:
        dimension = self.dimension_of(entry)
        if dimension is None:
            return None
        self.names.used.add(entry.name)
        if entry.local and context.level is None and self.names.levels.labels[0]:
            self._needs_level(entry.name, node.span)
            return None
        name = self.names.qualified(entry, context.level)
        return Typed(ir.Ref(name=name), dimension, entry.convention)

    def _indexed(self, text: str) -> Typed | None:
        """`B.Bint[77]`: one level of a local parameter, named outright."""
        base = without_level(text)
        entry = self.names.entries.get(base)
        known = level_of(text, self.names.levels.labels)
        if base == text or entry is None or not (entry.local and known):
            return None
        dimension = self.dimension_of(entry)
        if dimension is None:
            return None
        self.names.used.add(base)
        return Typed(ir.Ref(name=text), dimension, entry.convention)

    def _data_constant(
        self, node: tree.Path, text: str, context: Context
    ) -> Typed | None:
        if text in self.names.constants:
            value, dimension = self.names.constants[text]
            self.names.used.add(text)
            return Typed(ir.Const(value=value), dimension)
        block, _, key = text.partition(".")
        if block != self.names.data:
            return None
        if key in self.names.columns:
            if not (context.column or context.array):
                self.faults.add("column-alone", node.span, name=text)
                return None
            label = self.names.levels.labels[context.level or 0]
            own = f"{block}[{label}].{key}" if label else text
            name = text if context.level is None else own
            return Typed(ir.Ref(name=name), self.names.columns[key])
        known = [level[key] for level in self.names.levels.conditions if key in level]
        if not known:
            return None
        if context.level is None and len(set(known)) > 1:
            self._needs_level(text, node.span)
            return None
        value, dimension = known[context.level or 0]
        label = self.names.levels.labels[context.level or 0]
        if key in self.names.levels.looked_up and label:
            return Typed(ir.Ref(name=f"{block}[{label}].{key}"), dimension)
        return Typed(ir.Const(value=value), dimension)

    def _needs_level(self, name: str, span: Span) -> None:
        levels = self.names.levels
        words = {"name": name, "dimension": levels.dimension}
        self.faults.say("needs-level", span, {**words, "label": levels.labels[0]})

    # ----------------------------------------------------------------- operators

    def _unary(self, node: tree.Unary, context: Context) -> Typed | None:
        operand = self.expression(node.operand, context)
        if operand is None:
            return None
        if (node.operator == "not") != (operand.dimension == BOOLEAN):
            self.faults.add("condition-expected", node.operand.span)
            return None
        if node.operator == "not":
            return Typed(apply("not", operand.value), BOOLEAN)
        return Typed(apply("neg", operand.value), operand.dimension, operand.convention)

    def _binary(self, node: tree.Binary, context: Context) -> Typed | None:
        left = self.expression(node.left, context)
        right = self.expression(node.right, context)
        if left is None or right is None:
            return None
        logical = node.operator in ("and", "or")
        for side, typed in ((node.left, left), (node.right, right)):
            if (typed.dimension == BOOLEAN) != logical:
                code = "condition-expected" if logical else "number-expected"
                self.faults.add(code, side.span)
                return None
        value = apply(node.operator, left.value, right.value)
        if logical:
            return Typed(value, BOOLEAN)
        if node.operator in "+-":
            if not agree(self.faults, left, right, node.left.span, node.right.span):
                return None
            same = left.convention == right.convention
            return Typed(value, left.dimension, left.convention if same else None)
        return self._product(node, left, right, value)

    def _product(
        self, node: tree.Binary, left: Typed, right: Typed, value: ir.Expression
    ) -> Typed | None:
        if node.operator == "^":
            dimension = None
            if right.dimension == DIMENSIONLESS and isinstance(right.value, ir.Const):
                dimension = units.power(left.dimension, right.value.value)
            elif left.dimension == right.dimension == DIMENSIONLESS:
                dimension = DIMENSIONLESS
            if dimension is None:
                self.faults.add("power-of-unit", node.right.span)
                return None
            return Typed(value, dimension)
        sign = 1 if node.operator == "*" else -1
        dimension = units.multiply(left.dimension, right.dimension, sign)
        scaled = left.convention if right.dimension == DIMENSIONLESS else None
        if sign == 1 and left.dimension == DIMENSIONLESS:
            scaled = right.convention
        return Typed(value, dimension, scaled)

    def _compare(self, node: tree.Compare, context: Context) -> Typed | None:
        sides = [self.expression(operand, context) for operand in node.operands]
        terms: list[ir.Expression] = []
        for index, operator in enumerate(node.operators):
            left, right = sides[index], sides[index + 1]
            if left is None or right is None:
                return None
            spans = node.operands[index].span, node.operands[index + 1].span
            if not agree(self.faults, left, right, *spans):
                return None
            for one, other, span in ((left, right, spans[1]), (right, left, spans[0])):
                no_percentage(self.faults, one.value, other.value, span)
            terms.append(apply(operator, left.value, right.value))
        joined = terms[0]
        for term in terms[1:]:
            joined = apply("and", joined, term)
        return Typed(joined, BOOLEAN)

    def _within(self, node: tree.Within, context: Context) -> Typed | None:
        operand = self.expression(node.operand, context)
        ends = self.interval(node.interval, context)
        if operand is None or ends is None:
            return None
        if not agree(
            self.faults, operand, ends[0], node.operand.span, node.interval.span
        ):
            return None
        return Typed(apply("within", operand.value, *(e.value for e in ends)), BOOLEAN)

    def interval(
        self, node: tree.Interval, context: Context
    ) -> tuple[Typed, Typed] | None:
        """Both ends of an interval; its unit covers ends that have none."""
        low = self.covered(node.low, node.unit, node.unit_span, context)
        high = self.covered(node.high, node.unit, node.unit_span, context)
        if low is None or high is None:
            return None
        if not agree(self.faults, low, high, node.low.span, node.high.span):
            return None
        if (
            isinstance(low.value, ir.Const)
            and isinstance(high.value, ir.Const)
            and low.value.value >= high.value.value
        ):
            self.faults.add("empty-interval", node.span)
            return None
        return low, high

    def covered(
        self,
        node: tree.Expr,
        unit: str | None,
        unit_span: Span,
        context: Context,
    ) -> Typed | None:
        """`node`, a bare number taking the unit written after the bracket or the ±."""
        typed = self.expression(node, context)
        if typed is None or unit is None:
            return typed
        found = self.unit(unit, unit_span)
        if found is None:
            return None
        if typed.dimension == DIMENSIONLESS and isinstance(typed.value, ir.Const):
            value = ir.Const(value=typed.value.value * found.scale)
            return Typed(value, found.dimension)
        if typed.dimension != found.dimension:
            mismatch(self.faults, typed.dimension, found.dimension, unit_span)
            return None
        return typed
