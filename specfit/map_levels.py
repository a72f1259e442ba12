"""The laws of the weights that a file asks for, in the words of the numerics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specfit.model.factorising import Factorising

if TYPE_CHECKING:
    from specfit.maps.found import Levels

_KNOWN = 1e15
"""Shape of the inverse gamma law of a scale that is a number: no map moves it."""


def levels_of(factorising: Factorising, mean: float) -> Levels | None:
    """The laws of the weights, where the engine draws weights from laws."""
    from specfit.maps import Levels

    said, known = factorising.relevance, factorising.scale
    if factorising.run.optimizer != "multiplicative" or factorising.drift:
        return None
    if known is not None:
        scale = known.value * (mean if known.of_mean else 1.0)
        return Levels(_KNOWN, _KNOWN * scale, factorising.maps)
    if said is None:
        return None
    beta = said.scale * mean if said.of_mean else said.scale
    return Levels(said.shape, beta, factorising.maps)
