"""How many orders there are of rows that are held out together, and the p they can reach."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specfit.model.ir import AnalysisCheck

FEW = 8
"""Folds of which the orders are counted."""


def orders_of(n_folds: int) -> float:
    """Other orders than that in which they stand; more than anyone asks for of many."""
    return factorial(n_folds) - 1 if n_folds <= FEW else float("inf")


def least_p(shuffles: float) -> float:
    """The smallest p that so many shuffles can give."""
    return 1.0 / (shuffles + 1.0)


def beyond(check: AnalysisCheck, shuffles: float) -> bool:
    """Whether a check asks for a smaller p than so many shuffles can give."""
    least = least_p(shuffles)
    strict = check.comparison == "<" and least >= check.bound
    asked = strict or (check.comparison == "<=" and least > check.bound)
    return check.figure == "permutation_p" and asked
