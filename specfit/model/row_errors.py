"""The noise of a regression, widened by the errors of the features of its rows."""

from __future__ import annotations

from specfit.model.expressions import nodes
from specfit.model.functions import ERRORS, WEIGHTED_SUM
from specfit.model.ir import Apply, Expression, Ref, Spectrum
from specfit.standardised import errors_of


def weighted_sum(mean: Expression | None) -> Apply | None:
    """The sum over features in what is expected, None where there is none."""
    every = nodes(mean) if mean is not None else ()
    found = (n for n in every if isinstance(n, Apply) and n.function == WEIGHTED_SUM)
    return next(found, None)


def widened(spectrum: Spectrum) -> Spectrum:
    """The same with √(σ² + βᵀ C β) for the sd σ of its noise; β: of the sum over features."""
    total = weighted_sum(spectrum.noise.mean)
    if total is None:
        return spectrum
    sd, *others = spectrum.noise.arguments
    known = [Ref(name=name) for name in errors_of(spectrum.data)]
    wide = Apply(function=ERRORS, arguments=(sd, *known, *total.arguments[1:]))
    noise = spectrum.noise.model_copy(update={"arguments": (wide, *others)})
    return spectrum.model_copy(update={"noise": noise})
