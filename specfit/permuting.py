"""How many orders there are of rows that are held out together."""

from __future__ import annotations

from math import factorial

FEW = 8
"""Folds of which the orders are counted."""


def orders_of(n_folds: int) -> float:
    """Other orders than that in which they stand; more than anyone asks for of many."""
    return factorial(n_folds) - 1 if n_folds <= FEW else float("inf")
