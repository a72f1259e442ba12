"""The right-hand side of `~`: from text to a density, or to a citation of the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specfit import units
from specfit.contracts import ParameterSignature
from specfit.language import tree
from specfit.model import ir
from specfit.model.faults import nearest
from specfit.model.typed import Context, Typed, Typer, apply
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
}
OTHER_FAMILIES = ("dirichlet", "regularized_horseshoe")
POSITIVE_ARGUMENT = {"normal": 1, "halfnormal": 0, "student_t": 2, "lognormal": 1}
"""Which argument is a spread and must be positive."""


@dataclass(frozen=True)
class Expected:
    """What the left-hand side wants: its dimension (None: any) and its limits."""

    name: str
    dimension: Dimension | None = None
    convention: str | None = None
    signature: ParameterSignature | None = None


@dataclass(frozen=True)
class DeclaredPrior:
    """A prior as declared, with the dimension of what it is a prior of."""

    prior: ir.Dist | ir.Citation
    dimension: Dimension


_Family = tuple[
    str, tuple[ir.Expression, ...], Dimension, tuple[float | None, float | None]
]
"""Family name, its arguments, the dimension of its variable, its support."""

Cite = Callable[[tree.Call, Context, Expected], ir.Citation | None]


class Priors:
    """Reads priors with the typer of a model; `cite` reads `db(…)`."""

    def __init__(self, typer: Typer, cite: Cite) -> None:
        self.typer = typer
        self.faults = typer.faults
        self.cite = cite

    def read(
        self, prior: tree.Prior, context: Context, expected: Expected
    ) -> DeclaredPrior | None:
        """The density `prior` declares for `expected`, None when it is faulty."""
        centre = prior.centre
        if isinstance(centre, tree.Free):
            return self._free(prior, context, expected)
        if isinstance(centre, tree.Call) and centre.function.text == "db":
            citation = self.cite(centre, context, expected)
            if citation is None or expected.dimension is None:
                return None
            return DeclaredPrior(citation, expected.dimension)
        dist = self._family(centre, context, expected)
        if dist is None:
            return None
        family, arguments, dimension, support = dist
        bounds = self._bounds(prior, context, expected, dimension)
        if bounds is None:
            return None
        low, high = _tighter(support, bounds, _limits(expected))
        if low is not None and high is not None and low >= high:
            self.faults.add("empty-support", prior.span, name=expected.name)
            return None
        if not self._reachable(family, arguments, low, high, prior, expected):
            return None
        value = ir.Dist(family=family, arguments=arguments, low=low, high=high)
        return DeclaredPrior(value, dimension)

    # ------------------------------------------------------------------ families

    def _family(
        self, centre: tree.Expr | tree.PlusMinus, context: Context, expected: Expected
    ) -> _Family | None:
        if isinstance(centre, tree.PlusMinus):
            return self._plus_minus(centre, context, expected)
        if isinstance(centre, tree.Number) and centre.sd is not None:
            return self._concise(centre, expected)
        if isinstance(centre, tree.Call) and centre.function.text in FAMILIES:
            return self._call(centre, context, expected)
        if isinstance(centre, tree.Call):
            name = centre.function.text
            known = nearest(name, [*FAMILIES, "db", *OTHER_FAMILIES])
            code = "joint-needed" if name == "dirichlet" else "unknown-distribution"
            self.faults.add(code, centre.function.span, name=name, known=known)
            return None
        text = expected.name
        self.faults.add("not-a-distribution", centre.span, name=text)
        return None

    def _plus_minus(
        self, node: tree.PlusMinus, context: Context, expected: Expected
    ) -> _Family | None:
        spread = self.typer.expression(node.sd, context)
        if spread is None:
            return None
        unit, span = _unit_of(node.sd)
        centre = self.typer.covered(node.centre, unit, span, context)
        if centre is None:
            return None
        unit_span = span if unit else node.sd.span
        if not self._fits(centre, expected, unit_span, node.centre.span, unit):
            return None
        if not self._fits(spread, expected, unit_span, node.sd.span, unit):
            return None
        if not self.typer.agree(centre, spread, node.centre.span, node.sd.span):
            return None
        if isinstance(spread.value, ir.Const) and spread.value.value <= 0:
            self.faults.add("spread-not-positive", node.sd.span, name=expected.name)
            return None
        arguments = (centre.value, spread.value)
        return "normal", arguments, centre.dimension, (None, None)

    def _concise(self, node: tree.Number, expected: Expected) -> _Family | None:
        unit = self.typer.unit(node.unit, node.unit_span)
        if unit is None or node.sd is None:
            return None
        centre = Typed(ir.Const(value=node.value * unit.scale), unit.dimension)
        span = node.unit_span if node.unit else node.span
        if not self._fits(centre, expected, span, node.span, node.unit):
            return None
        if node.sd <= 0:
            self.faults.add("spread-not-positive", node.span, name=expected.name)
            return None
        spread = ir.Const(value=node.sd * unit.scale)
        return "normal", (centre.value, spread), unit.dimension, (None, None)

    def _call(
        self, node: tree.Call, context: Context, expected: Expected
    ) -> _Family | None:
        name = node.function.text
        wanted, support = FAMILIES[name]
        if len(node.arguments) != len(wanted):
            count = str(len(wanted))
            self.faults.add("argument-count", node.span, name=name, count=count)
            return None
        outer = self.typer.unit(node.unit, node.unit_span)
        if outer is None:
            return None
        arguments: list[ir.Expression] = []
        dimension = outer.dimension
        for kind, argument in zip(wanted, node.arguments, strict=True):
            unit = node.unit if kind == SAME else None
            typed = self.typer.covered(argument.value, unit, node.unit_span, context)
            if typed is None:
                return None
            if kind == NUMBER and typed.dimension != DIMENSIONLESS:
                self.typer.mismatch(DIMENSIONLESS, typed.dimension, argument.span)
                return None
            if kind == SAME:
                dimension = typed.dimension
            arguments.append(typed.value)
        arguments = self._positive(name, arguments, node, expected)
        if not arguments:
            return None
        if name == "lognormal" and outer.scale != 1.0:
            shift = self.typer.expression(_log(outer.scale), context)
            if shift is not None:
                arguments[0] = apply("+", arguments[0], shift.value)
        span = node.unit_span if node.unit else node.span
        whole = Typed(ir.Const(value=1.0), dimension)
        if not self._fits(whole, expected, span, node.span, node.unit):
            return None
        return name, tuple(arguments), dimension, support

    def _positive(
        self,
        name: str,
        arguments: list[ir.Expression],
        node: tree.Call,
        expected: Expected,
    ) -> list[ir.Expression]:
        index = POSITIVE_ARGUMENT.get(name)
        if index is not None:
            spread = arguments[index]
            if isinstance(spread, ir.Const) and spread.value <= 0:
                span = node.arguments[index].span
                self.faults.add("spread-not-positive", span, name=expected.name)
                return []
        return arguments

    def _free(
        self, prior: tree.Prior, context: Context, expected: Expected
    ) -> DeclaredPrior | None:
        if prior.bounds is None:
            self.faults.add("free-needs-bounds", prior.span, name=expected.name)
            return None
        ends = self.typer.interval(prior.bounds, context)
        if ends is None:
            return None
        bounds = self._bounds(prior, context, expected, ends[0].dimension)
        if bounds is None:
            return None
        low, high = _tighter(bounds, _limits(expected))
        if low is None or high is None or low >= high:
            self.faults.add("empty-support", prior.span, name=expected.name)
            return None
        arguments = (ir.Const(value=low), ir.Const(value=high))
        value = ir.Dist(family="uniform", arguments=arguments, low=low, high=high)
        return DeclaredPrior(value, ends[0].dimension)

    # -------------------------------------------------------------------- bounds

    def _bounds(
        self,
        prior: tree.Prior,
        context: Context,
        expected: Expected,
        dimension: Dimension,
    ) -> tuple[float | None, float | None] | None:
        node = prior.bounds
        if node is None:
            return None, None
        ends = self.typer.interval(node, context)
        if ends is None:
            return None
        span = node.unit_span if node.unit else node.span
        if not self._fits(ends[0], expected, span, node.span, node.unit):
            return None
        if ends[0].dimension != dimension:
            self.typer.mismatch(dimension, ends[0].dimension, span)
            return None
        low, high = (end.value for end in ends)
        if not (isinstance(low, ir.Const) and isinstance(high, ir.Const)):
            self.faults.add("bounds-not-constant", node.span, name=expected.name)
            return None
        return low.value, high.value

    def fits(self, typed: Typed, expected: Expected, node: tree.Expr) -> bool:
        """May `expected = node`?"""
        unit, span = _unit_of(node)
        return self._fits(typed, expected, span, node.span, unit)

    def _fits(
        self,
        typed: Typed,
        expected: Expected,
        unit_span: tree.Span,
        span: tree.Span,
        unit: str | None,
    ) -> bool:
        """Is this a value of what stands on the left?"""
        wanted = expected.dimension
        if wanted is None or typed.dimension == wanted:
            other = typed.convention
            mine = Typed(typed.value, typed.dimension, expected.convention)
            return self.typer.conventions(mine, other, span)
        canonical = units.canonical_unit(wanted)
        if typed.dimension == DIMENSIONLESS and not unit:
            self.faults.add("unit-missing", span, unit=canonical)
            return False
        meaning = expected.signature.meaning if expected.signature else expected.name
        self.faults.add(
            "unit-mismatch",
            unit_span,
            name=expected.name,
            meaning=f"@{meaning}",
            wanted="@" + units.name_of(wanted),
            unit=canonical,
            written=unit or "",
            found="@" + units.name_of(typed.dimension),
        )
        return False

    def _reachable(
        self,
        family: str,
        arguments: tuple[ir.Expression, ...],
        low: float | None,
        high: float | None,
        prior: tree.Prior,
        expected: Expected,
    ) -> bool:
        """A normal prior whose bounds lie 8 sd from its centre contradicts itself."""
        if family != "normal" or not all(isinstance(a, ir.Const) for a in arguments):
            return True
        centre, spread = (a.value for a in arguments if isinstance(a, ir.Const))
        outside = (low is not None and centre < low - 8 * spread) or (
            high is not None and centre > high + 8 * spread
        )
        if outside:
            self.faults.add("prior-outside-bounds", prior.span, name=expected.name)
        return not outside


def _limits(expected: Expected) -> tuple[float | None, float | None]:
    signature = expected.signature
    return (signature.low, signature.high) if signature else (None, None)


def _tighter(
    *pairs: tuple[float | None, float | None],
) -> tuple[float | None, float | None]:
    lows = [low for low, _ in pairs if low is not None]
    highs = [high for _, high in pairs if high is not None]
    return max(lows, default=None), min(highs, default=None)


def _unit_of(node: tree.Expr) -> tuple[str | None, tree.Span]:
    if isinstance(node, tree.Number | tree.Call):
        return node.unit, node.unit_span
    return None, node.span


def _log(scale: float) -> tree.Call:
    number = tree.Number(scale, repr(scale))
    path = tree.Path((tree.Part("log"),))
    return tree.Call(path, (tree.Argument(number),))
