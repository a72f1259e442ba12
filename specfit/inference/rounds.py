"""The rounds of a search: each is kept when it is done, and said.

A search of many components takes minutes.  A round is what may be lost of it, and where
it may be stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from specfit.contracts import Progress
from specfit.inference.beam import Beam
from specfit.inference.journal import Journal

STAGE = "search"
_KEPT = [f.name for f in fields(Beam) if f.name not in ("avoided", "likeness")]


class Rounds:
    """Rounds one after the other, of which a journal keeps the beams.

    done: share of the search that lies behind, for whoever follows it.
    """

    def __init__(
        self,
        journal: Journal | None = None,
        say: Progress | None = None,
        done: float = 0.0,
    ) -> None:
        self.journal, self.say, self.done = journal or Journal(), say, done
        self.number = 0

    def part(self, name: str, done: float) -> Rounds:
        """The rounds of one start."""
        return Rounds(self.journal.part(name), self.say, done)

    def __call__(self, make: Callable[..., Sequence[Beam]], *given: Any) -> list[Beam]:
        """The beams of the next round, found in the journal or made and kept."""
        self.number += 1
        name = f"round {self.number}"
        found = unpacked(self.journal.step(name, lambda: packed(make(*given))))
        if self.say:
            self.say(STAGE, self.done, _fit(found))
        return found


def _fit(found: Sequence[Beam]) -> str:
    if not found:
        return ""
    return f"best so far: χ² {found[0].chi2:.0f} for {found[0].residual.size} channels"


def packed(beams: Sequence[Beam]) -> dict[str, Any]:
    """Beams as plain arrays, one row each; none of what they are to avoid."""
    return {name: np.array([getattr(beam, name) for beam in beams]) for name in _KEPT}


def unpacked(arrays: Mapping[str, Any]) -> list[Beam]:
    """Beams from their arrays."""
    rows = zip(*(arrays[name] for name in _KEPT), strict=True)
    beams = [dict(zip(_KEPT, row, strict=True)) for row in rows]
    return [
        Beam(**beam | {"value": float(beam["value"]), "chi2": float(beam["chi2"])})
        for beam in beams
    ]
