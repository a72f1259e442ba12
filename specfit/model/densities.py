"""The centre of a prior: `a ± s`, `1.23(4)` or a call → a family and its arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace

from specfit import units
from specfit.contracts import ParameterSignature
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model import ir
from specfit.model.faults import Faults, nearest
from specfit.model.quantities import (
    Context,
    Typed,
    agree,
    apply,
    conventions,
    counted,
    mismatch,
    wrong_unit,
)
from specfit.model.typed import Typer
from specfit.model.walks import WALK, steps
from specfit.units import DIMENSIONLESS, Dimension

SAME, NUMBER = "same", "number"
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[float | None, float | None]]] = {
    # name: (what each argument is, the support)
    "normal": ((SAME, SAME), (None, None)),
    "lognormal": ((NUMBER, NUMBER), (0.0, None)),
    "halfnormal": ((SAME,), (0.0, None)),
    "student_t": ((NUMBER, SAME, SAME), (None, None)),
    "gamma": ((NUMBER, SAME), (0.0, None)),
    "inverse_gamma": ((NUMBER, SAME), (0.0, None)),
    "beta": ((NUMBER, NUMBER), (0.0, 1.0)),
    "exponential": ((SAME,), (0.0, None)),
    "halfcauchy": ((SAME,), (0.0, None)),
    "uniform": ((SAME, SAME), (None, None)),
    WALK: ((SAME, SAME), (None, None)),
}
USAGE = {
    "normal": "normal(centre, sd) unit",
    "lognormal": "lognormal(log_median, log_sd) unit",
    "halfnormal": "halfnormal(sd) unit",
    "student_t": "student_t(degrees_of_freedom, centre, scale) unit",
    "gamma": "gamma(shape, scale) unit",
    "inverse_gamma": "inverse_gamma(shape, scale) unit",
    "beta": "beta(a, b)",
    "exponential": "exponential(mean) unit",
    "halfcauchy": "halfcauchy(scale) unit",
    "uniform": "uniform(low, high) unit",
    WALK: "random_walk(start, step) unit",
}
JOINT_FAMILIES = ("dirichlet",)
POSITIVE_ARGUMENTS = {
    "normal": (1,),
    "lognormal": (1,),
    "halfnormal": (0,),
    "student_t": (0, 2),
    "gamma": (0, 1),
    "inverse_gamma": (0, 1),
    "beta": (0, 1),
    "exponential": (0,),
    "halfcauchy": (0,),
    WALK: (1,),
}
"""Which arguments are spreads, shapes or degrees of freedom and must be positive."""

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Expected:
    """What the left-hand side wants: its dimension (None: any) and its limits."""

    name: str
    dimension: Dimension | None = None
    convention: str | None = None
    signature: ParameterSignature | None = None


@dataclass(frozen=True)
class Density:
    """A family, its arguments, the dimension of its variable and its support."""

    family: str
    arguments: tuple[ir.Expression, ...]
    dimension: Dimension
    support: Bounds = (None, None)


class Densities:
    """Reads the centre of a prior with the typer of a model."""

    def __init__(self, typer: Typer) -> None:
        self.typer, self.faults = typer, typer.faults

    def read(
        self, centre: tree.Expr | tree.PlusMinus, context: Context, expected: Expected
    ) -> Density | None:
        """The density that `centre` declares, None when it is faulty."""
        if isinstance(centre, tree.PlusMinus):
            return self._plus_minus(centre, context, expected)
        concise = _signed(centre)
        if concise is not None and concise.sd is not None:
            return self._concise(concise, expected)
        if isinstance(centre, tree.Call) and centre.function.text in FAMILIES:
            return self._call(centre, context, expected)
        if isinstance(centre, tree.Call):
            name = centre.function.text
            code = "joint-needed" if name in JOINT_FAMILIES else "unknown-distribution"
            known = nearest(name, [*FAMILIES, "db", *JOINT_FAMILIES])
            self.faults.add(code, centre.function.span, name=name, known=known)
            return None
        self.faults.add("not-a-distribution", centre.span, name=expected.name)
        return None

    # ------------------------------------------------------------ a ± s and 1.23(4)

    def _plus_minus(
        self, node: tree.PlusMinus, context: Context, expected: Expected
    ) -> Density | None:
        node = replace(node, sd=_signed(node.sd) or node.sd)
        spread = self.typer.expression(node.sd, context)
        centre = self.typer.expression(node.centre, context)
        if spread is None or centre is None:
            return None
        unit, span = unit_of(node.sd)
        if centre.dimension != DIMENSIONLESS:
            if not fits(self.faults, centre, expected, node.centre):
                return None
        else:
            centre = self.typer.covered(node.centre, unit, span, context)
        if centre is None or not fits(self.faults, spread, expected, node.sd):
            return None
        if not agree(self.faults, centre, spread, node.centre.span, node.sd.span):
            return None
        if not self._positive(spread.value, node.sd.span, expected):
            return None
        if not conventions(
            self.faults,
            Typed(centre.value, centre.dimension, expected.convention),
            centre.convention,
            node.centre.span,
        ):
            return None
        return Density("normal", (centre.value, spread.value), centre.dimension)

    def _concise(self, node: tree.Number, expected: Expected) -> Density | None:
        unit = self.typer.unit(node.unit, node.unit_span)
        if unit is None or node.sd is None:
            return None
        centre = Typed(ir.Const(value=node.value * unit.scale), unit.dimension)
        spread = ir.Const(value=node.sd * unit.scale)
        if not fits(self.faults, centre, expected, node):
            return None
        if not self._positive(spread, node.span, expected):
            return None
        return Density("normal", (centre.value, spread), unit.dimension)

    def _positive(self, value: ir.Expression, span: Span, expected: Expected) -> bool:
        if isinstance(value, ir.Const) and value.value <= 0:
            self.faults.add("spread-not-positive", span, name=expected.name)
            return False
        return True

    # ---------------------------------------------------------------------- calls

    def _call(
        self, node: tree.Call, context: Context, expected: Expected
    ) -> Density | None:
        name = node.function.text
        wanted, support = FAMILIES[name]
        if len(node.arguments) != len(wanted):
            count, usage = counted(len(wanted)), USAGE[name]
            self.faults.add(
                "argument-count", node.span, name=name, count=count, usage=usage
            )
            return None
        outer = self.typer.unit(node.unit, node.unit_span)
        if outer is None:
            return None
        typed = self._arguments(node, wanted, context)
        if typed is None:
            return None
        for index in POSITIVE_ARGUMENTS.get(name, ()):
            span = node.arguments[index].span
            if not self._positive(typed[index].value, span, expected):
                return None
        values = [argument.value for argument in typed]
        same = [t for t, kind in zip(typed, wanted, strict=True) if kind == SAME]
        dimension = same[0].dimension if same else outer.dimension
        if not fits(self.faults, Typed(values[0], dimension), expected, node):
            return None
        if name == "lognormal" and outer.scale != 1.0:
            shift = self.typer.expression(_logarithm(outer.scale), context)
            if shift is not None:
                values[0] = apply("+", values[0], shift.value)
        if name == WALK:
            if not steps(self.typer, node, values, context, expected.name):
                return None
            return Density("normal", tuple(values), dimension)
        if name == "uniform":
            return self._uniform(node, values, dimension)
        return Density(name, tuple(values), dimension, support)

    def _arguments(
        self, node: tree.Call, wanted: tuple[str, ...], context: Context
    ) -> list[Typed] | None:
        """The arguments typed; those that share the variable's dimension agree."""
        found: list[Typed] = []
        first: tuple[Typed, Span] | None = None
        for kind, argument in zip(wanted, node.arguments, strict=True):
            unit = node.unit if kind == SAME else None
            typed = self.typer.covered(argument.value, unit, node.unit_span, context)
            if typed is None:
                return None
            if kind == NUMBER and typed.dimension != DIMENSIONLESS:
                mismatch(self.faults, DIMENSIONLESS, typed.dimension, argument.span)
                return None
            if kind == SAME:
                first = first or (typed, argument.span)
                if not agree(self.faults, first[0], typed, first[1], argument.span):
                    return None
            found.append(typed)
        return found

    def _uniform(
        self, node: tree.Call, ends: list[ir.Expression], dimension: Dimension
    ) -> Density | None:
        low, high = ends
        if not (isinstance(low, ir.Const) and isinstance(high, ir.Const)):
            return Density("uniform", (low, high), dimension)
        if low.value >= high.value:
            self.faults.add("empty-interval", node.span)
            return None
        return Density("uniform", (low, high), dimension, (low.value, high.value))


