"""The right side of `~`: from text to a density, or to a citation of the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specfit import units
from specfit.language import tree
from specfit.model import ir
from specfit.model.densities import (
    FAMILIES,
    Bounds,
    Densities,
    Density,
    Expected,
    fits_at,
)
from specfit.model.quantities import Context, mismatch
from specfit.model.shelves import shelf_of
from specfit.model.typed import Typer
from specfit.units import Dimension

__all__ = ["FAMILIES", "DeclaredPrior", "Expected", "Priors"]


_CITED = dict.fromkeys(("IS", "QS"), "velocity") | {"Bint": "field"}
_CITED |= dict.fromkeys(("f", "f_ratio"), "number")
_CITED |= {"R": "length", "sigma2": "length*length"}
"""What the parameters of a record are."""


@dataclass(frozen=True)
class DeclaredPrior:
    """A prior as declared, with the dimension of what it is a prior of."""

    prior: ir.Declared
    dimension: Dimension


Cited = ir.Citation | ir.PathCitation
Cite = Callable[[tree.Call, Context, Expected], Cited | None]


class Priors:
    """Reads priors with the typer of a model; `cite` reads `db(…)`."""

    def __init__(self, typer: Typer, cite: Cite) -> None:
        self.typer, self.faults = typer, typer.faults
        self.densities = Densities(typer)
        self.cite = cite

    def read(
        self, prior: tree.Prior, context: Context, expected: Expected
    ) -> DeclaredPrior | None:
        """The density `prior` declares for `expected`, None when it is faulty."""
        centre = prior.centre
        if isinstance(centre, tree.Free):
            return self._free(prior, context, expected)
        if isinstance(centre, tree.Call) and centre.function.text == "db":
            return self._cited(prior, centre, context, expected)
        if isinstance(centre, tree.Like):
            self.faults.add("like-elsewhere", centre.span, name=expected.name)
            return None
        density = self.densities.read(centre, context, expected)
        if density is None:
            return None
        bounds = self._bounds(prior, context, expected, density.dimension)
        if bounds is None:
            return None
        bounds = _tighter(density.support, bounds, _limits(expected))
        if not self._left(bounds, prior, expected):
            return None
        if not self._reachable(density, bounds, prior, expected):
            return None
        value = ir.Dist(
            family=density.family,
            arguments=density.arguments,
            low=bounds[0],
            high=bounds[1],
        )
        return DeclaredPrior(value, density.dimension)

    def _cited(
        self, prior: tree.Prior, call: tree.Call, context: Context, expected: Expected
    ) -> DeclaredPrior | None:
        citation = self.cite(call, context, expected)
        if citation is None:
            return None
        shelf = shelf_of(citation.parameter)
        known = _CITED if shelf is None else shelf.symbols
        dimension = units.dimension(known[citation.parameter])
        bounds = self._bounds(prior, context, expected, dimension)
        if bounds is None:
            return None
        low, high = _tighter((citation.low, citation.high), bounds)
        if not self._left((low, high), prior, expected):
            return None
        narrowed = citation.model_copy(update={"low": low, "high": high})
        return DeclaredPrior(narrowed, dimension)

    def _free(
        self, prior: tree.Prior, context: Context, expected: Expected
    ) -> DeclaredPrior | None:
        assert prior.bounds is not None  # the grammar sees to it
        ends = self.typer.interval(prior.bounds, context)
        if ends is None:
            return None
        dimension = ends[0].dimension
        bounds = self._bounds(prior, context, expected, dimension)
        if bounds is None:
            return None
        low, high = _tighter(bounds, _limits(expected))
        if low is None or high is None or not self._left((low, high), prior, expected):
            return None
        arguments = (ir.Const(value=low), ir.Const(value=high))
        value = ir.Dist(family="uniform", arguments=arguments, low=low, high=high)
        return DeclaredPrior(value, dimension)

    # -------------------------------------------------------------------- bounds

    def _bounds(
        self,
        prior: tree.Prior,
        context: Context,
        expected: Expected,
        dimension: Dimension,
    ) -> Bounds | None:
        node = prior.bounds
        if node is None:
            return None, None
        ends = self.typer.interval(node, context)
        if ends is None:
            return None
        span = node.unit_span if node.unit else node.span
        if not fits_at(self.faults, ends[0], expected, node.span, node.unit, span):
            return None
        if ends[0].dimension != dimension:
            mismatch(self.faults, dimension, ends[0].dimension, span)
            return None
        low, high = (end.value for end in ends)
        if not (isinstance(low, ir.Const) and isinstance(high, ir.Const)):
            self.faults.add("bounds-not-constant", node.span, name=expected.name)
            return None
        return low.value, high.value

    def _left(self, bounds: Bounds, prior: tree.Prior, expected: Expected) -> bool:
        """Do the bounds leave anything?"""
        low, high = bounds
        if low is not None and high is not None and low >= high:
            span = prior.bounds.span if prior.bounds else prior.span
            self.faults.add("empty-support", span, name=expected.name)
            return False
        return True

    def _reachable(
        self, density: Density, bounds: Bounds, prior: tree.Prior, expected: Expected
    ) -> bool:
        """A normal prior must not contradict its bounds, nor what the quantity can be.

        The user's own bounds may cut deep, to 3 sd; a centre where the quantity cannot
        be at all is a slip of sign or unit, however wide the spread.
        """
        constants = [a.value for a in density.arguments if isinstance(a, ir.Const)]
        if density.family != "normal" or len(constants) < 2:
            return True
        centre, spread = constants
        low, high = bounds
        outside = (low is not None and centre < low - 3 * spread) or (
            high is not None and centre > high + 3 * spread
        )
        least, most = _limits(expected)
        outside |= least is not None and centre < least
        outside |= most is not None and centre > most
        if outside:
            self.faults.add("prior-outside-bounds", prior.span, name=expected.name)
        return not outside


def _limits(expected: Expected) -> Bounds:
    signature = expected.signature
    return (signature.low, signature.high) if signature else (None, None)


def _tighter(*pairs: Bounds) -> Bounds:
    lows = [low for low, _ in pairs if low is not None]
    highs = [high for _, high in pairs if high is not None]
    return max(lows, default=None), min(highs, default=None)
