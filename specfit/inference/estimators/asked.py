"""What an analysis asks for, in numbers; inference knows nothing of the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specfit.contracts import FloatArray


@dataclass(frozen=True)
class MethodAsked:
    """A method: `alpha`, `l1_ratio` or `trees` → the numbers it may have."""

    name: str
    title: str
    function: str
    arguments: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Asked:
    """The methods and how they are judged.

    folds: "leave_one_out", "leave_block_out" of `block` rows or "leave_group_out" by the
    column `by`; scaled: features are standardised inside every fold; nested: everything is
    tuned inside the folds; score: what shuffled targets are compared by, "R2" or "Q2";
    permutations: shuffled targets at most; resamples: half samples for the stability of
    what is selected.
    """

    name: str
    methods: tuple[MethodAsked, ...]
    folds: str = "leave_one_out"
    block: int = 1
    by: str = ""
    scaled: bool = True
    nested: bool = True
    score: str = "R2"
    permutations: int = 199
    resamples: int = 200
