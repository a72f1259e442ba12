"""Calls in expressions: functions, conversions of convention, posterior quantities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from specfit import units
from specfit.constants import SIGMA_FWHM
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model import ir
from specfit.model.call_signatures import FUNCTIONS, SAME
from specfit.model.diffraction import DIFFRACTION
from specfit.model.faults import Faults, nearest
from specfit.model.feature_calls import FEATURE_CALLS, feature_call
from specfit.model.lines import quoted, reflection, wavelength_called
from specfit.model.quantities import (
    BOOLEAN,
    Context,
    Typed,
    apply,
    conventions,
    counted,
    mismatch,
)
from specfit.units import DIMENSIONLESS

if TYPE_CHECKING:
    from specfit.model.typed import Typer

STATISTICS = ("mean", "median", "min", "max", "sum")
"""Functions that turn a whole column of the data into one number."""

CONVERSIONS = {
    "fwhm": (1.0, "FWHM", "FWHM"),
    "hwhm": (2.0, "HWHM", "FWHM"),
    "sigma": (SIGMA_FWHM, "sigma", "FWHM"),
    "sigma_of": (1 / SIGMA_FWHM, "FWHM", "sigma"),
    "epsilon": (2.0, "ε", "2ε"),
}
"""Name: factor, convention in, convention out.  `hwhm(0.13 mm/s)` is a full width of
0.26 mm/s; `epsilon(…)` is half of 2ε."""

ARGUMENTS = {
    "sum": "x, y",
    "min": "x, y",
    "max": "x, y",
    "voigt_fwhm": "wG, wL",
    "voigt_height": "wG, wL",
    "sod": "Θ, T",
    "debye_f": "Θ, T",
    "brillouin": "S, T, T_order",
    "reduced_field": "T, T_order, a, b",
    "shift": "basis[k].mu, dE",
    "histogram_mean": "low, high, roughness, c1, …",
    "histogram_sd": "low, high, roughness, c1, …",
    "ingalls": "Δ, T",
    "d_cubic": "h, k, l, a",
    "d_tetragonal": "h, k, l, a, c",
    "d_hexagonal": "h, k, l, a, c",
    "d_orthorhombic": "h, k, l, a, b, c",
    "two_theta": "d, λ) or two_theta(d, λ, zero) or two_theta(d, λ, zero, s, R",
    "momentum_transfer": "d",
    "wavelength": "E",
    "magnetite_vacancies": "ratio, f_ratio",
    "saturated_ratio": "weight, x, depth",
    "prob": "x > 0 mm/s",
    "conflict": "db",
}
"""What stands in the brackets, for a message; `x` where it is one number."""

POSTERIOR = ("rhat", "ess", "chi2")
POSTERIOR_CALLS = ("prob", "conflict")


def call(typer: Typer, node: tree.Call, context: Context) -> Typed | None:
    """`node` typed, or None when a fault in it was reported."""
    found = _called(typer, node, context)
    if found is None or node.unit is None:
        return found
    unit = typer.unit(node.unit, node.unit_span)
    if unit is None:
        return None
    if found.dimension != DIMENSIONLESS:
        typer.faults.add("unit-twice", node.unit_span, unit=node.unit)
        return None
    scaled = apply("*", ir.Const(value=unit.scale), found.value)
    return Typed(scaled, unit.dimension, found.convention)


def _called(typer: Typer, node: tree.Call, context: Context) -> Typed | None:
    name = node.function.text
    if name == "shift" and typer.names.bases:
        return _shifted(typer, node, context)
    if name in POSTERIOR_CALLS and not context.posterior:
        typer.faults.add("posterior-only", node.function.span, name=name)
        return None
    if name not in (*FUNCTIONS, *CONVERSIONS, *POSTERIOR_CALLS):
        known = nearest(name, [*FUNCTIONS, *CONVERSIONS, *POSTERIOR_CALLS])
        typer.faults.add("unknown-function", node.function.span, name=name, known=known)
        return None
    if not _plain_arguments(typer, node):
        return None
    if name in POSTERIOR_CALLS:
        return _posterior(typer, name, node, context)
    if name == "wavelength" and (line := quoted(node)) is not None:
        return wavelength_called(typer.faults, line)
    alone = len(node.arguments) == 1 and isinstance(node.arguments[0].value, tree.Path)
    column = alone and name in STATISTICS
    inside = replace(context, column=column)
    values = [typer.expression(a.value, inside) for a in node.arguments]
    typed = [value for value in values if value is not None]
    if len(typed) < len(values):
        return None
    if name in CONVERSIONS:
        return _converted(typer, name, node, typed)
    return _function(typer, name, node, typed)


def _shifted(typer: Typer, node: tree.Call, context: Context) -> Typed | None:
    """`shift(basis[k].mu, dE)`: the spectrum, moved to higher energies by dE."""
    if not _plain_arguments(typer, node):
        return None
    if len(node.arguments) != 2:
        _wrong_count(typer, node, "shift", 2, ARGUMENTS["shift"])
        return None
    curve, by = (argument.value for argument in node.arguments)
    whole = typer.expression(curve, context)
    moved = typer.expression(by, context)
    if whole is None or moved is None:
        return None
    still = isinstance(curve, tree.Path) and isinstance(whole.value, ir.Apply)
    if not still or not isinstance(whole.value, ir.Apply):
        typer.faults.add("shift-of-basis", node.arguments[0].span)
        return None
    axis = typer.names.axis
    if moved.dimension != axis:
        mismatch(typer.faults, axis, moved.dimension, node.arguments[1].span)
        return None
    value = apply("shift", whole.value.arguments[0], moved.value)
    return Typed(value, whole.dimension)


def _wrong_count(
    typer: Typer, node: tree.Call, name: str, count: int, arguments: str
) -> None:
    usage = f"{name}({arguments})"
    typer.faults.add(
        "argument-count", node.span, name=name, count=counted(count), usage=usage
    )


def _plain_arguments(typer: Typer, node: tree.Call) -> bool:
    """Functions take plain arguments: no names, no `over`."""
    levels = typer.names.levels
    dimensions = [levels.dimension] if levels.dimension else []
    for argument in node.arguments:
        for word in argument.over:
            known = nearest(word, dimensions)
            typer.faults.add("over-unknown", argument.span, name=word, known=known)
            return False
        if argument.name is not None:
            name = node.function.text
            typer.faults.add("named-argument", argument.span, name=name)
            return False
    return True


def _converted(
    typer: Typer, name: str, node: tree.Call, arguments: list[Typed]
) -> Typed | None:
    factor, taken, given = CONVERSIONS[name]
    if len(arguments) != 1:
        _wrong_count(typer, node, name, 1, "x")
        return None
    (argument,) = arguments
    span = node.arguments[0].span
    wanted = Typed(argument.value, argument.dimension, taken)
    if not conventions(typer.faults, wanted, argument.convention, span):
        return None
    value = apply("*", ir.Const(value=factor), argument.value)
    return Typed(value, argument.dimension, given)


def _function(
    typer: Typer, name: str, node: tree.Call, arguments: list[Typed]
) -> Typed | None:
    (least, most), wanted, result = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        _wrong_count(typer, node, name, least, ARGUMENTS.get(name, "x"))
        return None
    first = arguments[0]
    each = (wanted,) * len(arguments) if isinstance(wanted, str) else wanted
    for argument, given, kind in zip(arguments, node.arguments, each, strict=False):
        expected = units.DIMENSIONS.get(kind, first.dimension)
        if argument.dimension == BOOLEAN:
            typer.faults.add("number-expected", given.span)
            return None
        if kind != "any" and argument.dimension != expected:
            mismatch(typer.faults, expected, argument.dimension, given.span)
            return None
    if name in FEATURE_CALLS:
        return feature_call(typer, name, node, arguments)
    if name == "brillouin" and not _is_spin(first.value):
        typer.faults.add("spin-needed", node.arguments[0].span)
        return None
    values = [argument.value for argument in arguments]
    if name in DIFFRACTION and not reflection(typer.faults, name, node, values):
        return None
    value = apply(name, *(argument.value for argument in arguments))
    if result == "root":
        dimension = units.power(first.dimension, 0.5)
        if dimension is None:
            typer.faults.add("power-of-unit", node.span)
            return None
        return Typed(value, dimension)
    if result == "inverse":
        return Typed(value, units.multiply(DIMENSIONLESS, first.dimension, -1))
    if result == SAME:
        return Typed(value, first.dimension, first.convention)
    return Typed(value, units.DIMENSIONS[result])


def _is_spin(value: ir.Expression) -> bool:
    """Whether it is 1/2, 1, 3/2 … 15/2."""
    return isinstance(value, ir.Const) and value.value in np.arange(0.5, 8.0, 0.5)


def _posterior(
    typer: Typer, name: str, node: tree.Call, context: Context
) -> Typed | None:
    if len(node.arguments) != 1:
        _wrong_count(typer, node, name, 1, ARGUMENTS[name])
        return None
    argument = node.arguments[0].value
    if name == "conflict":
        if isinstance(argument, tree.Path) and argument.text == "db":
            return Typed(apply("conflict", ir.Ref(name="db")))
        typer.faults.add("conflict-argument", argument.span)
        return None
    typed = typer.expression(argument, context)
    if typed is None:
        return None
    if typed.dimension != BOOLEAN:
        typer.faults.add("condition-expected", argument.span)
        return None
    return Typed(apply("prob", typed.value))


def no_percentage(
    faults: Faults, one: ir.Expression, bound: ir.Expression, span: Span
) -> None:
    """Note a bound of a probability that no probability can reach: 95 for 0.95."""
    if not (isinstance(one, ir.Apply) and one.function == "prob"):
        return
    if isinstance(bound, ir.Const) and not 0.0 <= bound.value <= 1.0:
        share = bound.value / 100.0
        meant = f"{share:g}" if 0.0 < share <= 1.0 else "0.95"
        faults.add("probability-range", span, value=f"{bound.value:g}", meant=meant)
