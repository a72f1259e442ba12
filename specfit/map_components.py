"""How many components are fitted, which of them have counts, and what one count is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Anything
from specfit.mapped import Places
from specfit.model.factorising import Factorising

if TYPE_CHECKING:
    from specfit.maps.counting_components import Numbered
    from specfit.maps.found import Factorisation, Factorised

COMPONENTS = 6
"""Numbers of components that are always looked at."""
RELEVANT = 1e-3
"""Share of all counts below which a component is switched off."""
_FAINT = 0.02
"""The same of one that is more than the map holds."""
_ODD = 3.0
"""Times that noise may be what it was said to be: models are never exact."""
Telling = Callable[[str, int, float], None] | None


def counted(counts: Anything, energy: FloatArray, request: Factorisation) -> Numbered:
    """How many components the map holds, whatever was asked for."""
    from specfit.maps.counting_components import how_many

    most = max(request.components + 2, COMPONENTS)
    return how_many(
        counts, energy, request, max(1, min(most, *(n - 1 for n in counts.shape)))
    )


def in_counts(
    request: Factorisation, noise: float
) -> tuple[Factorisation, tuple[str, ...]]:
    """With how much one count is where the data are not counts, and what that is told by.

    Counts that were multiplied by something show by their noise what that was.
    """
    if request.engine == "gaussian":
        said = float(request.noise or 1.0)
        ratio = np.sqrt(noise) / said
        wrong = not 1.0 / _ODD < ratio**2 < _ODD
        told = (
            f"The noise of the data is {said * ratio:.3g}, not {said:g}: errors are "
            f"{ratio:.2g} times what is said."
        )
        return request, (told,) * wrong
    if 1.0 / _ODD < noise < _ODD:
        return request, ()
    told = (
        f"The noise of the data is that of counts worth {noise:.3g} each, and they were "
        f"taken so: a value of 1 is {1.0 / noise:.3g} counts."
    )
    return replace(request, count=noise), (told,)


def as_many(
    factorising: Factorising, request: Factorisation, best: int
) -> Factorisation:
    """Of components that may be switched off as many as the map holds.

    A background is one of those that the map holds; what is like a curve stays.
    """
    if factorising.relevance is None:
        return request
    held = best - (factorising.background != "none")
    like = [k for k, one in enumerate(factorising.spectra, start=1) if one.curve]
    count = min(factorising.components, max(1, held, *like))
    library = request.library
    if library is not None:
        library = library[:count]
    smooth = request.smooth[:count]
    return replace(request, components=count, library=library, smooth=smooth)


def with_counts(
    counts: Anything,
    energy: FloatArray,
    request: Factorisation,
    tell: Telling,
    held: int,
) -> tuple[Factorised, Places]:
    """What is found of the components that have counts, and which of those asked these are.

    One like a curve that the map does not hold would leave the others as unsure as
    itself. `held`: how many components the map has by itself.
    """
    from specfit.maps.factorising import factorise

    found = factorise(counts, energy, request, tell)
    total = found.maps.sum(axis=0)
    least = RELEVANT if total.size <= held else _FAINT
    own = np.flatnonzero(total > least * max(total.sum(), 1e-300))
    if request.library is None or own.size in (0, total.size):
        return found, np.arange(total.size)
    few = replace(
        request,
        components=int(own.size),
        library=request.library[own],
        smooth=tuple(np.array(request.smooth)[own]) if request.smooth else (),
    )
    return factorise(counts, energy, few, tell), own


def left_out(request: Factorisation, own: Places) -> Iterator[str]:
    """Which components that were asked for were not fitted in the end."""
    for number in sorted(set(range(request.components)) - set(own.tolist())):
        yield f"Component {number + 1} has next to no counts: it was left out."