def fits(faults: Faults, typed: Typed, expected: Expected, node: tree.Expr) -> bool:
    """Is `typed`, written as `node`, a value of what stands on the left?"""
    unit, unit_span = unit_of(node)
    return fits_at(faults, typed, expected, node.span, unit, unit_span)


def fits_at(
    faults: Faults,
    typed: Typed,
    expected: Expected,
    span: Span,
    unit: str | None,
    unit_span: Span,
) -> bool:
    """`fits` for an expression whose unit stands elsewhere, as after an interval."""
    wanted = expected.dimension
    if wanted is None or typed.dimension == wanted:
        mine = Typed(typed.value, typed.dimension, expected.convention)
        return conventions(faults, mine, typed.convention, span)
    bare = typed.dimension == DIMENSIONLESS and not unit
    if bare and isinstance(typed.value, ir.Const):
        faults.add("unit-missing", span, unit=units.canonical_unit(wanted))
        return False
    symbol = expected.signature.symbol if expected.signature else ""
    place = unit_span if unit else span
    wrong_unit(faults, place, expected.name, symbol, wanted, typed.dimension)
    return False


def unit_of(node: tree.Expr) -> tuple[str | None, Span]:
    """The unit written at the end of an expression, and its place."""
    if isinstance(node, tree.Number | tree.Call):
        return node.unit, node.unit_span if node.unit else node.span
    return None, node.span


def _logarithm(scale: float) -> tree.Call:
    number = tree.Number(scale, repr(scale))
    path = tree.Path((tree.Part("log"),))
    return tree.Call(path, (tree.Argument(number),))


def _signed(node: tree.Expr) -> tree.Number | None:
    """A number, the sign before it taken in: `-0.10(5)` is one number."""
    if isinstance(node, tree.Unary) and node.operator == "-":
        inner = node.operand
        if isinstance(inner, tree.Number):
            return replace(inner, value=-inner.value, span=node.span)
    return node if isinstance(node, tree.Number) else None
