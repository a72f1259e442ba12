"""A typed expression, and whether two of them may meet.

A convention (FWHM, 2ε, …) is carried like a unit within its family, so that a doublet's
ΔE_Q is never set equal to a sextet's 2ε by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specfit import units
from specfit.diagnostics import Span
from specfit.model import ir
from specfit.model.expressions import COMPARISONS, CONNECTIVES, FUNCTIONS
from specfit.model.faults import Faults, nearest
from specfit.model.kinds import CONVENTION_FAMILY
from specfit.units import DIMENSIONLESS, Dimension

BOOLEAN: Dimension = (("condition", 1),)


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
    column: bool = False  # inside a statistic: a whole column may stand here
    array: bool = False  # what is expected of every datum: columns stand for theirs


def agree(
    faults: Faults, left: Typed, right: Typed, left_span: Span, right_span: Span
) -> bool:
    """Same dimension, and no two conventions of one family; else a fault."""
    if left.dimension != right.dimension:
        _disagree(faults, left, right, left_span, right_span)
        return False
    return conventions(faults, left, right.convention, right_span)


def _disagree(
    faults: Faults, left: Typed, right: Typed, left_span: Span, right_span: Span
) -> None:
    bare = DIMENSIONLESS in (left.dimension, right.dimension)
    bare &= BOOLEAN not in (left.dimension, right.dimension)
    known, number, span = right, left.value, left_span
    if left.dimension != DIMENSIONLESS:
        known, number, span = left, right.value, right_span
    if bare and isinstance(number, ir.Const):
        faults.add("unit-missing", span, unit=units.canonical_unit(known.dimension))
    else:
        mismatch(faults, left.dimension, right.dimension, right_span)


def conventions(faults: Faults, typed: Typed, other: str | None, span: Span) -> bool:
    """Do the conventions allow the two to be compared or set equal?"""
    mine = typed.convention
    if mine is None or other is None or mine == other:
        return True
    same = CONVENTION_FAMILY.get(mine) == CONVENTION_FAMILY.get(other)
    code = "convention-mismatch" if same else "quantity-mismatch"
    faults.add(code, span, one=mine, other=other)
    return False


def mismatch(faults: Faults, wanted: Dimension, found: Dimension, span: Span) -> None:
    """Two quantities of different dimension meet."""
    if BOOLEAN in (wanted, found):
        code = "condition-expected" if wanted == BOOLEAN else "number-expected"
        faults.add(code, span)
        return
    words = {"wanted": units.said(wanted), "found": units.said(found)}
    faults.say("dimension-mismatch", span, words)


def wrong_unit(
    faults: Faults,
    span: Span,
    name: str,
    symbol: str,
    wanted: Dimension,
    found: Dimension,
    unit: str = "",
) -> None:
    """`name` is given a value of another dimension; `symbol` is its role, if known.

    unit: what to offer, the canonical one unless said.
    """
    if BOOLEAN in (wanted, found):
        mismatch(faults, wanted, found, span)
        return
    faults.add(
        "unit-mismatch" if wanted else "unit-not-needed",
        span,
        name=name,
        meaning=f"@symbol-{symbol}" if symbol else f"`{name}`",
        wanted=units.said(wanted),
        unit=unit or units.canonical_unit(wanted),
        found=units.said(found),
    )


def counted(count: int) -> str:
    """A number of arguments, as a word of a diagnostic."""
    return f"@arguments-{count}" if count < 4 else f"@arguments-some|{count}"


def known_unit(faults: Faults, text: str, span: Span) -> units.Unit | None:
    """The unit written `text`; an unknown one is reported at its place."""
    try:
        return units.parse_unit(text)
    except units.UnitError as error:
        symbol = error.symbol
    if symbol in ("°C", "℃", "degC", "C"):
        faults.add("celsius", span, unit=symbol)
        return None
    known = nearest(symbol, [*units.SYMBOLS, *units.SPELLINGS, "mm/s", "cm/s"])
    faults.add("unknown-unit", span, unit=symbol, known=known)
    return None


def apply(function: str, *arguments: ir.Expression) -> ir.Expression:
    """`Apply`; a function of constants becomes its value, finite or not."""
    known = [a.value for a in arguments if isinstance(a, ir.Const)]
    logical = function in COMPARISONS or function in CONNECTIVES
    if logical or len(known) < len(arguments) or not known:
        return ir.Apply(function=function, arguments=arguments)
    with np.errstate(all="ignore"):
        value = FUNCTIONS[function].meaning(np, *map(np.float64, known))
    return ir.Const(value=float(value))
