"""Fits of many spectra of one model, so that a rule is asked of all of them at once.

What: a rule answers with an outcome for each spectrum, in NumPy; its sentences are made
by `judge`, for the spectra that fail.  Why: a table of a batch names what warns, and
sentences for ten thousand spectra of which nobody reads one took longer than their fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.model.expressions import evaluate
from specfit.model.ir import Model, Prior
from specfit.model.known import data_constants
from specfit.rules.draws import IronSite, complete

PASSED, WARNED, FAILED, OPEN = 0, 1, 2, 3
"""Outcomes; `OPEN` where only `judge` can say."""
Outcomes = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Block:
    """What rules read of n spectra of one length, each measured and fitted by itself.

    draws: name → (n, n_draws).  curve: (n, n_channels).  n_unknowns: of each fit.
    """

    model: Model[Prior]
    spectra: Sequence[Measurement]
    draws: Mapping[str, FloatArray]
    curve: FloatArray
    n_unknowns: int
    _kept: dict[Callable[..., Any], Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.spectra)

    def once(self, question: Callable[[Block], Result]) -> Result:
        """The answer to what several rules ask, computed once."""
        if question not in self._kept:
            self._kept[question] = question(self)
        known: Result = self._kept[question]
        return known

    def all(self, outcome: int) -> Outcomes:
        """One outcome for every spectrum."""
        return np.full(len(self), outcome)

    def flat(self, name: str) -> FloatArray:
        """All draws of `name`, (n, n_draws); a constant gives (1, 1)."""
        if name in self.draws:
            return self.draws[name]
        for definition in self.model.definitions:
            if definition.name == name:
                known = complete(dict(self.draws), self.model, ())
                value = evaluate(definition.value, known, np)
                return np.atleast_2d(np.asarray(value, dtype=float))
        raise KeyError(name)

    def symbol(self, item: IronSite, symbol: str) -> FloatArray | None:
        """Draws of one symbol of a site, None when its kind has no such symbol."""
        name = item.site.parameters.get(symbol)
        return None if name is None else self.flat(name)


def environment(block: Block) -> dict[str, Any]:
    """Names an expression may use: draws (n, n_draws), each spectrum's constants (n, 1).

    Columns of the data are not among them.
    """
    rows = [data_constants(block.model, (one,), checks=True) for one in block.spectra]
    own = {name: np.array([[row[name]] for row in rows]) for name in rows[0]}
    return complete(dict(block.draws), block.model, ()) | own


def worst(block: Block, outcomes: Sequence[Any]) -> Outcomes:
    """The worst of several outcomes for each spectrum."""
    total = block.all(PASSED)
    for one in outcomes:
        total = np.maximum(total, one)
    return total


def graded(warned: Any, failed: Any) -> Outcomes:
    """Outcomes from flags: failed, else warned, else passed."""
    return np.where(failed, FAILED, np.where(warned, WARNED, PASSED))
