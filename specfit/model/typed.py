"""Expressions of the text → expressions of the model, with dimensions and conventions.

Units are checked here and then gone: every number leaves in canonical units.  A
convention (FWHM, 2ε, …) is carried like a unit within its family, so that a doublet's
ΔE_Q is never set equal to a sextet's 2ε by mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.expand import OUTER
from specfit.model.faults import Faults, nearest
from specfit.model.kinds import CONVENTION_FAMILY
from specfit.model.names import Entry, Names, plain
from specfit.units import DIMENSIONLESS, Dimension

BOOLEAN: Dimension = (("condition", 1),)
DATABASE: Dimension = (("database", 1),)


@dataclass(frozen=True)
class Typed:
    """An expression with what its value is."""

    value: ir.Expression
    dimension: Dimension = DIMENSIONLESS
    convention: str | None = None


@dataclass(frozen=True)
class Context:
    """Where an expression stands: its component, its level, and what it may use."""

    scope: str = ""
    level: int | None = None
    posterior: bool = False  # inside `check`: prob, conflict, rhat … exist


SAME = "same"
FUNCTIONS: dict[str, tuple[tuple[int, int], str, str]] = {
    # name: (least and most arguments), what they must be, what comes out
    "exp": ((1, 1), "number", "number"),
    "log": ((1, 1), "number", "number"),
    "log10": ((1, 1), "number", "number"),
    "sqrt": ((1, 1), "any", "root"),
    "abs": ((1, 1), "any", SAME),
    "min": ((1, 16), SAME, SAME),
    "max": ((1, 16), SAME, SAME),
    "mean": ((1, 1), "any", SAME),
    "median": ((1, 1), "any", SAME),
    "sum": ((1, 64), SAME, SAME),
    "sin": ((1, 1), "angle", "number"),
    "cos": ((1, 1), "angle", "number"),
    "tan": ((1, 1), "angle", "number"),
    "voigt_fwhm": ((2, 2), SAME, SAME),
}
CONVERSIONS = {"fwhm": (1.0, "FWHM"), "hwhm": (2.0, "FWHM"), "epsilon": (2.0, "2ε")}
"""`hwhm(0.13 mm/s)` is a full width of 0.26 mm/s; `epsilon(…)` is half of 2ε."""
POSTERIOR = ("rhat", "ess", "chi2")
STATISTICS = ("mean", "median", "min", "max")


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
                return self._call(node, context)
        self.faults.add("not-an-expression", node.span)
        return None

    # ------------------------------------------------------------- numbers, names

    def unit(self, text: str | None, span: tree.Span) -> units.Unit | None:
        """The unit written `text`; an unknown one is reported at its place."""
        if text is None:
            return units.Unit("", 1.0, DIMENSIONLESS)
        try:
            return units.parse_unit(text)
        except units.UnitError as error:
            known = nearest(error.symbol, [*units.SYMBOLS, *units.SPELLINGS])
            self.faults.add("unknown-unit", span, unit=error.symbol, known=known)
            return None

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
        if context.posterior and text in POSTERIOR:
            return Typed(ir.Apply(function=text, arguments=()))
        indexed = self._indexed(text)
        if indexed is not None:
            return indexed
        known = self._data_constant(node, text, context)
        if known is not None:
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
        base, bracket, label = text.partition("[")
        entry = self.names.entries.get(base)
        if not bracket or entry is None or not entry.local:
            return None
        if label.rstrip("]") not in self.names.levels.labels:
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
        return Typed(ir.Const(value=value), dimension)

    def _needs_level(self, name: str, span: tree.Span) -> None:
        levels = self.names.levels
        self.faults.add(
            "needs-level",
            span,
            name=name,
            dimension=levels.dimension,
            label=levels.labels[0],
        )

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
            if not self.agree(left, right, node.left.span, node.right.span):
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
            if not self.agree(left, right, *spans):
                return None
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
        if not self.agree(operand, ends[0], node.operand.span, node.interval.span):
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
        if not self.agree(low, high, node.low.span, node.high.span):
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
        unit_span: tree.Span,
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
            self.mismatch(typed.dimension, found.dimension, unit_span)
            return None
        return typed

    # --------------------------------------------------------------------- calls

    def _call(self, node: tree.Call, context: Context) -> Typed | None:
        name = node.function.text
        if context.posterior and name in ("prob", "conflict"):
            return self._posterior(name, node, context)
        values = [self.expression(a.value, context) for a in node.arguments]
        if any(value is None for value in values):
            return None
        typed = [value for value in values if value is not None]
        if name in CONVERSIONS and len(typed) == 1:
            factor, convention = CONVERSIONS[name]
            value = apply("*", ir.Const(value=factor), typed[0].value)
            return Typed(value, typed[0].dimension, convention)
        if name not in FUNCTIONS:
            known = nearest(name, [*FUNCTIONS, *CONVERSIONS, "prob", "conflict"])
            self.faults.add(
                "unknown-function", node.function.span, name=name, known=known
            )
            return None
        return self._function(name, node, typed)

    def _function(
        self, name: str, node: tree.Call, arguments: list[Typed]
    ) -> Typed | None:
        (least, most), wanted, result = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            self.faults.add("argument-count", node.span, name=name, count=str(least))
            return None
        first = arguments[0]
        for argument, given in zip(arguments, node.arguments, strict=True):
            expected = units.DIMENSIONS.get(wanted, first.dimension)
            if wanted != "any" and argument.dimension != expected:
                self.mismatch(expected, argument.dimension, given.span)
                return None
        value = apply(name, *(argument.value for argument in arguments))
        if result == "root":
            dimension = units.power(first.dimension, 0.5)
            if dimension is None:
                self.faults.add("power-of-unit", node.span)
                return None
            return Typed(value, dimension)
        if result == SAME:
            return Typed(value, first.dimension, first.convention)
        return Typed(value)

    def _posterior(self, name: str, node: tree.Call, context: Context) -> Typed | None:
        if len(node.arguments) != 1:
            self.faults.add("argument-count", node.span, name=name, count="1")
            return None
        argument = node.arguments[0].value
        if name == "conflict":
            if isinstance(argument, tree.Path) and argument.text == "db":
                return Typed(apply("conflict", ir.Ref(name="db")))
            self.faults.add("conflict-argument", argument.span)
            return None
        typed = self.expression(argument, context)
        if typed is None:
            return None
        if typed.dimension != BOOLEAN:
            self.faults.add("condition-expected", argument.span)
            return None
        return Typed(apply("prob", typed.value))

    # ---------------------------------------------------------------- agreement

    def agree(
        self, left: Typed, right: Typed, left_span: tree.Span, right_span: tree.Span
    ) -> bool:
        """Same dimension, and no two conventions of one family; else a fault."""
        if left.dimension != right.dimension:
            bare = DIMENSIONLESS in (left.dimension, right.dimension)
            known = right if left.dimension == DIMENSIONLESS else left
            span = left_span if known is right else right_span
            number = left.value if known is right else right.value
            if bare and isinstance(number, ir.Const):
                unit = units.canonical_unit(known.dimension)
                self.faults.add("unit-missing", span, unit=unit)
            else:
                self.mismatch(left.dimension, right.dimension, right_span)
            return False
        return self.conventions(left, right.convention, right_span)

    def conventions(self, typed: Typed, other: str | None, span: tree.Span) -> bool:
        """Do the conventions allow the two to be compared or set equal?"""
        mine = typed.convention
        if mine is None or other is None or mine == other:
            return True
        same = CONVENTION_FAMILY.get(mine) == CONVENTION_FAMILY.get(other)
        code = "convention-mismatch" if same else "quantity-mismatch"
        self.faults.add(code, span, one=mine, other=other)
        return False

    def mismatch(self, wanted: Dimension, found: Dimension, span: tree.Span) -> None:
        """Two quantities of different dimension meet."""
        self.faults.add(
            "dimension-mismatch",
            span,
            wanted="@" + units.name_of(wanted),
            found="@" + units.name_of(found),
        )


_FOLD: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "neg": lambda a: -a,
}


def apply(function: str, *arguments: ir.Expression) -> ir.Expression:
    """`Apply`, with plain arithmetic on constants done at once."""
    if function in _FOLD and all(isinstance(a, ir.Const) for a in arguments):
        values = [a.value for a in arguments if isinstance(a, ir.Const)]
        return ir.Const(value=_FOLD[function](*values))
    if function == "/" and all(isinstance(a, ir.Const) for a in arguments):
        top, bottom = (a.value for a in arguments if isinstance(a, ir.Const))
        if bottom != 0:
            return ir.Const(value=top / bottom)
    return ir.Apply(function=function, arguments=arguments)
